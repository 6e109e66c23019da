//! What is accepted in front of the spool is not refused behind it: a check that is made twice agrees with itself.

use serde_json::json;
use serde_json::value::RawValue;
use tracklane::event::{Context, MAX_EVENT_BYTES};
use tracklane::{Event, Track};
use tracklane_spool::Spool;

use crate::support::{Directory, SOON, Sink, acknowledged, settings};

/// Sends events through a spool that writes them to the disk; each must be with the destination in the end.
fn all_arrive(what: &str, context: Context, events: Vec<Event>) {
    let directory = Directory::new();
    let (spool, sink) = (Spool::new(directory.spool()), Sink::up());
    let analytics = settings(&spool, &sink).context(context).max_queue_size(100_000).build().unwrap();
    let accepted: Vec<_> = events.into_iter().filter_map(|event| analytics.send_with_receipt(event).ok()).collect();
    let count = accepted.len();
    assert!(count > 0, "{what}: nothing is accepted");
    acknowledged(accepted);
    assert!(analytics.close_blocking(SOON).is_complete());
    let stats = spool.stats();
    assert_eq!((stats.spooled as usize, stats.refused), (count, 0), "{what}: {stats:?}");
    assert_eq!(sink.ids().len(), count, "{what}");
}

/// The event with as much text beside the value as brings it to the limit, and to some bytes below and above.
macro_rules! around_the_limit {
    ($value:expr) => {{
        let value = $value;
        let event = |pad: usize| {
            Event::from(Track::new("T").user_id("u").property("v", &value).property("pad", "x".repeat(pad)))
        };
        let bare = serde_json::to_vec(&event(0)).unwrap().len();
        // What the client adds has some bytes more, and at most so many.
        (MAX_EVENT_BYTES - bare - 260..=MAX_EVENT_BYTES - bare - 100).map(event).collect::<Vec<_>>()
    }};
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

#[test]
fn an_event_at_the_limit_is_not_too_large_behind_the_spool() {
    let many = |text: &str| raw(&format!("[{}]", vec![text; 200].join(",")));
    all_arrive("numbers as text", Context::new(), around_the_limit!(many("1E9")));
    all_arrive("numbers as long text", Context::new(), around_the_limit!(many("1.50e+10")));
    all_arrive("numbers of single precision", Context::new(), around_the_limit!(vec![1e14_f32; 200]));
    all_arrive("small numbers of single precision", Context::new(), around_the_limit!(vec![1.5e-5_f32; 200]));
    all_arrive("numbers of double precision", Context::new(), around_the_limit!([1e16, 1e15, 1e-5, -0.0, 5e-324]));
    all_arrive("escapes", Context::new(), around_the_limit!("\u{7f}\u{1}\"\\/\u{2028}\u{10ffff}\u{8}\u{c}"));
    all_arrive(
        "escapes as text",
        Context::new(),
        around_the_limit!(raw(r#"["\/\u0041\u00e9\ud83d\ude00", {"\u0061":1 , "a" : 2}]"#)),
    );
    let library = json!({"library": {"name": "mine", "more": [1e9_f32]}, "app": {"name": "n"}});
    all_arrive("a default context", Context::from(library), around_the_limit!(1));
}
