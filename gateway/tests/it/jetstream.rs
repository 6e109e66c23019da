//! The log in JetStream: what a 200 means there, and what happens while NATS does not take events.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use async_nats::jetstream::stream::{Config, StorageType};
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tracklane_gateway::{Gateway, Layout, StartError};

use crate::nats::{LOG, Nats, ids, lines};
use crate::support::{Running, SERVER, Sink, catalog, plain, wait_until};

fn track(id: &str, user: &str) -> String {
    format!(r#"{{"type":"track","event":"E","userId":"{user}","messageId":"{id}","timestamp":"2026-01-01T00:00:00Z"}}"#)
}

/// What waits on the gateway's disk.
fn spilled(gateway: &Running) -> u64 {
    let stores = Layout::of(gateway.path()).unwrap().stores().unwrap();
    let pipelines = stores.iter().filter(|store| store.destination.is_some());
    pipelines.map(|store| store.backlog().unwrap().events).sum()
}

const TROUBLE: &str = "tracklane_gateway_jetstream_trouble";

/// The log takes events again, and the gateway knows it.
fn wait_for_the_log(gateway: &Running) {
    wait_until("the log is fine", || gateway.metric(TROUBLE) == Some(0.0));
}

#[test]
fn a_200_with_jetstream_means_that_a_stream_has_the_event() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    let context = nats.context(&gateway.runtime);
    assert_eq!(gateway.batch(&[track("a", "u1"), track("b", "u1"), track("c", "u2")].join(",")).status, 200);
    let (found, _) = gateway.runtime.block_on(lines(&context, 4));
    let events: Vec<Value> = found.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut ids: Vec<&str> = events.iter().map(|event| event["messageId"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a", "b", "c"]);
    let as_sent = |event: &Value| event["event"] == "E" && event.get("context").is_none();
    assert!(events.iter().all(as_sent), "{events:?}");
    assert_eq!(spilled(&gateway), 0, "it did not go by the disk");
    assert_eq!(gateway.metric("tracklane_gateway_jetstream_events_total"), Some(3.0));
}

#[test]
fn the_events_of_a_request_are_one_message_for_each_partition() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    let context = nats.context(&gateway.runtime);
    let events: Vec<String> = (0..200).map(|n| track(&format!("m{n:03}"), &format!("u{}", n % 10))).collect();
    assert_eq!(gateway.batch(&events.join(",")).status, 200);
    let (found, messages) = gateway.runtime.block_on(lines(&context, 4));
    assert_eq!(found.len(), 200);
    // The lane may have taken the first events of the request before the last were there.
    assert!(messages <= 40, "{messages} messages for 200 events");
    let events: Vec<Value> = found.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for user in 0..10 {
        let of_user = events.iter().filter(|event| event["userId"] == format!("u{user}"));
        let ids: Vec<&str> = of_user.map(|event| event["messageId"].as_str().unwrap()).collect();
        assert!(ids.is_sorted() && ids.len() == 20, "u{user}: {ids:?}");
    }
}

#[test]
fn while_nats_is_away_events_go_to_the_disk_with_200_and_then_into_the_log_in_their_order() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    let mut sent = Vec::new();
    let send = |gateway: &Running, sent: &mut Vec<String>| {
        let id = format!("m{:03}", sent.len());
        let answer = gateway.batch(&track(&id, "u1"));
        assert_eq!(answer.status, 200, "{answer:?}");
        sent.push(id);
    };
    for _ in 0..5 {
        send(&gateway, &mut sent);
    }
    nats.kill();
    for _ in 0..20 {
        send(&gateway, &mut sent);
    }
    wait_until("the gateway knows it", || gateway.metric(TROUBLE) == Some(1.0));
    assert!(spilled(&gateway) >= 15, "{}", spilled(&gateway));
    nats.start_again();
    // Some while it waits, some while it goes out.
    while spilled(&gateway) > 0 {
        send(&gateway, &mut sent);
    }
    wait_for_the_log(&gateway);
    for _ in 0..5 {
        send(&gateway, &mut sent);
    }
    wait_until("nothing waits", || spilled(&gateway) == 0);
    let context = nats.context(&gateway.runtime);
    assert_eq!(first_of_each(ids(&context, &gateway.runtime)), sent);
}

/// Without what comes a second time.
fn first_of_each(ids: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}

