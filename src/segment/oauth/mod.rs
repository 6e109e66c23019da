//! OAuth 2.0 for Segment: a private key signs an assertion, the token server exchanges it for a token, and the token
//! authorizes uploads.
//!
//! [`settings`] is what the user writes. An [`assertion`] is signed with the [`private_key`]. [`server`] asks for one
//! [`token`], and [`refusal`] says what an answer without one means. [`tokens`] keeps the token and sees to it that
//! there is one. Tokens are kept in memory only, and asked for by the first upload.
//!
//! Invariant: one token request at a time, and an upload waits only if there is no valid token. Neither key, nor
//! assertion, nor token can be displayed.
//!
//! The flow is RFC 6749, section 4.4, with the client authentication of RFC 7523, section 2.2.

mod assertion;
mod private_key;
mod refusal;
mod server;
mod settings;
mod token;
mod tokens;

pub use refusal::TokenError;
pub use settings::OAuth;
pub(super) use tokens::Tokens;
