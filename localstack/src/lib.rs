//! The cloud on one machine: runs a SAM template with Kafka and HTTP API events.

pub mod functions;
pub mod template;
