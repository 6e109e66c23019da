//! Tests of the intake with its real parts.

mod lengths;
mod wake_ups;
