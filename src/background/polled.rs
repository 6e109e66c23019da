//! Tells code that tokio polls from code that may block.

use std::task::{Context, Poll, Waker};

use tokio::task::coop::poll_proceed;

/// Returns whether tokio polls the calling code. Tokio gives what it polls a budget of operations, after which the code has
/// to yield. The work of its threads for blocking work has none, nor has code in `block_in_place`.
pub(super) fn is_polled() -> bool {
    let mut context = Context::from_waker(Waker::noop());
    // Restores the budget when it is dropped.
    let Poll::Ready(_before) = poll_proceed(&mut context) else { return true };
    // A budget is a number of eight bits.
    (0..=u8::MAX).any(|_| match poll_proceed(&mut context) {
        Poll::Ready(step) => {
            step.made_progress();
            false
        }
        Poll::Pending => true,
    })
}

#[cfg(test)]
mod tests {
    use tokio::runtime::{Builder, Runtime};
    use tokio::task::coop::has_budget_remaining;

    use super::is_polled;

    fn runtimes() -> [Runtime; 2] {
        [Builder::new_multi_thread().worker_threads(1).build().unwrap(), Builder::new_current_thread().build().unwrap()]
    }

    #[test]
    fn what_a_runtime_polls_is_told_from_what_may_block() {
        assert!(!is_polled(), "a thread without a runtime");
        for runtime in runtimes() {
            let _entered = runtime.enter();
            assert!(!is_polled(), "a thread that only names a runtime");
            runtime.block_on(async {
                assert!(is_polled(), "block_on");
                assert!(tokio::spawn(async { is_polled() }).await.unwrap(), "a task");
                assert!(!tokio::task::spawn_blocking(is_polled).await.unwrap(), "a blocking thread");
            });
        }
        let [many, _] = runtimes();
        let in_place = many.block_on(async { tokio::spawn(async { tokio::task::block_in_place(is_polled) }).await });
        assert!(!in_place.unwrap(), "block_in_place");
    }

    #[test]
    fn the_budget_is_what_it_was_before() {
        for runtime in runtimes() {
            runtime.block_on(async {
                for _ in 0..1_000 {
                    assert!(is_polled() && has_budget_remaining());
                }
            });
        }
    }
}
