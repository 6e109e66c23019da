//! Faults of the whole process: signals, kills, forks, limits, memory.
//!
//! Each needs a process of its own. A child runs this binary again, with one of the ignored tests below. Its server is
//! in the parent.

// Memory, threads and sockets of a process come from `/proc`.
#![cfg(target_os = "linux")]

#[path = "it/support/example.rs"]
mod example;

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use example::example;
use fork::Fork;
use tower::{Service, ServiceExt};
use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, DropReason, Event, Track};

const SOON: Duration = Duration::from_secs(20);
const HOST: &str = "TRACKLANE_HOST";

/// A child that runs the ignored test `role`, and its output.
struct Role {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Role {
    fn start(role: &str, api: &TrackingApi, environment: &[(&str, &str)]) -> Role {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args(["--exact", &format!("child::{role}"), "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(HOST, api.url()).envs(environment.iter().copied());
        Role::of(&mut command)
    }

    fn of(command: &mut Command) -> Role {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Role { child, lines }
    }

    /// Waits for a line that begins with `start`, and returns the rest of it.
    #[track_caller]
    fn line(&mut self, start: &str) -> String {
        let lines = self.lines.by_ref().map_while(Result::ok);
        let mut seen = Vec::new();
        for line in lines {
            if let Some((_, rest)) = line.split_once(start) {
                return rest.to_owned();
            }
            seen.push(line);
        }
        panic!("the child ended without {start:?}: {seen:#?}");
    }

    /// Waits for the end, at most for a bound.
    #[track_caller]
    fn end(mut self) -> ExitStatus {
        let give_up = Instant::now() + SOON;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            if Instant::now() >= give_up {
                self.child.kill().expect("it is our child");
                panic!("the child does not end");
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn ids(api: &TrackingApi) -> HashSet<String> {
    api.delivered_ids().into_iter().collect()
}

#[test]
fn sigterm_with_a_graceful_close_loses_nothing() {
    let api = TrackingApi::start().expect("a free port");
    let mut command = example("graceful_shutdown");
    let mut role = Role::of(command.arg(api.url()));
    role.line("ready: 100 events are waiting");
    assert_eq!(api.request_count(), 0, "they wait for the close");
    let terminated = Command::new("kill").args(["-TERM", &role.child.id().to_string()]).status();
    assert!(terminated.expect("kill is there").success());
    assert_eq!(role.line("100 delivered"), ", 0 failed");
    assert!(role.end().success(), "the exit code is the service's own");
    assert_eq!(ids(&api).len(), 100);
}

#[test]
fn a_service_whose_events_are_refused_says_why_and_ends_with_failure() {
    let api = TrackingApi::start().expect("a free port");
    api.set_default(tracklane::testing::Reply::status(400));
    let mut command = example("graceful_shutdown");
    let mut role = Role::of(command.arg(api.url()));
    role.line("ready: 100 events are waiting");
    let terminated = Command::new("kill").args(["-TERM", &role.child.id().to_string()]).status();
    assert!(terminated.expect("kill is there").success());
    assert_eq!(role.line("0 delivered"), ", 100 failed");
    assert!(!role.end().success());
}

#[test]
fn kill_9_without_a_spool_loses_no_more_than_what_was_under_way() {
    let api = TrackingApi::start().expect("a free port");
    for round in 0..5 {
        let mut role = Role::start("sends_until_killed", &api, &[]);
        api.wait_for_requests(1 + round, SOON);
        role.child.kill().expect("it is our child");
        let accepted = role.lines.by_ref().map_while(Result::ok);
        let accepted: HashSet<String> =
            accepted.filter_map(|line| line.strip_prefix("accepted ").map(str::to_owned)).collect();
        // Requests of the previous child may arrive only now.
        let mine = format!("{}-", role.child.id());
        assert!(!role.end().success());
        let arrived: HashSet<String> = ids(&api).into_iter().filter(|id| id.starts_with(&mine)).collect();
        // A line may be missing for the event that was being sent when the process died.
        assert!(arrived.difference(&accepted).count() <= 1, "nothing arrives that was not sent");
        assert!(accepted.len() - arrived.len().min(accepted.len()) <= 100, "at most the queue is lost");
        api.clear();
    }
}

#[test]
fn a_forked_child_neither_hangs_nor_sends_twice() {
    let api = TrackingApi::start().expect("a free port");
    let mut role = Role::start("forks", &api, &[]);
    assert_eq!(role.line("forked child ended with "), "0");
    assert_eq!(role.line("parent delivered "), "10");
    assert!(role.end().success());
    let delivered = api.delivered_ids();
    assert_eq!((delivered.len(), ids(&api).len()), (10, 10), "the parent's queue is sent once");
}

#[test]
fn parent_and_child_make_other_ids_on_every_way() {
    let api = TrackingApi::start().expect("a free port");
    let mut role = Role::start("makes_ids_on_both_sides_of_a_fork", &api, &[]);
    let (child, parent) = (role.line("child made "), role.line("parent made "));
    assert!(role.end().success());
    let ids = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (parent, child) = (ids(&parent), ids(&child));
    assert_eq!((parent.len(), child.len()), (80, 80));
    let all: HashSet<&String> = parent.iter().chain(&child).collect();
    assert_eq!(all.len(), 160, "no id is made twice");
}

#[test]
fn a_thread_that_cannot_be_started_is_an_error_of_build() {
    let api = TrackingApi::start().expect("a free port");
    // No address space has room for such a stack.
    let mut role = Role::start("cannot_start_threads", &api, &[("RUST_MIN_STACK", "100000000000000")]);
    let error = role.line("build: ");
    assert!(error.contains("the background thread cannot be started"), "{error}");
    assert!(role.end().success());
}

#[test]
fn a_million_events_against_a_hung_server_stay_within_bounds() {
    let api = TrackingApi::start().expect("a free port");
    api.count_only();
    api.set_default(Reply::hang());
    let mut role = Role::start("sends_a_million", &api, &[]);
    let growth: u64 = role.line("grew by kB ").parse().expect("a number");
    let (accepted, refused) = (role.line("accepted "), role.line("refused "));
    let [accepted, refused]: [u64; 2] = [accepted, refused].map(|count| count.parse().expect("a number"));
    let lines: usize = role.line("log lines of the episode ").parse().expect("a number");
    assert!(role.end().success());
    assert_eq!(accepted + refused, 1_000_000, "every call is counted");
    assert!(growth <= 25 * 1024, "with a bound of 10 MiB the process grew by {growth} kB");
    assert_eq!(lines, 1, "one line for the episode");
    assert!(api.max_in_flight() <= 8);
}

#[test]
fn a_client_in_a_static_drains_by_flush() {
    let api = TrackingApi::start().expect("a free port");
    let mut role = Role::start("holds_its_client_in_a_static", &api, &[]);
    role.line("flushed");
    assert!(role.end().success(), "a client that is never dropped does not keep the process from ending");
    assert_eq!(ids(&api).len(), 5);
}

#[test]
fn a_client_that_is_dropped_leaves_no_thread_behind() {
    let api = TrackingApi::start().expect("a free port");
    let mut role = Role::start("builds_and_drops_clients", &api, &[]);
    role.line("no thread is left");
    assert!(role.end().success());
}

#[test]
fn an_idle_client_wakes_nobody() {
    let api = TrackingApi::start().expect("a free port");
    let mut role = Role::start("idles", &api, &[]);
    role.line("nobody was woken");
    assert!(role.end().success());
}

/// The work of the children. Never run alone: without a parent there is no server.
mod child {
    use std::io::Write;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, OnceLock};

    use super::*;

    fn host() -> String {
        std::env::var(HOST).expect("a parent starts this")
    }

    fn track(number: usize) -> Track {
        Track::new("Child").user_id("u1").message_id(format!("{}-{number}", std::process::id()))
    }

    #[test]
    #[ignore = "a child of kill_9_without_a_spool_loses_no_more_than_what_was_under_way"]
    fn sends_until_killed() {
        let analytics = Analytics::builder()
            .segment(Segment::new("key").host(host()).flush_at(10))
            .max_queue_size(100)
            .build()
            .expect("valid");
        println!();
        for number in 0.. {
            let event = track(number);
            if analytics.track(event).is_ok() {
                println!("accepted {}-{number}", std::process::id());
            }
        }
    }

    #[test]
    #[ignore = "a child of a_forked_child_neither_hangs_nor_sends_twice"]
    fn forks() {
        let settings =
            Analytics::builder().segment(Segment::new("key").host(host()).flush_at(100).flush_interval(SOON));
        let analytics = settings.build().expect("valid");
        (0..8).for_each(|number| analytics.track(track(number)).expect("accepted"));
        std::io::stdout().flush().expect("a pipe");
        let receipts = [
            analytics.send_with_receipt(track(8)).expect("accepted"),
            analytics.send_with_receipt(track(9)).expect("accepted"),
        ];
        match fork::fork().expect("a fork") {
            Fork::Child => forked_child(analytics, receipts),
            Fork::Parent(child) => {
                let status = fork::waitpid(child).expect("it ends");
                println!("\nforked child ended with {status}");
                println!("parent delivered {}", analytics.close_blocking(SOON).delivered);
            }
        }
    }

    /// Uses the parent's client: no call waits or panics. The exit status names the failed check.
    fn forked_child(analytics: Analytics, [one, other]: [tracklane::Receipt; 2]) {
        let start = Instant::now();
        let closed = |end: tracklane::Settlement| end.outcome == tracklane::Outcome::Dropped(DropReason::Closed);
        let told = one.wait_timeout(SOON / 4).is_ok_and(closed) && closed(pollster::block_on(other));
        // Some are taken before the fork is noticed.
        let refused = (0..200).position(|call| analytics.track(track(call)).is_err_and(|error| error.is_forked()));
        let pending = 10 + refused.unwrap_or(200) as u64;
        let flushed = analytics.flush_blocking(SOON);
        let closed = analytics.close_blocking(SOON);
        let asynchronous = pollster::block_on(analytics.flush(SOON));
        // A call that would wait for another thread is refused at once.
        let plugin = tracklane::plugin::enrichment_fn("e", |_: &mut tracklane::Event| ());
        let registered = pollster::block_on(analytics.register(plugin));
        let deregistered = pollster::block_on(analytics.deregister("Segment.io"));
        let refused_all = matches!(registered, Err(tracklane::RegisterError::Forked))
            && matches!(deregistered, Err(tracklane::RegisterError::Forked))
            && analytics.send_with_receipt(track(0)).is_err_and(|error| error.is_forked())
            && pollster::block_on(analytics.send_when_ready(track(0))).is_err_and(|error| error.is_forked())
            && pollster::block_on(tower::ServiceExt::oneshot(analytics.pipeline(), track(0).into())).is_err();
        drop(analytics);
        let quick = start.elapsed() < Duration::from_secs(2);
        let honest = [flushed.pending, closed.pending, asynchronous.pending] == [pending; 3];
        std::process::exit(match (quick, honest, refused) {
            _ if !refused_all => 6,
            _ if !told => 7,
            (true, true, Some(_)) => 0,
            (false, ..) => 3,
            (true, false, _) => 4,
            (true, true, None) => 5,
        });
    }

    /// Forty ids that this thread makes: by calls, from JSON, and by a pipeline that is driven by hand.
    fn makes_ids() -> Vec<String> {
        let recording = tracklane::testing::RecordingDestination::new("recording");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let settings = Analytics::builder().plugin(recording.destination()).runtime(runtime.handle().clone());
        let analytics = settings.build().expect("valid");
        let track = || Track::new("Child").user_id("u1");
        runtime.block_on(async {
            for _ in 0..10 {
                analytics.track(track()).expect("accepted");
                let json = r#"{"type":"track","event":"x","userId":"u"}"#;
                analytics.send(serde_json::from_str::<Event>(json).expect("an event")).expect("accepted");
                let mut pipeline = analytics.pipeline();
                for event in [Event::from(track()), track().into()] {
                    pipeline.ready().await.expect("ready").call(event).await.expect("passed");
                }
            }
            analytics.close(SOON).await;
        });
        recording.events().iter().map(|event| event.message_id().into_owned()).collect()
    }

    #[test]
    #[ignore = "a child of parent_and_child_make_other_ids_on_every_way"]
    fn makes_ids_on_both_sides_of_a_fork() {
        // The thread's state for ids exists before the fork.
        let mut made = makes_ids();
        std::io::stdout().flush().expect("a pipe");
        match fork::fork().expect("a fork") {
            Fork::Child => {
                let (first, second) = (makes_ids(), makes_ids());
                println!("\nchild made {}", [first, second].concat().join(" "));
                std::io::stdout().flush().expect("a pipe");
                std::process::exit(0);
            }
            Fork::Parent(child) => {
                made.extend(makes_ids());
                fork::waitpid(child).expect("it ends");
                println!("\nparent made {}", made.join(" "));
            }
        }
    }

    #[test]
    #[ignore = "a child of a_thread_that_cannot_be_started_is_an_error_of_build"]
    fn cannot_start_threads() {
        let error = Analytics::builder().segment(Segment::new("key").host(host())).build().expect_err("no thread");
        println!("\nbuild: {error}");
    }

    /// Counts the lines that are logged at `WARN` and above.
    struct CountLines(Arc<AtomicUsize>);

    impl Write for CountLines {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            let lines = line.iter().filter(|byte| **byte == b'\n').count();
            self.0.fetch_add(lines, Ordering::SeqCst);
            Ok(line.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn resident_kb() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has a size");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    #[test]
    #[ignore = "a child of a_million_events_against_a_hung_server_stay_within_bounds"]
    fn sends_a_million() {
        let lines = Arc::new(AtomicUsize::new(0));
        let counter = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN);
        let subscriber = subscriber.with_writer(move || CountLines(counter.clone())).finish();
        tracing::subscriber::set_global_default(subscriber).expect("the only one");
        let segment = Segment::new("key").host(host()).http_request_timeout(30 * SOON);
        let settings = Analytics::builder().segment(segment).max_queue_size(1_000_000);
        let analytics = settings.max_queue_bytes(10 * 1024 * 1024).build().expect("valid");
        // The first event opens connections and wakes threads, which the measurement leaves out.
        analytics.track(track(0)).expect("accepted");
        analytics.flush_blocking(Duration::from_millis(300));
        let before = resident_kb();
        let mut most = before;
        let event = Track::new("Child").user_id("u1").property("text", "x".repeat(300));
        for number in 1..1_000_000 {
            let _ = analytics.track(event.clone());
            if number % 10_000 == 0 {
                most = most.max(resident_kb());
            }
        }
        let stats = analytics.stats();
        println!("\ngrew by kB {}", most - before);
        println!("accepted {}", stats.accepted);
        println!("refused {}", stats.refused);
        assert_eq!(stats.dropped.total(), stats.dropped.get(DropReason::Closed));
        println!("log lines of the episode {}", lines.load(Ordering::SeqCst));
        analytics.close_blocking(Duration::from_millis(50));
    }

    /// The threads of clients, as `/proc` has them: their folders.
    fn threads_of_clients() -> Vec<std::path::PathBuf> {
        let threads = std::fs::read_dir("/proc/self/task").expect("this is Linux").flatten().map(|task| task.path());
        let name = |thread: &std::path::PathBuf| std::fs::read_to_string(thread.join("comm")).unwrap_or_default();
        threads.filter(|thread| name(thread).starts_with("tracklane")).collect()
    }

    /// A thread gives itself its name, so it may take a moment until it is seen.
    #[track_caller]
    fn wait_for_threads(expected: usize, which: &str) {
        let give_up = Instant::now() + SOON;
        while threads_of_clients().len() != expected {
            assert!(Instant::now() < give_up, "{which}: {} threads", threads_of_clients().len());
            thread::yield_now();
        }
    }

    #[test]
    #[ignore = "a child of a_client_that_is_dropped_leaves_no_thread_behind"]
    fn builds_and_drops_clients() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let settings = || Analytics::builder().segment(Segment::new("key").host(host()));
        let of_its_own = settings().build().expect("valid");
        wait_for_threads(2, "its own and the watchdog's");
        let of_the_host = [(); 2].map(|()| settings().runtime(runtime.handle().clone()).build().expect("valid"));
        wait_for_threads(4, "on the host's runtime, the watchdog's");
        for client in of_the_host.iter().chain([&of_its_own]) {
            client.track(track(0)).expect("accepted");
            assert!(client.flush_blocking(SOON).is_complete());
        }
        drop((of_its_own, of_the_host));
        wait_for_threads(0, "they end with their clients");
        println!("\nno thread is left");
    }

    /// Returns how often the threads of clients slept and woke.
    fn wakes() -> u64 {
        let status = |thread: std::path::PathBuf| std::fs::read_to_string(thread.join("status")).unwrap_or_default();
        let count = |status: String| {
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).map(str::trim);
            line.map_or(0, |count| count.parse::<u64>().expect("a number"))
        };
        threads_of_clients().into_iter().map(status).map(count).sum()
    }

    #[test]
    #[ignore = "a child of an_idle_client_wakes_nobody"]
    fn idles() {
        let analytics = Analytics::builder().segment(Segment::new("key").host(host())).build().expect("valid");
        analytics.track(track(0)).expect("accepted");
        assert!(analytics.flush_blocking(SOON).is_complete());
        let give_up = Instant::now() + SOON;
        loop {
            // Longer than anybody sleeps who looks by itself.
            let before = wakes();
            thread::sleep(Duration::from_millis(1_500));
            if wakes() == before {
                break;
            }
            assert!(Instant::now() < give_up, "somebody is still woken");
        }
        println!("\nnobody was woken");
        drop(analytics);
    }

    #[test]
    #[ignore = "a child of a_client_in_a_static_drains_by_flush"]
    fn holds_its_client_in_a_static() {
        static CLIENT: OnceLock<Analytics> = OnceLock::new();
        let client = CLIENT
            .get_or_init(|| Analytics::builder().segment(Segment::new("key").host(host())).build().expect("valid"));
        // Like a serverless function: between two invocations it needs only a flush at the end of each.
        (0..5).for_each(|number| {
            client.track(track(number)).expect("accepted");
            assert!(client.flush_blocking(SOON).is_complete());
        });
        println!("\nflushed");
    }
}
