//! What a tracking plan lets pass, and what it says about the rest.

mod formats;
mod policies;
mod random;
mod referee;
