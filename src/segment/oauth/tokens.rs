//! The token that uploads share: kept, renewed in time, and requested by one at a time.
//!
//! Once half of its life is over, the first upload that sees it renews the token in the background. Meanwhile uploads
//! use the token that there is. Without a valid token all uploads wait for one request. It goes on as long as one of
//! them waits. Long waits (429, an outage) are the lane's, by the verdict.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use http::HeaderValue;

use super::TokenError;
use super::server::TokenServer;
use super::token::Token;
use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::plugin::{Timer, Verdict};

/// The time that renewing in the background may take.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after a failed renewal, unless the server states one.
const RENEWAL_PAUSE: Duration = Duration::from_secs(60);
/// The longest wait before the second quick retry. It doubles for each further one, up to the cap.
const BACKOFF: Duration = Duration::from_millis(100);
const BACKOFF_CAP: Duration = Duration::from_secs(5);

/// One token request, which any number of uploads wait for.
type TokenRequest = BoxFuture<'static, Result<HeaderValue, TokenError>>;

pub(in crate::segment) struct Tokens {
    server: TokenServer,
    max_retries: u32,
    /// The destination that reports failures of the background renewal.
    destination: Arc<str>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// The request under way, as long as an upload waits for it.
    fetch: Option<WeakShared<TokenRequest>>,
    /// The earliest time of the next background renewal.
    renew_after: Option<SystemTime>,
}

/// The next step of an upload that needs its header.
enum NextStep {
    Send(HeaderValue),
    Wait(Shared<TokenRequest>),
}

impl Tokens {
    pub(super) fn new(server: TokenServer, max_retries: u32, destination: &str) -> Self {
        Self { server, max_retries, destination: destination.into(), state: Mutex::default() }
    }

    /// Returns the `Authorization` header. Waits only if there is no valid token.
    pub(in crate::segment) async fn bearer(
        self: &Arc<Self>,
        timer: &Timer,
        emitter: &Emitter,
    ) -> Result<HeaderValue, TokenError> {
        match self.step(timer, emitter) {
            NextStep::Send(header) => Ok(header),
            NextStep::Wait(fetch) => fetch.await,
        }
    }

    /// Discards the refused token, unless there is a newer one already.
    pub(in crate::segment) fn discard(&self, refused: &HeaderValue) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|token| token.bearer() == refused) {
            state.token = None;
        }
    }

    fn step(self: &Arc<Self>, timer: &Timer, emitter: &Emitter) -> NextStep {
        let now = timer.now();
        let mut state = self.state();
        let Some(token) = state.token.as_ref().filter(|token| !token.has_expired(now)) else {
            return NextStep::Wait(self.fetch(&mut state, timer, emitter));
        };
        let (header, due) = (token.bearer().clone(), token.is_due(now));
        if due && state.may_renew(now) {
            self.renew(&mut state, timer, emitter);
        }
        NextStep::Send(header)
    }

    /// Returns the request under way, or a new one.
    fn fetch(self: &Arc<Self>, state: &mut State, timer: &Timer, emitter: &Emitter) -> Shared<TokenRequest> {
        if let Some(fetch) = state.fetch.as_ref().and_then(WeakShared::upgrade) {
            return fetch;
        }
        let (tokens, timer, emitter) = (self.clone(), timer.clone(), emitter.clone());
        let fetch = async move { tokens.run_fetch(&timer, &emitter).await }.boxed().shared();
        state.fetch = fetch.downgrade();
        fetch
    }

    async fn run_fetch(&self, timer: &Timer, emitter: &Emitter) -> Result<HeaderValue, TokenError> {
        let outcome = self.ask_until_answered(timer, emitter).await;
        let mut state = self.state();
        // From now on nobody joins. A later upload has the token, or asks anew.
        state.fetch = None;
        let token = outcome?;
        let header = token.bearer().clone();
        (state.token, state.renew_after) = (Some(token), None);
        Ok(header)
    }

    /// Asks for a token. Where it helps, repeats that at once, then after short waits.
    async fn ask_until_answered(&self, timer: &Timer, emitter: &Emitter) -> Result<Token, TokenError> {
        let mut retries = 0;
        loop {
            let error = match self.server.ask(timer, emitter, retries + 1).await {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            if error.verdict() != Verdict::Retry || retries == self.max_retries {
                return Err(error);
            }
            retries += 1;
            timer.sleep(backoff(retries, crate::random::fraction())).await;
        }
    }

    fn renew(self: &Arc<Self>, state: &mut State, timer: &Timer, emitter: &Emitter) {
        let fetch = self.fetch(state, timer, emitter);
        let (tokens, timer, emitter) = (self.clone(), timer.clone(), emitter.clone());
        let client = emitter.clone();
        client.spawn(async move {
            let outcome = tokio::select! {
                biased;
                outcome = fetch => outcome,
                () = timer.sleep(RENEWAL_TIMEOUT) => Err(TokenError::overdue(RENEWAL_TIMEOUT)),
            };
            if let Err(error) = outcome {
                tokens.postpone(timer.now(), error, &emitter);
            }
        });
    }

    /// The old token may still be valid for a while, so this is no failure yet.
    fn postpone(&self, now: SystemTime, error: TokenError, emitter: &Emitter) {
        let pause = match error.verdict() {
            Verdict::Pause(pause) => pause,
            _ => RENEWAL_PAUSE,
        };
        self.state().renew_after = Some(now + pause);
        let message = format!("the token could not be renewed, and is used on: {error}");
        let mut failure = Failure::of_destination(self.destination.clone(), message, 0);
        failure.error = Some(Arc::new(error));
        emitter.fail(failure);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_renew(&self, now: SystemTime) -> bool {
        let under_way = self.fetch.as_ref().and_then(WeakShared::upgrade).is_some();
        !under_way && self.renew_after.is_none_or(|after| now >= after)
    }
}

/// Returns how long to wait before quick retry number `retry`, from 1. The first comes at once. `random`: from 0 to 1.
fn backoff(retry: u32, random: f64) -> Duration {
    let Some(doublings) = retry.checked_sub(2) else { return Duration::ZERO };
    let longest = BACKOFF.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(BACKOFF_CAP);
    longest.mul_f64(random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::backoff;

    #[test]
    fn the_first_retry_comes_at_once_and_the_others_ever_later() {
        let longest: Vec<u128> = (1..=9).map(|retry| backoff(retry, 1.0).as_millis()).collect();
        assert_eq!(longest, [0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(backoff(u32::MAX, 1.0).as_secs(), 5);
        assert_eq!(backoff(5, 0.5).as_millis(), 400);
    }
}
