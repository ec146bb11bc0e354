//! Of `freshet replay`.

use std::path::PathBuf;

use clap::Args;
use freshet_engine::Strategy;

use super::KafkaArgs;
use super::evaluate::strategy;
use super::values::{since, until};
use crate::kafka::Since;

/// Of `freshet replay`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReplayArgs {
    /// Begin so long ago (30m, 1h, 2d), at a time (2026-11-25T08:00:00Z), or at the `beginning` of the topic. What was before
    /// is known to neither.
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub(crate) from: Since,
    /// End before this time, said in the same way [default: with the last event there is at the start]
    #[arg(long, value_name = "WHEN", value_parser = until)]
    pub(crate) until: Option<Since>,
    /// The candidate's settings as TOML: those named differ from the live ones, which `freshet evaluate --print-config` shows.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// What lists are made from.
    #[arg(long, default_value = Strategy::Hybrid.as_str(), value_parser = strategy())]
    pub(crate) strategy: Strategy,
    /// Ask only for products that the person never had to do with.
    #[arg(long)]
    pub(crate) new_only: bool,
    #[command(flatten)]
    pub(crate) kafka: KafkaArgs,
    /// API to read the catalogue from; with the local Kafka, the local one [default: what events say of their products]
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<String>,
}
