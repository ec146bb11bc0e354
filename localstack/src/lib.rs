//! The cloud on one machine: runs a SAM template with Kafka, HTTP API and WebSocket API events.
//!
//! [`LocalCloud::start`] reads the template and starts everything; each part stands alone as well.

mod cloud;
pub mod dynamodb;
pub mod functions;
pub mod gateway;
pub mod kafka;
pub mod mapping;
pub mod template;
pub mod websocket;

pub use cloud::{CloudError, CloudStatus, DYNAMODB_PLACEHOLDER, KAFKA_PLACEHOLDER, KafkaChoice, LocalCloud, Options};
