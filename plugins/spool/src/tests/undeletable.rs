//! A file that is done with and cannot be deleted.

use super::*;

#[test]
fn a_file_that_cannot_be_deleted_counts_and_is_not_sent_again() {
    let (directory, sink, said) = (Directory::new("undeletable"), Sink::default(), Said::default());
    sink.up.store(true, Ordering::Release);
    let stays = Arc::new(AtomicBool::new(true));
    let it_stays = stays.clone();
    let spool =
        Spool::new(&directory.0).flush_at(1).adopt_every(Duration::from_millis(5)).fault(Arc::new(move |path| {
            let stays =
                path.extension().is_some_and(|extension| extension == "deleted") && it_stays.load(Ordering::Acquire);
            if stays { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
        }));
    let analytics = said.by(settings(&spool, sink.destination())).build().unwrap();
    acknowledged(deliver(&analytics, 0..1));
    wait_until("it is sent and said", || sink.ids() == ids(0..1) && !said.messages().is_empty());
    acknowledged(deliver(&analytics, 1..2));
    wait_until("so is the next", || sink.ids() == ids(0..2) && said.messages().len() == 2);
    let stats = spool.stats();
    assert_eq!((stats.files, stats.bytes, stats.delivered), (2, 2 * 4_096, 2), "they are still there: {stats:?}");
    assert!(said.messages()[0].contains("cannot be taken away: permission denied"), "{:?}", said.messages());

    stays.store(false, Ordering::Release);
    wait_until("they are deleted", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((sink.ids(), spool.stats().bytes, said.messages().len()), (ids(0..2), 0, 2), "each once");
}
