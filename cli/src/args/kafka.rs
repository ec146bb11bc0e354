//! Of all commands that read a Kafka.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{host_port, name_value};

/// Which Kafka, and how it is reached.
#[derive(Debug, Clone, Args)]
pub(crate) struct KafkaArgs {
    /// The brokers; by default those of the `freshet up` that runs on --data-dir.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_port)]
    pub(crate) kafka: Option<String>,
    /// Data folder of the `freshet up` whose events are read.
    #[arg(long, default_value = crate::up::DATA_DIR, value_name = "FOLDER", conflicts_with = "kafka")]
    pub(crate) data_dir: PathBuf,
    /// How the brokers are reached; msk-iam takes AWS_REGION and the credentials of the AWS_ variables.
    #[arg(long, value_enum, default_value_t = KafkaSecurity::Plaintext, value_name = "HOW")]
    pub(crate) security: KafkaSecurity,
    /// A setting of librdkafka on top, such as ssl.ca.location=ca.pem or sasl.username=me.
    #[arg(long = "kafka-option", value_name = "NAME=VALUE", value_parser = name_value)]
    pub(crate) kafka_options: Vec<(String, String)>,
}

/// `--security`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KafkaSecurity {
    /// Neither encrypted nor authenticated.
    Plaintext,
    /// TLS.
    Tls,
    /// TLS and Amazon MSK's IAM access control.
    MskIam,
}
