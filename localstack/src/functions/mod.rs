//! Runs functions as processes under the Lambda Runtime API.

pub mod invocation;

pub use invocation::{Invoke, Outcome};
