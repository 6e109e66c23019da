//! The HTTP client that requests tokens, and the URL that it uses.

use std::convert::Infallible;
use std::sync::Mutex;

use tracklane::segment::Region;
use tracklane::segment::Segment;
use tracklane::transport::{Body, DefaultClient, HttpClient};

use super::*;

/// The default client; the paths that it is asked for are kept.
fn recording() -> (HttpClient, Arc<Mutex<Vec<String>>>) {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let seen = paths.clone();
    let client = tower::ServiceBuilder::new()
        .map_request(move |request: http::Request<Body>| {
            seen.lock().unwrap().push(request.uri().path().to_owned());
            request
        })
        .service(DefaultClient::new().unwrap());
    (HttpClient::new(client), paths)
}

fn built(world: &World, segment: Segment) -> Analytics {
    Analytics::builder().segment(segment).clock(world.clock.clone()).build().unwrap()
}

#[test]
fn the_destinations_client_asks_for_tokens_too() {
    let world = World::new();
    let (client, paths) = recording();
    let analytics = built(&world, world.segment(world.oauth()).http_client(client));
    assert!(deliver(&analytics).is_delivered());
    assert_eq!(*paths.lock().unwrap(), ["/token", "/v1/batch"]);
}

#[test]
fn oauth_can_have_a_client_of_its_own() {
    let world = World::new();
    let ((shared, uploads), (own, token_requests)) = (recording(), recording());
    let analytics = built(&world, world.segment(world.oauth().http_client(own)).http_client(shared));
    assert!(deliver(&analytics).is_delivered());
    assert_eq!(*uploads.lock().unwrap(), ["/v1/batch"]);
    assert_eq!(*token_requests.lock().unwrap(), ["/token"]);
}

#[test]
fn the_token_server_is_the_one_of_the_region() {
    let table = [
        (None, "https://oauth2.segment.io"),
        (Some(Region::Dublin.auth_server()), "https://oauth2.eu1.segmentapis.com"),
        (Some("https://oauth2.eu1.segmentapis.com/"), "https://oauth2.eu1.segmentapis.com"),
    ];
    for (setting, server) in table {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let asked = seen.clone();
        let client = tower::service_fn(move |request: http::Request<Body>| {
            let (head, body) = request.into_parts();
            asked.lock().unwrap().push((head.uri.to_string(), body.into_bytes()));
            let granted = Body::from(r#"{"access_token":"t","expires_in":60}"#);
            async { Ok::<_, Infallible>(http::Response::new(granted)) }
        });
        let mut oauth = OAuth::new(CLIENT_ID, PKCS8, KEY_ID).scope("a b");
        if let Some(server) = setting {
            oauth = oauth.auth_server(server);
        }
        let segment = Segment::new(WRITE_KEY).flush_at(1).oauth(oauth).http_client(HttpClient::new(client));
        let analytics = Analytics::builder().segment(segment).build().unwrap();
        assert!(deliver(&analytics).is_delivered());
        let seen = seen.lock().unwrap();
        assert_eq!(seen[0].0, format!("{server}/token"));
        assert_eq!(seen[1].0, "https://api.segment.io/v1/batch");
        let form: std::collections::HashMap<_, _> = url::form_urlencoded::parse(&seen[0].1).collect();
        assert_eq!(form["scope"], "a b");
        let (_, claims) = token_server::verify(&form["client_assertion"]).unwrap();
        assert_eq!(claims["aud"], server);
    }
}
