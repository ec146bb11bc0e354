//! Of `freshet evaluate`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use freshet_engine::Strategy;
use freshet_evaluation::Order;

/// Of `freshet evaluate`.
#[derive(Debug, Clone, Args)]
pub(crate) struct EvaluateArgs {
    /// Events as CSV (.gz too): columns `item`, `user` or `session`, and optionally `ts` (seconds since the epoch), `type`,
    /// `split` (train, test) and `category`.
    #[arg(value_name = "FILE", required_unless_present = "print_config")]
    pub(crate) file: Option<PathBuf>,
    /// Products as CSV (.gz too): column `item`, and any attributes.
    #[arg(long, value_name = "FILE")]
    pub(crate) items: Option<PathBuf>,
    /// Who is asked when, and what is learned.
    #[arg(long, value_enum, default_value_t = Protocol::Prequential)]
    pub(crate) protocol: Protocol,
    /// The order of the events: as in the file, or by `ts` (rows without one are left out).
    #[arg(long, value_name = "ORDER", default_value = "file", value_parser = order())]
    pub(crate) order: Order,
    /// Ask only for products that the person never had to do with.
    #[arg(long)]
    pub(crate) new_only: bool,
    /// What lists are made from.
    #[arg(long, default_value = Strategy::Hybrid.as_str(), value_parser = strategy())]
    pub(crate) strategy: Strategy,
    /// Partitions of people: each learns a copy of the blend and goes on from the mean of all now and then, as the functions do.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) partitions: u32,
    /// Events until what an item learned of one is seen: how late `learn` is.
    #[arg(long, value_name = "EVENTS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(crate) late: u32,
    /// Settings of the engine as TOML: those named differ from the defaults, which `freshet evaluate --print-config` shows.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Judge the built-in published recommenders as well: a table, or with --json a key `peers`.
    #[arg(long)]
    pub(crate) compare: bool,
    /// At most so many events: the first ones in their order.
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// Print the engine's settings as a file for --config, and end: the defaults, or what --config makes of them.
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// `--protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// Every event is foretold, then learned.
    Prequential,
    /// The rows of train are learned; then it stands still, and those of test are foretold.
    Split,
}

pub(super) fn strategy() -> impl clap::builder::TypedValueParser<Value = Strategy> {
    PossibleValuesParser::new(Strategy::ALL.map(Strategy::as_str)).try_map(|name| name.parse::<Strategy>())
}

fn order() -> impl clap::builder::TypedValueParser<Value = Order> {
    PossibleValuesParser::new(["file", "ts"]).map(|name| if name == "ts" { Order::Time } else { Order::File })
}
