//! The vocabulary of the Segment Spec: a setter for every key that the Spec gives a meaning.
//!
//! Invariant: a setter takes the section and returns it, cannot fail, writes the key in the Spec's spelling, and writes
//! `false`, `0` and `""` like any other value. Set other keys with `with` or `with_all`. Nothing here decides which
//! keys an event must have.

mod address;
pub mod b2b;
mod company;
pub mod context;
pub mod ecommerce;
mod product;
mod properties;
mod setters;
#[cfg(test)]
mod tests;
mod traits;

pub use address::Address;
pub use company::Company;
pub use product::Product;