#[test]
fn a_gateway_that_starts_without_nats_takes_events_and_what_waited_goes_before_what_is_new() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    nats.kill();
    assert_eq!(gateway.batch(&track("m1", "u1")).status, 200);
    let (directory, _) = gateway.stop();
    let gateway = nats.gateway_in(directory, "", false);
    assert_eq!(gateway.batch(&track("m2", "u1")).status, 200);
    assert_eq!(spilled(&gateway), 2);
    let (directory, _) = gateway.stop();
    nats.start_again();
    let gateway = nats.gateway_in(directory, "", false);
    assert_eq!(gateway.batch(&track("m3", "u1")).status, 200);
    wait_until("nothing waits", || spilled(&gateway) == 0);
    let context = nats.context(&gateway.runtime);
    assert_eq!(first_of_each(ids(&context, &gateway.runtime)), ["m1", "m2", "m3"]);
}

#[test]
fn a_server_that_hangs_costs_two_seconds_and_no_event() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    nats.signal(Signal::SIGSTOP);
    let begun = Instant::now();
    assert_eq!(gateway.batch(&track("m1", "u1")).status, 200);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(gateway.batch(&track("m2", "u1")).status, 200);
    assert!(spilled(&gateway) >= 1);
    nats.signal(Signal::SIGCONT);
    wait_until("nothing waits", || spilled(&gateway) == 0);
    let context = nats.context(&gateway.runtime);
    assert_eq!(first_of_each(ids(&context, &gateway.runtime)), ["m1", "m2"]);
}

#[test]
fn a_full_stream_spills_and_a_full_disk_then_refuses_with_a_wait_that_browsers_can_read() {
    let Some(nats) = Nats::start() else { return };
    let directory = TempDir::new().unwrap();
    let log = nats.log(&format!("directory = {:?}\nmax_spill_bytes = \"1MiB\"", directory.path().join("log")));
    let log = log.replace("max_bytes = \"64MiB\"", "max_bytes = \"4MiB\"");
    let gateway = Running::start_with_log(directory, Sink::default(), &log, &plain("", ""), true);
    let padding = "x".repeat(30_000);
    let event =
        |n: u32| track(&format!("m{n:03}"), "u1").replacen('{', &format!(r#"{{"properties":{{"p":"{padding}"}},"#), 1);
    let body = |n: u32| format!(r#"{{"writeKey":"K","batch":[{}]}}"#, event(n));
    let mut taken = Vec::new();
    let refused = (0..200).find_map(|n| {
        let answer = gateway.send("POST /v1/batch", "origin: https://shop.example\r\n", body(n).as_bytes());
        if answer.status != 200 {
            return Some(answer);
        }
        taken.push(format!("m{n:03}"));
        None
    });
    let refused = refused.expect("1 MB in the stream and 1 MB on the disk are full after some seventy events");
    assert_eq!((refused.status, refused.json()["code"].as_str()), (429, Some("too_many_requests")));
    assert!(refused.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok()), "{refused:?}");
    let exposed = refused.header("access-control-expose-headers").unwrap_or_default();
    assert!(exposed.to_ascii_lowercase().contains("retry-after"), "{refused:?}");
    assert!((40..100).contains(&taken.len()), "{} were taken", taken.len());
    assert_eq!(gateway.metric(TROUBLE), Some(1.0));
    assert!(spilled(&gateway) > 20);

    let context = nats.context(&gateway.runtime);
    let before = ids(&context, &gateway.runtime);
    for partition in 0..4 {
        let stream = gateway.runtime.block_on(context.get_stream(format!("{LOG}-{partition:02}"))).unwrap();
        gateway.runtime.block_on(async { stream.purge().await }).unwrap();
    }
    wait_until("nothing waits", || spilled(&gateway) == 0);
    let after = ids(&context, &gateway.runtime);
    assert_eq!(first_of_each([before, after].concat()), taken);
}

#[test]
fn a_stream_that_is_deleted_is_an_alarm_and_is_not_made_again() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    let context = nats.context(&gateway.runtime);
    for partition in 0..4 {
        gateway.runtime.block_on(context.delete_stream(format!("{LOG}-{partition:02}"))).unwrap();
    }
    for (at, user) in ["u1", "u2", "u3"].into_iter().enumerate() {
        assert_eq!(gateway.batch(&track(&format!("m{at}"), user)).status, 200);
    }
    assert_eq!(spilled(&gateway), 3);
    wait_until("it is an alarm", || gateway.metric(TROUBLE) == Some(1.0));
    // As often as the gateway looks, and once more after a restart.
    std::thread::sleep(Duration::from_secs(3));
    let (directory, _) = gateway.stop();
    let gateway = nats.gateway_in(directory, "", false);
    assert_eq!(gateway.batch(&track("m3", "u1")).status, 200);
    assert_eq!((spilled(&gateway), gateway.metric(TROUBLE)), (4, Some(1.0)));
    let context = nats.context(&gateway.runtime);
    assert!(gateway.runtime.block_on(context.get_stream(format!("{LOG}-00"))).is_err(), "nobody has made it");
    let made = gateway.runtime.block_on(Gateway::create_streams(gateway.path(), &catalog(&Sink::default()))).unwrap();
    assert_eq!((made.created.len(), made.found.len()), (4, 2));
    wait_until("nothing waits", || spilled(&gateway) == 0);
    let mut found = ids(&context, &gateway.runtime);
    found.sort();
    assert_eq!(found, ["m0", "m1", "m2", "m3"]);
}

#[test]
fn a_request_that_comes_again_is_recognised_as_a_repeat() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    assert_eq!(gateway.batch(&track("m1", "u1")).status, 200);
    assert_eq!(gateway.batch(&track("m1", "u1")).status, 200);
    let context = nats.context(&gateway.runtime);
    assert_eq!(ids(&context, &gateway.runtime), ["m1"]);
    assert_eq!(gateway.metric("tracklane_gateway_jetstream_repeats_total"), Some(1.0));
}

