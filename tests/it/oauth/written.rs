//! OAuth settings from a file or from the environment.

use serde_json::{Value, json};
use tracklane::{Settings, SettingsError};

use super::*;

/// Builds a client from a file with all settings of OAuth on one line, after `change`.
fn builder(world: &World, change: impl FnOnce(&mut Value)) -> Result<Builder, SettingsError> {
    let mut file = json!({
        "write_key": WRITE_KEY,
        "host": world.api.url(),
        "flush_at": 1,
        "oauth_client_id": CLIENT_ID,
        "oauth_private_key": PKCS8.replace('\n', "\\n"),
        "oauth_key_id": KEY_ID,
        "oauth_auth_server": world.tokens.api.url(),
    });
    change(&mut file);
    serde_json::from_value::<Settings>(file).unwrap().into_builder()
}

#[test]
fn oauth_can_be_written_in_a_file() {
    let world = World::new();
    let builder = builder(&world, |_| ()).unwrap().clock(world.clock.clone());
    assert!(deliver(&builder.build().unwrap()).is_delivered());
    assert_eq!((world.authorizations(), world.token_requests()), (vec![bearer(1)], 1));
}

#[test]
fn what_is_missing_of_oauth_is_named() {
    let world = World::new();
    for missing in ["oauth_client_id", "oauth_private_key", "oauth_key_id"] {
        let error = builder(&world, |file| file[missing] = Value::Null).unwrap_err().to_string();
        assert_eq!(error, format!("setting {missing}: is missing, and OAuth needs it"));
    }
    let only_the_scope = serde_json::from_value::<Settings>(json!({"write_key": "k", "oauth_scope": "s"})).unwrap();
    assert_eq!(only_the_scope.into_builder().unwrap_err().setting(), "oauth_client_id");
}

#[test]
fn a_written_setting_of_oauth_is_used() {
    let world = World::new();
    let error = |name: &'static str, value: &str| {
        let wrong = builder(&world, |file| file[name] = value.into()).unwrap().build().unwrap_err();
        wrong.setting().to_owned()
    };
    assert_eq!(error("oauth_scope", ""), "scope");
    assert_eq!(error("oauth_auth_server", "nonsense"), "auth_server");
    assert_eq!(error("oauth_private_key", "nonsense"), "private_key");
    world.tokens.api.set_default(tracklane::testing::Reply::status(503));
    let impatient = builder(&world, |file| {
        file["oauth_max_retries"] = 0.into();
        file["max_retries"] = 0.into();
    });
    assert!(!deliver(&impatient.unwrap().build().unwrap()).is_delivered());
    assert_eq!(world.token_requests(), 1, "it is not repeated");
}
