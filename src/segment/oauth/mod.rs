//! OAuth 2.0 for Segment. A private key signs an assertion, the token server exchanges it for a token, and the token
//! authorizes uploads.
//!
//! [`settings`] has the settings of the user. The [`private_key`] signs an [`assertion`]. [`server`] asks for one
//! [`token`], and [`refusal`] is the error when there is none. [`tokens`] keeps the token and renews it. Tokens are
//! kept in memory only. The first upload asks for one.
//!
//! Invariant: there is one token request at a time, and an upload waits only if there is no valid token. Key, assertion
//! and token cannot be displayed.
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
