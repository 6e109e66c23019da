//! TLS with a certificate that no machine trusts.

use std::os::unix::fs::PermissionsExt;

use tracklane_postgres::Postgres;

use crate::server::{Server, give_away};
use crate::storing::{event, send};

#[test]
fn the_certificate_is_checked_against_the_given_root_and_the_connection_encrypted() {
    let options = ["-c", "ssl=on", "-c", "ssl_cert_file=../server.pem", "-c", "ssl_key_file=../server.key"];
    let Some(server) = Server::own() else { return };
    server.stop();
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    for (name, text) in [("server.pem", certified.cert.pem()), ("server.key", certified.signing_key.serialize_pem())] {
        let path = server.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        give_away(&path);
    }
    // The test reads it, too.
    let root = server.path("root.pem");
    std::fs::write(&root, certified.cert.pem()).unwrap();
    let server = server.with_options(&options);
    server.start();

    let url = format!("{}?sslmode=require", server.url().replace("127.0.0.1", "localhost"));
    let untrusted = send(Postgres::new(&*url).table("untrusted"), [event("m1")]);
    let told = format!("{:?}", untrusted[0].destinations[0].error);
    assert!(!untrusted[0].is_delivered() && told.contains("TLS"), "{told}");
    let other_name = url.replace("localhost", "127.0.0.1");
    let told = send(Postgres::new(other_name).root_certificate(&root), [event("m1")]);
    assert!(!told[0].is_delivered(), "the certificate is for localhost");

    let warehouse = Postgres::new(&*url).root_certificate(&root).map_event(|_, row| {
        row.set("event", "by TLS");
    });
    server.query(
        "CREATE TABLE events (message_id text PRIMARY KEY, event text, tls boolean); CREATE FUNCTION note() RETURNS trigger \
         LANGUAGE plpgsql AS $$ BEGIN NEW.tls := (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()); RETURN NEW; \
         END $$; CREATE TRIGGER note BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION note()",
    );
    let ends = send(warehouse, [event("m1")]);
    assert!(ends[0].is_delivered(), "{ends:?}");
    assert_eq!(server.query("SELECT event, tls FROM events"), [[Some("by TLS".to_owned()), Some("t".to_owned())]]);
}
