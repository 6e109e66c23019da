//! The oracle: clients that note every id after its 200, and now and then break off in the middle of a body, and what has
//! arrived. Whatever happened in between, every id that was noted has arrived, each user's events in their order.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::SOON;

/// Where the gateway is now, if it is anywhere.
#[derive(Clone, Default)]
pub(crate) struct Address(Arc<Mutex<Option<SocketAddr>>>);

impl Address {
    pub(crate) fn set(&self, address: Option<SocketAddr>) {
        *self.0.lock().unwrap() = address;
    }

    fn get(&self) -> Option<SocketAddr> {
        *self.0.lock().unwrap()
    }
}

/// Clients that send until they are told to end.
pub(crate) struct Clients {
    done: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<Noted>>,
}

/// What the clients were told.
#[derive(Default)]
pub(crate) struct Noted {
    /// Ids that were answered with 200.
    pub(crate) ids: Vec<String>,
    /// How often each status came.
    pub(crate) statuses: BTreeMap<u16, u64>,
}

impl Clients {
    /// So many users, each of whom sends one request after the other, and the same again until it is answered with 200.
    pub(crate) fn start(users: u32, address: &Address) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let client = |user: u32| {
            let (done, address) = (Arc::clone(&done), address.clone());
            thread::spawn(move || client(user, &address, &done))
        };
        Self { threads: (0..users).map(client).collect(), done }
    }

    /// Each ends after the request that it is at, which goes on until it has its 200.
    pub(crate) fn end(self) -> Noted {
        self.done.store(true, Ordering::Release);
        let mut all = Noted::default();
        for thread in self.threads {
            let noted = thread.join().unwrap();
            all.ids.extend(noted.ids);
            for (status, count) in noted.statuses {
                *all.statuses.entry(status).or_default() += count;
            }
        }
        all
    }
}

fn client(user: u32, address: &Address, done: &AtomicBool) -> Noted {
    let mut noted = Noted::default();
    let mut next = 0_u64;
    let mut connection = None;
    while !done.load(Ordering::Acquire) {
        let count = fastrand::u64(1..4);
        let ids: Vec<String> = (next..next + count).map(|n| format!("{user}-{n}")).collect();
        let event = |id: &String| json!({ "type": "track", "event": "E", "userId": format!("u{user}"), "messageId": id, "properties": { "id": id } });
        let body = json!({ "batch": ids.iter().map(event).collect::<Vec<_>>(), "writeKey": "K" }).to_string();
        let deadline = Instant::now() + 4 * SOON;
        loop {
            assert!(Instant::now() < deadline, "user {user} has no 200: {:?}", noted.statuses);
            if fastrand::u8(..20) == 0 {
                break_off(address, body.as_bytes());
            }
            match exchange(&mut connection, address, body.as_bytes()) {
                Some(200) => break *noted.statuses.entry(200).or_default() += 1,
                Some(status) => *noted.statuses.entry(status).or_default() += 1,
                None => connection = None,
            }
            thread::sleep(Duration::from_millis(2));
        }
        noted.ids.extend(ids);
        next += count;
        thread::sleep(Duration::from_micros(fastrand::u64(..3_000)));
    }
    noted
}

/// Sends a part of a request, and ends the connection there.
fn break_off(address: &Address, body: &[u8]) {
    let Some(mut stream) = address.get().and_then(|address| TcpStream::connect(address).ok()) else { return };
    let head = format!("POST /v1/b HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(&[head.as_bytes(), &body[..fastrand::usize(..body.len())]].concat());
}

/// Sends a request and reads the status; `None` if the connection did not hold.
fn exchange(connection: &mut Option<TcpStream>, address: &Address, body: &[u8]) -> Option<u16> {
    if connection.is_none() {
        let stream = TcpStream::connect(address.get()?).ok()?;
        stream.set_read_timeout(Some(SOON)).ok()?;
        *connection = Some(stream);
    }
    let stream = connection.as_mut()?;
    let head = format!("POST /v1/b HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).ok()?;
    let (mut answer, mut part) = (Vec::new(), [0; 4_096]);
    loop {
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        answer.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())?;
        if body.len() >= length {
            let status = head.split(' ').nth(1)?.parse().ok();
            if head.contains("connection: close") {
                *connection = None;
            }
            return status;
        }
    }
}

/// What there is to say about what arrived.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) acknowledged: usize,
    pub(crate) arrived: usize,
    /// Events that arrived again.
    pub(crate) duplicates: usize,
    /// Of these, the ones that a client sent again because it had no answer. The gateway had taken both.
    pub(crate) taken_twice: usize,
}

/// The most events that a kill may repeat, of all that arrive meanwhile in a run that is long enough to tell.
const MOST_REPEATED: f64 = 0.001;
/// In a run of any length: what the clients have under way, and a batch of each destination that may have had it.
pub(crate) const UNDER_WAY: u32 = 32;
/// The same where a kill may come while what has waited for long goes out: what the spool has under way then.
pub(crate) const UNDER_WAY_OF_BACKLOG: u32 = 5_000;

impl Report {
    /// Holds what one kill repeats against its bounds. The share of it falls with the length of a run, so that of a
    /// short one says nothing.
    pub(crate) fn check_repeated_by_one_of(&self, kills: u32, under_way: u32, is_long: bool) {
        let text = self.repeated_by_one_of(kills);
        assert!(self.duplicates as f64 <= f64::from(under_way) * f64::from(kills), "{text}");
        let share = self.duplicates as f64 / f64::from(kills.max(1)) / self.arrived.max(1) as f64;
        assert!(!is_long || share <= MOST_REPEATED, "{text}");
    }

    /// What one kill repeats, as a text.
    pub(crate) fn repeated_by_one_of(&self, kills: u32) -> String {
        let each = |count: usize| count as f64 / f64::from(kills.max(1));
        let share = 100.0 * each(self.duplicates) / self.arrived.max(1) as f64;
        let (taken, sent) = (each(self.taken_twice), each(self.duplicates - self.taken_twice));
        format!("each repeats {share:.3} % of the events: {taken:.2} were taken twice, and {sent:.2} sent twice")
    }
}

/// Holds what was noted against what arrived, in the order in which it did.
pub(crate) fn account(noted: &Noted, arrived: &[Value]) -> Report {
    let mut first: HashMap<&str, u64> = HashMap::new();
    // With the time at which the gateway took the event: the clients say none.
    let (mut seen, mut duplicates, mut taken_twice) = (HashMap::new(), 0, 0);
    for event in arrived {
        let id = event["messageId"].as_str().unwrap();
        assert_eq!(event["properties"]["id"], id, "the contents are those of the id");
        if let Some(taken) = seen.get(id) {
            duplicates += 1;
            taken_twice += usize::from(*taken != &event["timestamp"]);
            continue;
        }
        seen.insert(id, &event["timestamp"]);
        let (user, n) = id.split_once('-').unwrap();
        let n: u64 = n.parse().unwrap();
        let next = first.entry(user).or_insert(0);
        let missing = format!("{user}-{next}");
        let comes = || if arrived.iter().any(|event| event["messageId"] == missing) { "later" } else { "never" };
        assert_eq!(n, *next, "the events of user {user} arrive first in their order, and {missing} comes {}", comes());
        *next += 1;
    }
    let lost: Vec<_> = noted.ids.iter().filter(|id| !seen.contains_key(id.as_str())).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged events are lost: {lost:?}", lost.len(), noted.ids.len());
    Report { acknowledged: noted.ids.len(), arrived: seen.len(), duplicates, taken_twice }
}
