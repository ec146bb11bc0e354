//! Of `freshet monitor`.

use clap::Args;

use super::KafkaArgs;
use super::values::since;
use crate::kafka::Since;

/// Of `freshet monitor`.
#[derive(Debug, Clone, Args)]
pub(crate) struct MonitorArgs {
    #[command(flatten)]
    pub(crate) kafka: KafkaArgs,
    /// API to read products' names from; with the local Kafka, the local one [default: names from what passes by]
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<String>,
    /// Name of the stack, which its consumer groups begin with.
    #[arg(long, default_value = "freshet", value_name = "NAME")]
    pub(crate) stack: String,
    /// Begin so long ago (30s, 5m, 2h, 1d), at a time (2026-11-25T08:00:00Z), or at the `beginning` of the topics [default: with
    /// what comes now]
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub(crate) from: Option<Since>,
    /// Only this person's lines; `shopper-*`: all whose name begins so.
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
    /// Lines instead of panes; also where stdout is no terminal.
    #[arg(long)]
    pub(crate) plain: bool,
    /// Times in UTC instead of the place's own.
    #[arg(long)]
    pub(crate) utc: bool,
    /// With --plain and --json, the figures every so many seconds, if they changed; 0: never.
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    pub(crate) figures: u64,
}
