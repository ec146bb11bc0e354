//! The cloud on one machine: runs a SAM template with Kafka, HTTP API and WebSocket API events.
//!
//! [`LocalCloud::start`] reads the template and starts everything; each part stands alone as well.

mod account;
mod clock;
mod cloud;
pub mod dynamodb;
mod endpoint;
mod error;
pub mod functions;
#[cfg(test)]
mod fuzz;
pub mod gateway;
pub mod invoke_api;
pub mod kafka;
pub mod lock;
pub mod mapping;
mod options;
pub mod pattern;
pub mod ports;
pub mod runtimes;
mod serving;
pub mod template;
pub mod websocket;

pub use cloud::{CloudStatus, LocalCloud};
pub use endpoint::{Endpoint, EndpointError};
pub use error::CloudError;
pub use options::{DYNAMODB_PLACEHOLDER, KAFKA_PLACEHOLDER, KafkaChoice, Options};
