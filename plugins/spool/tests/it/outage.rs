//! The destination is down for a while.

use std::fs::File;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tracing_subscriber::fmt::MakeWriter;
use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, signal};
use tracklane_spool::Spool;

use crate::support::{Directory, SOON, Sink, acknowledged, event, leave_behind, settings, wait_until};

/// If each file counted, twenty of them would make the next attempt wait for a minute.
#[test]
fn an_outage_counts_once_however_many_files_it_meets() {
    let directory = Directory::new();
    let ids: Vec<String> = (10..30).map(|n| format!("m{n}")).collect();
    leave_behind(&directory, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let (spool, sink) = (Spool::new(directory.spool()), Sink::default());
    let analytics = settings(&spool, &sink).build().unwrap();
    wait_until("each file has failed", || sink.attempts.load(Ordering::Acquire) >= ids.len());
    sink.up.store(true, Ordering::Release);
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ids);
}

/// A client in front of Segment as it is by default, which tries for hours.
fn client(spool: &Spool, api: &TrackingApi) -> Analytics {
    let segment = Segment::new("k").host(api.url()).flush_interval(Duration::from_millis(10)).build().unwrap();
    Analytics::builder().plugin(spool.in_front_of(segment)).build().unwrap()
}

#[test]
fn a_close_does_not_wait_for_a_destination_that_fails_and_calls_nothing_lost_that_is_on_the_disk() {
    let (directory, api, log) = (Directory::new(), TrackingApi::start().unwrap(), Log::capture());
    api.set_default(Reply::status(503));
    let spool = Spool::new(directory.spool());
    let analytics = client(&spool, &api);
    acknowledged((0..3).map(|n| analytics.send_with_receipt(event(&format!("m{n}"))).unwrap()).collect());
    wait_until("the destination was tried", || api.request_count() > 0);
    let begun = Instant::now();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    assert_eq!((spool.stats().events, spool.stats().delivered), (3, 0));

    let stay = log.lines().into_iter().find(|line| line.contains(&format!("{:?}", directory.spool())));
    let stay = stay.expect("what stays is said");
    assert!(stay.contains("INFO") && stay.contains("events=3") && stay.contains("the next start sends them"), "{stay}");
    let lost: Vec<_> = log.lines().into_iter().filter(|line| line.contains("closed before")).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// A subscriber at `ERROR` shows losses, and nothing else.
#[test]
fn an_outage_behind_the_spool_is_no_loss_in_the_log_or_in_a_failure_and_what_is_too_old_is_one() {
    let (directory, log, failures) = (Directory::new(), Log::capture(), Arc::new(Mutex::new(Vec::new())));
    let (spool, sink, heard) = (Spool::new(directory.spool()).flush_at(1), Sink::default(), failures.clone());
    let settings = |spool: &Spool| Analytics::builder().plugin(spool.in_front_of(sink.named("logged")));
    let analytics = settings(&spool)
        .on(signal::Error, move |failure| heard.lock().unwrap().push((failure.is_loss(), failure.retried)))
        .build()
        .unwrap();
    acknowledged(vec![analytics.send_with_receipt(event("m1")).unwrap()]);
    wait_until("it failed, without a further retry", || !failures.lock().unwrap().is_empty());
    wait_until("it failed again", || sink.attempts.load(Ordering::Acquire) >= 2);
    assert!(analytics.close_blocking(SOON).is_complete());
    let failures = failures.lock().unwrap();
    assert!(failures.iter().all(|failure| *failure == (false, true)), "{failures:?}");
    let at = |level: &str| -> Vec<String> {
        // Other tests of this process have destinations of other names.
        log.lines().into_iter().filter(|line| line.contains(level) && line.contains("logged")).collect()
    };
    assert_eq!(at("ERROR"), Vec::<String>::new());
    let kept: Vec<_> = at("WARN").into_iter().filter(|line| line.contains("the spool keeps")).collect();
    assert!(!kept.is_empty(), "the outage is said: {:?}", log.lines());

    let batch = File::options().write(true).open(&directory.batches()[0]).unwrap();
    batch.set_modified(SystemTime::now() - Duration::from_secs(8 * 24 * 60 * 60)).unwrap();
    let analytics = settings(&Spool::new(directory.spool())).build().unwrap();
    wait_until("the loss is said", || at("ERROR").iter().any(|line| line.contains("expired")));
    analytics.close_blocking(SOON);
}

/// What every client in this process logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn capture() -> Self {
        static LOG: LazyLock<Log> = LazyLock::new(|| {
            let log = Log::default();
            let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_ansi(false);
            let subscriber = subscriber.with_writer(log.clone()).finish();
            tracing::subscriber::set_global_default(subscriber).expect("nobody else listens in this process");
            log
        });
        LOG.clone()
    }

    fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.0.lock().unwrap()).lines().map(str::to_owned).collect()
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
