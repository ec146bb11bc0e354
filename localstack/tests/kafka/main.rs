//! What stands on a real broker: its own process, and the event source mapping. One broker is shared by all tests of the mapping.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

mod broker;
mod chosen;
mod given_up;
mod mapping;
mod support;
