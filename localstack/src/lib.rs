//! The cloud on one machine: runs a SAM template with Kafka and HTTP API events.

pub mod dynamodb;
pub mod functions;
pub mod kafka;
pub mod mapping;
pub mod template;
