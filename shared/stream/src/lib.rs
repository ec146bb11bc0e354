//! Freshet's side of Kafka: what comes in through an event source mapping, and what goes out.
//!
//! | module | what |
//! |---|---|
//! | [`batch`] | the payload of an event source mapping, as AWS sends it |
//! | [`response`] | the partial-failure answer: a partition stops at its first failure |
//! | [`dead`] | a record that can never be processed |
//! | [`groups`] | consumer groups, their state and lag |
//! | [`msk_iam`] | tokens for Amazon MSK |
//! | [`producer`] | the producer: in order, acknowledged by all, never a gap |
//! | [`tail`] | the last records of topics, for people who look |
//! | [`security`] | plaintext, or TLS with MSK IAM |

pub mod batch;
pub mod dead;
pub mod error;
pub mod groups;
pub mod msk_iam;
pub mod producer;
pub mod response;
pub mod security;
pub mod tail;

pub use batch::{Batch, Partition, Record};
pub use dead::dead_letter;
pub use error::StreamError;
pub use producer::{Message, Producer, ProducerOptions};
pub use response::BatchResponse;
pub use security::Security;

/// The number that stands for a topic generation in watermarks: FNV-1a of its name, so that it is the same everywhere.
pub fn generation_number(topic_generation: &str) -> u32 {
    topic_generation.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
