//! Errors of a file have the line and the remedy.

use std::path::Path;

use super::read::parse;
use super::{ConfigError, LogConfig, Read};

const GOOD: &str = r#"
[log.disk]
directory = "/tmp/log"

[sources.web]
keys = ["K1", "${KEY}"]
pipeline = "main"
origins = ["https://shop.example"]
events_per_second = 100

[[pipelines.main.destinations]]
plugin = "segment"
settings = { write_key = "SECRET" }
"#;

fn read(text: &str) -> Result<Read, ConfigError> {
    let environment = |name: &str| (name == "KEY").then(|| "from the environment".to_owned());
    parse(Path::new("g.toml"), text.to_owned(), Box::new(environment))
}

#[test]
fn a_good_file_is_read_with_its_variables() {
    let read = read(GOOD).unwrap();
    assert_eq!(read.config.sources["web"].keys, ["K1", "from the environment"]);
    assert_eq!(read.pipelines["main"].destinations.len(), 1);
    let secrets = format!("{read:?}");
    assert!(!secrets.contains("SECRET") && !secrets.contains("K1"), "{secrets}");
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_what_would_be_right() {
    for (from, to, expected) in [
        ("[log.disk]", "[log.disc]", "g.toml:2: unknown variant `disc`, expected `disk`"),
        ("pipeline = \"main\"", "pipelin = \"main\"", "g.toml:7: unknown field `pipelin`, expected one of `keys`"),
        ("pipeline = \"main\"", "pipeline = \"mian\"", "g.toml:7: there is no pipeline \"mian\"; there are: main"),
        ("directory = \"/tmp/log\"", "directory = \"\"", "g.toml:3: directory: is empty"),
        ("\"${KEY}\"", "\"${NOT_SET}\"", "g.toml:6: the variable \"NOT_SET\" is not set in the environment"),
        ("\"${KEY}\"", "\"${KEY\"", "g.toml:6: a variable begins with ${ and has no } at its end"),
        ("\"${KEY}\"", "\" \"", "g.toml:6: keys: a key is empty"),
        ("[\"K1\", \"${KEY}\"]", "\"K1\"", "g.toml:6: invalid type: string, expected a sequence"),
        ("https://shop.example\"", "shop.example\"", "g.toml:8: origins: \"shop.example\" is no origin"),
        ("events_per_second = 100", "events_per_second = 0", "g.toml:9: events_per_second: must be at least 1"),
        ("events_per_second = 100", "burst = 5", "g.toml:9: burst: needs events_per_second"),
        ("[sources.web]", "[sources.\"a/b\"]", "g.toml:5: the name \"a/b\" in [sources] must have"),
        ("plugin = \"segment\"", "plugins = \"segment\"", "g.toml:12: unknown field `plugins`, expected"),
        ("plugin = \"segment\"", "plugin = \"segment\"\nmax = ", "g.toml:13: "),
        (
            "directory = \"/tmp/log\"",
            "directory = \"/l\"\nmax_age = \"7 weeks\"",
            "g.toml:4: \"7 weeks\" is not a time",
        ),
        ("[log.disk]", "[server]\nmax_body = \"0B\"\n[log.disk]", "g.toml:3: max_body: must be at least 1B"),
        (
            "[log.disk]",
            "[server]\nmax_memory = \"64MiB\"\n[log.disk]",
            "g.toml:3: max_memory: is too little for 10240 connections and bodies of 4194304 bytes: use at least \"264MiB\"",
        ),
        ("[log.disk]", "[server]\nmax_connections = 100000\n[log.disk]", "g.toml:2: max_memory: is too little for"),
        ("[log.disk]", "[server]\nlisten = []\n[log.disk]", "g.toml:3: listen: needs an address"),
        ("[log.disk]", "[server]\ntrusted_proxies = [\"x\"]\n[log.disk]", "g.toml:3: trusted_proxies: "),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = read(&GOOD.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(error.starts_with(expected), "{to}\n{error}\n{expected}");
    }
}

#[test]
fn one_start_says_everything_that_is_wrong_in_the_order_of_the_file() {
    let wrong = [
        ("[log.disk]", "[server]\nmax_connections = 0\nlisten = []\n[log.disk]"),
        ("directory = \"/tmp/log\"", "directory = \"\"\nmax_bytes = \"1KB\""),
        ("pipeline = \"main\"", "pipeline = \"mian\""),
        ("events_per_second = 100", "events_per_second = 0\nburst = 0"),
    ];
    let text = wrong.iter().fold(GOOD.to_owned(), |text, (from, to)| text.replacen(from, to, 1));
    let error = read(&text).unwrap_err();
    let lines = [3, 4, 6, 7, 11, 13, 14].map(Some);
    assert_eq!(error.errors().map(|error| error.line).collect::<Vec<_>>(), lines, "{error}");
    assert_eq!(error.to_string().lines().filter(|line| line.starts_with("g.toml:")).count(), lines.len(), "{error}");
}

#[test]
fn one_start_names_every_variable_that_is_not_set() {
    let text = GOOD.replacen("\"K1\"", "\"${ONE}\"", 1).replacen("SECRET", "${TWO}", 1);
    let error = read(&text).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    let starts = ["g.toml:6: the variable \"ONE\" is not set", "g.toml:13: the variable \"TWO\" is not set"];
    assert!(lines.len() == 2 && lines.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{error}");
}

#[test]
fn a_misspelt_name_is_answered_with_the_one_that_may_be_meant() {
    for (from, to, meant) in [
        ("[log.disk]", "[log.disc]", Some("did you mean `disk`?")),
        ("events_per_second", "eventsPerSecond", Some("did you mean `events_per_second`?")),
        ("pipeline = \"main\"", "pipelin = \"main\"", Some("did you mean `pipeline`?")),
        ("pipeline = \"main\"", "pipeline = \"mian\"", Some("there are: main; did you mean \"main\"?")),
        ("pipeline = \"main\"", "pipeline = \"main\"\ncolour = 1", None),
    ] {
        let error = read(&GOOD.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(meant.is_none_or(|meant| error.ends_with(meant)), "{to}: {error}");
        assert_eq!(error.contains("did you mean"), meant.is_some(), "{to}: {error}");
    }
}

#[test]
fn a_key_is_there_once_and_not_empty_and_each_fault_is_said_once() {
    let of_another = "a key of the source \"web\" is also one of the source \"app\"";
    for (web, app, expected) in [
        (r#"["K1", "K2"]"#, r#"["K3"]"#, &[][..]),
        (r#"["K1", "K2"]"#, r#"["K1"]"#, &[of_another]),
        (r#"["K1", "K1"]"#, r#"["K3"]"#, &["keys: a key is there twice"]),
        (r#"["", " ", "K1"]"#, r#"["K3"]"#, &["keys: a key is empty"]),
        (r#"["", "K1"]"#, r#"["", "K3"]"#, &["keys: a key is empty", "keys: a key is empty"]),
        (r#"[""]"#, "[]", &["keys: a key is empty"]),
        ("[]", "[]", &["no source has a key"]),
    ] {
        let text = GOOD.replacen(r#"["K1", "${KEY}"]"#, web, 1);
        let text = format!("{text}\n[sources.app]\nkeys = {app}\npipeline = \"main\"\n");
        let error = read(&text).err();
        let problems: Vec<&str> = error.iter().flat_map(ConfigError::errors).map(|error| &*error.problem).collect();
        assert_eq!(problems, expected, "{web} {app}");
    }
}

#[test]
fn a_pipeline_has_changed_if_its_values_have() {
    let fingerprint = |text: &str| read(text).unwrap().pipelines["main"].fingerprint;
    let moved = GOOD.replacen("[log.disk]", "# A comment.\n[log.disk]", 1);
    assert_eq!(fingerprint(GOOD), fingerprint(&moved), "the place does not matter");
    let changed = GOOD.replacen("SECRET", "ANOTHER", 1);
    assert_ne!(fingerprint(GOOD), fingerprint(&changed));
}

#[test]
fn what_is_wrong_with_a_log_in_jetstream_is_said_in_the_same_way() {
    let streams = "[log.jetstream]\nservers = [\"nats://127.0.0.1:4222\"]\nreplicas = 3\ndirectory = \"/tmp/log\"\n";
    let good = GOOD.replacen("[log.disk]\ndirectory = \"/tmp/log\"\n", streams, 1);
    let LogConfig::JetStream(config) = read(&good).unwrap().config.log else { panic!("{good}") };
    assert_eq!((config.partitions, config.name.as_str(), config.max_bytes), (16, "tracklane", 10 << 30));
    for (from, to, expected) in [
        ("replicas = 3", "replicas = 2", "g.toml:4: replicas: is 2, and must be 1, 3 or 5"),
        ("replicas = 3\n", "", "g.toml:2: missing field `replicas`"),
        ("replicas = 3", "replicas = 3\npartitions = 65", "g.toml:5: partitions: is 65, and must be 1 to 64"),
        ("replicas = 3", "replicas = 3\nname = \"a.b\"", "g.toml:5: name: \"a.b\" must have 1 to 64 letters"),
        ("replicas = 3", "replicas = 3\nuser = \"u\"", "g.toml:5: user: user and password need each other"),
        ("replicas = 3", "replicas = 3\nmax_bytes = \"10MB\"", "g.toml:5: max_bytes: must be at least 1MiB for each"),
        (
            "nats://127.0.0.1:4222",
            "http://127.0.0.1",
            "g.toml:3: servers: \"http://127.0.0.1\" is no address of a NATS",
        ),
        ("nats://127.0.0.1:4222", "127.0.0.1:4222", "g.toml:3: servers: \"127.0.0.1:4222\" is no address of a NATS"),
        ("\"nats://127.0.0.1:4222\"", "", "g.toml:3: servers: needs an address"),
        ("/tmp/log", "", "g.toml:5: directory: is empty"),
    ] {
        assert!(good.contains(from), "{from}");
        let error = read(&good.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(error.starts_with(expected), "{to}\n{error}\n{expected}");
    }
    let with_password = good.replacen("nats://", "nats://me:hunter2@", 1);
    let error = read(&with_password).unwrap_err().to_string();
    assert!(error.contains("write these as `user` and `password`") && !error.contains("hunter2"), "{error}");
    let secret = good.replacen("replicas = 3", "replicas = 3\nuser = \"u\"\npassword = \"hunter2\"", 1);
    assert!(!format!("{:?}", read(&secret).unwrap()).contains("hunter2"));
}
