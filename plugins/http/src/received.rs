//! A response that has been read.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tracklane::plugin::{Answer, Verdict};

use crate::{Secret, verdict};

/// Characters of a server's words that an error shows.
const MOST_WORDS: usize = 300;

/// A response: its head, and of its body as much as the cap allows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, cut off at the cap.
    pub body: Bytes,
    /// Set if the body reached the limit, so that it may be incomplete.
    pub is_cut: bool,
}

/// A server's refusal of a batch, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{endpoint} answered {status}{}{words}", if .words.is_empty() { "" } else { ": " })]
#[non_exhaustive]
pub struct Refused {
    /// The server, without the secret parts of its URL.
    pub endpoint: String,
    /// The status.
    pub status: StatusCode,
    /// The beginning of the body, without secrets and control characters.
    pub words: String,
}

impl Received {
    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not that, which it may only not be because it [was cut](Self::is_cut).
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Returns the verdict of [`verdict()`].
    #[must_use]
    pub fn verdict(&self, now: SystemTime) -> Verdict {
        verdict(self.status, &self.headers, now)
    }

    /// Returns the answer to a batch by [`verdict()`]; see [`answer_with`](Self::answer_with).
    #[must_use]
    pub fn answer<'a>(
        &self,
        endpoint: impl ToString,
        secrets: impl IntoIterator<Item = &'a Secret>,
        now: SystemTime,
    ) -> Answer {
        self.answer_with(self.verdict(now), endpoint, secrets)
    }

    /// Returns the answer with that verdict, with the status, and unless it is delivered with the server's own words. A
    /// server may repeat what it got. So `secrets`, such as those of the [`Endpoint`](crate::Endpoint::secrets), are
    /// removed from its words.
    #[must_use]
    pub fn answer_with<'a>(
        &self,
        verdict: Verdict,
        endpoint: impl ToString,
        secrets: impl IntoIterator<Item = &'a Secret>,
    ) -> Answer {
        let answer = Answer::new(verdict).with_status(self.status);
        if verdict == Verdict::Delivered {
            return answer;
        }
        let words = self.words(secrets);
        answer.with_error(Refused { endpoint: endpoint.to_string(), status: self.status, words })
    }

    /// The beginning of the body as text on one line, without `secrets`.
    #[must_use]
    pub fn words<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) -> String {
        let text = String::from_utf8_lossy(&self.body);
        // First the secrets, so that none is cut in two.
        let text = secrets.into_iter().fold(text.into_owned(), |text, secret| secret.hide_in(&text));
        let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let mut words = String::new();
        for word in line {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
            if words.chars().count() > MOST_WORDS {
                return words.chars().take(MOST_WORDS).chain(['…']).collect();
            }
        }
        words
    }
}
