//! Apache Kafka on this machine: one node in KRaft mode, without Docker.
//!
//! [`install`] fetches the jars by Maven, [`Broker`] starts, watches and stops the process, [`topics`] creates what is missing.

mod archive;
mod broker;
mod error;
mod install;
mod java;
mod node;
pub mod topics;

pub use broker::{Broker, BrokerOptions};
pub use error::KafkaError;
pub use install::install;
pub use topics::TopicSpec;

/// The broker's version, as in `kafka/pom.xml`.
pub const KAFKA_VERSION: &str = "4.4.0";