fn start_error(directory: &TempDir, log: &str) -> StartError {
    let path = directory.path().join("gateway.toml");
    std::fs::write(&path, format!("{SERVER}{log}{}", plain("", ""))).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(Gateway::start(&path, catalog(&Sink::default()))).map(drop).expect_err("it must not start")
}

#[test]
fn a_stream_that_keeps_nothing_is_refused_at_the_start() {
    let Some(nats) = Nats::start() else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let context = nats.context(&runtime);
    for partition in 0..4 {
        let (name, subject) = (format!("{LOG}-{partition:02}"), format!("{LOG}.{partition:02}.>"));
        let storage = if partition == 2 { StorageType::Memory } else { StorageType::File };
        let discard = async_nats::jetstream::stream::DiscardPolicy::New;
        let stream = Config { name, subjects: vec![subject], storage, discard, num_replicas: 1, ..Config::default() };
        runtime.block_on(context.create_stream(stream)).unwrap();
    }
    let directory = TempDir::new().unwrap();
    let log = nats.log(&format!("directory = {:?}", directory.path().join("log")));
    let error = tracklane::text_with_causes(&start_error(&directory, &log));
    assert_eq!(
        error,
        "the log in JetStream cannot be used: the stream \"log-02\" has storage = Memory, and the log needs File: change the stream"
    );
}

#[test]
fn a_server_that_is_too_old_is_refused_at_the_start() {
    // What a server of 2.10 says of itself is all that the check sees.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let info = r#"INFO {"server_id":"X","version":"2.10.25","proto":1,"headers":true,"max_payload":1048576}"#;
            stream.write_all(format!("{info}\r\n").as_bytes()).unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while let Some(Ok(line)) = lines.next() {
                if line == "PING" {
                    stream.write_all(b"PONG\r\n").unwrap();
                }
            }
        }
    });
    let directory = TempDir::new().unwrap();
    let log = format!(
        "[log.jetstream]\nservers = [\"nats://{address}\"]\nreplicas = 1\ndirectory = {:?}\n",
        directory.path().join("log")
    );
    let error = tracklane::text_with_causes(&start_error(&directory, &log));
    let expected = "the log in JetStream cannot be used: the NATS server has version \"2.10.25\", and the log needs 2.11 \
                    or later: update the server";
    assert_eq!(error, expected);
}

#[test]
fn a_graceful_stop_with_jetstream_leaves_nothing_on_the_disk() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    nats.kill();
    for n in 0..50 {
        assert_eq!(gateway.batch(&track(&format!("m{n:02}"), "u1")).status, 200);
    }
    nats.start_again();
    wait_until("NATS is back", || gateway.metric(TROUBLE) == Some(0.0));
    let path = gateway.path();
    let (directory, _) = gateway.stop();
    let stores = Layout::of(path).unwrap().stores().unwrap();
    assert_eq!(stores.iter().map(|store| store.backlog().unwrap().events).sum::<u64>(), 0, "in {directory:?}");
}
