//! The OpenAPI file says what the router does.

use std::collections::BTreeSet;

use serde_json::Value;
use tracklane_ingest::ROUTES;

use crate::support::{Running, status};

const FILE: &str = include_str!("../../openapi.json");

fn file() -> Value {
    serde_json::from_str(FILE).unwrap()
}

#[test]
fn the_file_has_every_route_and_no_other() {
    let file = file();
    let paths = file["paths"].as_object().unwrap();
    let in_file: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())))
        .filter(|(method, _)| method != "parameters")
        .collect();
    let routes: BTreeSet<_> = ROUTES.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(in_file, routes);
}

#[test]
fn every_route_of_the_file_is_answered_with_a_status_that_it_names() {
    let server = Running::as_segment();
    let file = file();
    for (method, path) in ROUTES {
        let responses = file["paths"][path][method]["responses"].as_object().unwrap();
        let concrete = path.replace("{call}", "track").replace("{key}", "K");
        for body in ["{}", "{"] {
            let answer = server.send(&format!("{} {concrete}", method.to_uppercase()), "", body.as_bytes());
            let status = status(&answer).to_string();
            assert!(responses.contains_key(&status), "{method} {path} answers {status}, which the file does not have");
        }
    }
}
