//! Of `freshet up`, and of whoever starts a system.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{host_port, name_value};

/// Of `freshet up`.
#[derive(Debug, Clone, Args)]
pub(crate) struct UpArgs {
    /// The SAM template to run.
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    pub(crate) template: PathBuf,
    /// Where everything is kept [default: .freshet, or with --memory a temporary folder]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Keep nothing: DynamoDB in memory, Kafka's log in a temporary folder unless --data-dir names one.
    #[arg(long)]
    pub(crate) memory: bool,
    /// Port of the HTTP API on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 3001)]
    pub(crate) port: u16,
    /// Port of the WebSocket API on 127.0.0.1 [default: the one after the API's]
    #[arg(long, value_name = "PORT")]
    pub(crate) ws_port: Option<u16>,
    /// Port of Lambda's Invoke API on 127.0.0.1 [default: the one after the WebSocket API's]
    #[arg(long, value_name = "PORT")]
    pub(crate) invoke_port: Option<u16>,
    /// How the functions are run: as processes, or by `cargo lambda watch`, which builds a function again when it is saved.
    #[arg(long, value_enum, default_value_t = FunctionsBy::Processes, value_name = "HOW")]
    pub(crate) functions: FunctionsBy,
    /// Folder of the built website [default: website/dist beside the template, where it was built]
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_site")]
    pub(crate) site: Option<PathBuf>,
    /// Port of the website on 127.0.0.1 [default: the one before the API's]
    #[arg(long, value_name = "PORT", conflicts_with = "no_site")]
    pub(crate) site_port: Option<u16>,
    /// Serve no website.
    #[arg(long)]
    pub(crate) no_site: bool,
    /// Use this Kafka instead of starting one.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_port, conflicts_with = "kafka_port")]
    pub(crate) kafka: Option<String>,
    /// Port of the Kafka that is started; 0 takes any free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) kafka_port: u16,
    /// Use this LocalStack, or another server like it, for queues, secrets and AWS's other services but DynamoDB.
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL")]
    pub(crate) localstack: Option<String>,
    /// Start Redpanda and LocalStack with Docker, use them instead of an own Kafka, and stop them at the end.
    #[arg(long, conflicts_with_all = ["kafka", "kafka_port"])]
    pub(crate) compose: bool,
    /// Set a parameter of the template.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = name_value)]
    pub(crate) parameters: Vec<(String, String)>,
    /// Do not load the sample catalogue.
    #[arg(long)]
    pub(crate) no_sample: bool,
    /// Forget everything that was kept, then start.
    #[arg(long)]
    pub(crate) reset: bool,
    /// Show all logs of the functions and of the local cloud, not warnings and errors alone.
    #[arg(long, short)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) binaries: Binaries,
}

/// `--functions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FunctionsBy {
    /// The programs that are built already.
    Processes,
    /// `cargo lambda watch`, from the template's workspace.
    CargoLambda,
}

/// Of `freshet mappings`.
#[derive(Debug, Clone, Args)]
pub(crate) struct MappingsArgs {
    /// Data folder of the `freshet up` that runs them.
    #[arg(long, default_value = crate::up::DATA_DIR, value_name = "FOLDER")]
    pub(crate) data_dir: PathBuf,
    /// Switch a mapping on, by its id as it is shown.
    #[arg(long, value_name = "ID", conflicts_with = "disable")]
    pub(crate) enable: Option<String>,
    /// Switch a mapping off: the batches in flight are answered, nothing more is read.
    #[arg(long, value_name = "ID")]
    pub(crate) disable: Option<String>,
}

impl MappingsArgs {
    /// Which mapping is to be switched, and to what.
    pub(crate) fn switched(&self) -> Option<(&str, bool)> {
        let on = self.enable.as_deref().map(|id| (id, true));
        on.or_else(|| self.disable.as_deref().map(|id| (id, false)))
    }
}

/// Where programs are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Binaries {
    /// Folder with the functions' binaries; by default the one that `freshet` is in.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) binaries: Option<PathBuf>,
    /// Folder with Apache Kafka's jars, filled by Maven at the first start; by default in the user's cache.
    #[arg(long, value_name = "FOLDER", env = "FRESHET_KAFKA_JARS")]
    pub(crate) kafka_jars: Option<PathBuf>,
}

impl UpArgs {
    /// The port of the WebSocket API; 0: any free one.
    pub(crate) fn websocket_port(&self) -> u16 {
        let next = if self.port == 0 { 0 } else { self.port.saturating_add(1) };
        self.ws_port.unwrap_or(next)
    }

    /// The port of the Invoke API; 0: any free one.
    pub(crate) fn invoke_port(&self) -> u16 {
        let next = if self.websocket_port() == 0 { 0 } else { self.websocket_port().saturating_add(1) };
        self.invoke_port.unwrap_or(next)
    }

    /// The port of the website; 0: any free one.
    pub(crate) fn website_port(&self) -> u16 {
        self.site_port.unwrap_or(self.port.saturating_sub(1))
    }
}
