//! What stands on a real broker: its own process, and the event source mapping, one named test a fact of AWS's. One broker is
//! shared by all tests of the mapping.
//!
//! | file | what |
//! |---|---|
//! | `event` | the event that a function gets |
//! | `batches` | when a batch closes, and what is in it |
//! | `positions` | where a group begins and goes on |
//! | `answers` | what a function answers, and which records come again |
//! | `retries` | how often, in what company, after how long |
//! | `given_up` | records that end elsewhere |
//! | `filters` | records that are not delivered |
//! | `scaling` | how much runs at one time |
//! | `settings` | what the template may say (no broker) |
//! | `state` | enabled, disabled, lag, results |
//! | `outages` | ends of the mapping and of the broker |
//! | `killed` | kill -9 in mid-batch |
//! | `broker` | the broker's process |
//! | `table` | README.md and the tests name the same |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

mod answers;
mod batches;
mod broker;
mod event;
mod filters;
mod given_up;
mod killed;
mod outages;
mod positions;
mod retries;
mod scaling;
mod settings;
mod state;
mod support;
mod table;
