//! What is wrong around a gateway: its disk, its destinations, its clients.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tracklane::testing::{Reply, TrackingApi};

use crate::support::{DESTINATION, Response, Running, Sink, plain, wait_until};

fn track(id: &str, padding: usize) -> String {
    let padding = "x".repeat(padding);
    format!(r#"{{"type":"track","event":"E","userId":"u","messageId":"{id}","properties":{{"p":"{padding}"}}}}"#)
}

fn waiting(gateway: &Running, destination: &str) -> Option<f64> {
    let labels = format!("{{pipeline=\"main\",destination=\"{destination}\"}}");
    gateway.metric(&format!("tracklane_gateway_destination_waiting_events{labels}"))
}

#[test]
fn a_slow_destination_slows_no_answer_and_no_other_destination() {
    let gateway = Running::with(&format!("{}{DESTINATION}settings = {{ name = \"slow\" }}\n", plain("", "")));
    gateway.sink.pause.store(50, Ordering::Release);
    let ids: Vec<String> = (0..100).map(|n| format!("m{n:03}")).collect();
    let begun = Instant::now();
    for id in &ids {
        assert_eq!(gateway.batch(&track(id, 10)).status, 200);
    }
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(15), "{taken:?} for {} requests", ids.len());
    assert!(gateway.sink.ids_of("slow").len() < ids.len(), "it is slower than the answers");
    wait_until("the other destination has them", || waiting(&gateway, "sink") == Some(0.0));
    wait_until("so has the slow one", || waiting(&gateway, "slow") == Some(0.0));
    assert_eq!(gateway.sink.events().len(), 2 * ids.len());
    let slow = gateway.sink.ids_of("slow");
    assert_eq!(slow, ids, "in their order");
}

#[test]
fn what_a_destination_refuses_for_a_wrong_key_waits_for_the_right_one() {
    let (api, taken) = (TrackingApi::start().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let takes = Arc::clone(&taken);
    api.reply_with(move |request| {
        // Base64 of the key and a colon.
        if request.headers().get("authorization").is_none_or(|value| value != "Basic UklHSFQ6") {
            return Reply::status(401);
        }
        let ids = request.events().into_iter().map(|event| event["messageId"].as_str().unwrap().to_owned());
        takes.lock().unwrap().extend(ids);
        Reply::as_segment()
    });
    let config = |key: &str| {
        let segment = format!("plugin = \"segment\"\nsettings = {{ write_key = \"{key}\", host = {:?} }}\n", api.url());
        format!("{}\n[[pipelines.main.destinations]]\n{segment}", plain("", ""))
    };
    let gateway = Running::with(&config("WRONG"));
    let ids: Vec<String> = (0..20).map(|n| format!("m{n:02}")).collect();
    for id in &ids {
        assert_eq!(gateway.batch(&track(id, 10)).status, 200);
    }
    gateway.arrived(ids.len());
    wait_until("the key was refused", || !api.requests().is_empty());
    assert_eq!(waiting(&gateway, "Segment.io"), Some(20.0));
    wait_until("the other one has them", || waiting(&gateway, "sink") == Some(0.0));
    gateway.rewrite(&config("RIGHT"));
    wait_until("all have arrived with the right key", || taken.lock().unwrap().len() >= ids.len());
    assert_eq!(*taken.lock().unwrap(), ids);
}

/// A file system of its own that is soon full; `None` where this process may not have one.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn new() -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(directory.path()).output();
        match mount {
            Ok(done) if done.status.success() => Some(Self(directory)),
            refused => {
                println!("skipped: no file system can be mounted here: {refused:?}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_refuses_what_is_new_and_loses_nothing_that_it_has() {
    let Some(disk) = SmallDisk::new() else { return };
    let sink = Sink::default();
    sink.down.store(true, Ordering::Release);
    let gateway = Running::start(TempDir::new_in(disk.path()).unwrap(), sink, "", &plain("", ""));
    let mut taken = Vec::new();
    let refused: Option<Response> = (0..200).find_map(|n| {
        let id = format!("m{n:03}");
        let answer = gateway.batch(&track(&id, 20_000));
        match answer.status {
            200 => taken.push(id),
            _ => return Some(answer),
        }
        None
    });
    let refused = refused.expect("one megabyte is full after some fifty events");
    assert_eq!((refused.status, refused.json()["code"].as_str()), (429, Some("too_many_requests")));
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert!(taken.len() > 20, "{}", taken.len());
    gateway.sink.down.store(false, Ordering::Release);
    gateway.arrived(taken.len());
    assert_eq!(gateway.sink.ids(), taken);
    wait_until("there is room again", || gateway.batch(&track("after", 20_000)).status == 200);
}

#[test]
fn a_client_that_breaks_off_in_the_middle_of_a_body_has_sent_nothing() {
    let gateway = Running::plain();
    let body = format!(r#"{{"writeKey":"K","batch":[{}]}}"#, track("half", 5_000));
    for kept in [1, 100, body.len() - 1] {
        let mut stream = TcpStream::connect(gateway.address).unwrap();
        let head = format!("POST /v1/b HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), &body.as_bytes()[..kept]].concat()).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }
    assert_eq!(gateway.batch(&track("whole", 10)).status, 200);
    gateway.arrived(1);
    assert_eq!(gateway.sink.ids(), ["whole"]);
    let received = "tracklane_gateway_events_total{source=\"web\",outcome=\"received\"}";
    assert_eq!(gateway.metric(received), Some(1.0));
}

#[test]
fn what_a_client_sent_whole_is_counted_to_its_end_although_it_does_not_wait_for_the_answer() {
    let gateway = Running::plain();
    for n in 0..50 {
        let body = format!(r#"{{"writeKey":"K","batch":[{},{}]}}"#, track(&format!("m{n}"), 10), "5");
        let mut stream = TcpStream::connect(gateway.address).unwrap();
        let head = format!("POST /v1/b HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
        // It goes away while the events are on their way to the disk.
        std::thread::sleep(Duration::from_micros(fastrand::u64(..1_500)));
        drop(stream);
    }
    let events = |outcome: &str| {
        gateway
            .metric(&format!("tracklane_gateway_events_total{{source=\"web\",outcome=\"{outcome}\"}}"))
            .unwrap_or(0.0)
    };
    wait_until("all requests were read", || {
        let (before, after) = (events("received"), events("received"));
        before > 0.0 && before == after
    });
    wait_until("what was received is accepted, rejected or refused", || {
        events("received") == events("accepted") + events("rejected") + events("refused")
    });
    assert_eq!(events("accepted"), events("rejected"), "one event of each request is good, and one is none");
}
