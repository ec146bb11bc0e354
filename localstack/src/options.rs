//! What to run, and where.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::functions::{FunctionsChoice, LogSink};
use crate::kafka::TopicSpec;
use crate::mapping::PartialFailures;

/// Stands for the brokers in a parameter's value: `host:port`, known only once they run.
pub const KAFKA_PLACEHOLDER: &str = "{kafka}";
/// Stands for DynamoDB's endpoint in a parameter's value.
pub const DYNAMODB_PLACEHOLDER: &str = "{dynamodb}";

/// Where Kafka comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KafkaChoice {
    /// Ours, on this port of 127.0.0.1 (0: any free one, kept for the next start).
    Managed {
        /// The port.
        port: u16,
    },
    /// One that runs already: `host:port`, comma-joined.
    External(String),
}

/// What to run, and where.
#[derive(Clone)]
pub struct Options {
    /// The SAM template.
    pub template: PathBuf,
    /// Values of its parameters; [`KAFKA_PLACEHOLDER`] and [`DYNAMODB_PLACEHOLDER`] are filled in.
    pub parameters: BTreeMap<String, String>,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// Everything that is kept: Kafka's log, DynamoDB's file, the lock.
    pub data_dir: PathBuf,
    /// DynamoDB in memory.
    pub memory: bool,
    /// Folder of the functions' binaries.
    pub binaries: PathBuf,
    /// Port of the HTTP API on 127.0.0.1; 0: any free one.
    pub http_port: u16,
    /// Port of the WebSocket API on 127.0.0.1; 0: any free one.
    pub websocket_port: u16,
    /// Port of Lambda's Invoke API on 127.0.0.1; 0: any free one.
    pub invoke_port: u16,
    /// How the functions are run.
    pub functions: FunctionsChoice,
    /// Kafka.
    pub kafka: KafkaChoice,
    /// The broker's jars; fetched by Maven where they are missing.
    pub kafka_jars: PathBuf,
    /// Python environments, unpacked code and what starts functions of managed runtimes; made where they are missing.
    pub runtimes: PathBuf,
    /// Topics to create where they are missing.
    pub topics: Vec<TopicSpec>,
    /// Partitions of topics that a mapping names, that are not among `topics`, and that our own Kafka has not: they are created.
    pub partitions: u32,
    /// DynamoDB elsewhere, instead of the embedded one.
    pub dynamodb_endpoint: Option<String>,
    /// `http://host:port` of AWS's other services, such as LocalStack's; `None`: there are none.
    pub services_endpoint: Option<String>,
    /// Added to every function's environment.
    pub function_environment: BTreeMap<String, String>,
    /// How partial failures are read.
    pub partial_failures: PartialFailures,
    /// Mappings read; off: they stay idle, whatever the template says.
    pub mappings: bool,
    /// Takes the functions' output; `None`: tracing.
    pub log_sink: Option<LogSink>,
    /// Is told what takes its time.
    pub progress: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Options {
    /// The defaults for `template`, with everything kept in `data_dir`.
    pub fn new(template: PathBuf, data_dir: PathBuf, binaries: PathBuf, kafka_jars: PathBuf) -> Self {
        Self {
            template,
            parameters: BTreeMap::new(),
            stack_name: "freshet".to_owned(),
            data_dir,
            memory: false,
            binaries,
            http_port: 3001,
            websocket_port: 3002,
            invoke_port: 3003,
            functions: FunctionsChoice::default(),
            kafka: KafkaChoice::Managed { port: 0 },
            runtimes: kafka_jars.with_file_name("runtimes"),
            kafka_jars,
            topics: Vec::new(),
            partitions: 4,
            dynamodb_endpoint: None,
            services_endpoint: None,
            function_environment: BTreeMap::new(),
            partial_failures: PartialFailures::default(),
            mappings: true,
            log_sink: None,
            progress: Arc::new(|_| {}),
        }
    }
}
