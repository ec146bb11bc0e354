//! One typed event per happening that both logs and counts.
//!
//! A function calls [`Event::emit`]; it becomes a `tracing` line, and in the cloud also a CloudWatch metric through the
//! embedded metric format (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).

mod emf;
mod event;

pub use event::Event;

use tracing_subscriber::EnvFilter;

/// How a function logs.
#[derive(Debug, Clone)]
pub struct Options {
    /// A `tracing` filter such as `info` or `freshet_store=debug` (`RUST_LOG`).
    pub filter: String,
    /// Count through CloudWatch's embedded metric format on stdout (in the cloud).
    pub emf: bool,
}

/// Starts logging: JSON lines on stderr, as CloudWatch Logs reads them. Later calls change nothing.
pub fn init(options: &Options) {
    emf::enable(options.emf);
    let filter = EnvFilter::try_new(&options.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        // CloudWatch stamps the lines itself.
        .without_time()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}

impl Options {
    /// Reads a function's environment: `RUST_LOG` (default `info`) and `METRICS_EMF` (`off` locally).
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            filter: get("RUST_LOG").unwrap_or_else(|| "info".to_owned()),
            emf: get("METRICS_EMF").is_none_or(|value| value != "off"),
        }
    }
}
