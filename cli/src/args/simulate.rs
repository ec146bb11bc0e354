//! Of `freshet simulate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{host_port, rate, seconds};

/// Of `freshet simulate`.
#[derive(Debug, Clone, Args)]
pub(crate) struct SimulateArgs {
    /// The API.
    #[arg(long, default_value = "http://127.0.0.1:3001/api", value_name = "URL")]
    pub(crate) api: String,
    /// Be one shopper by hand: asks for user, event and product, and shows the answer and the new list. Reads pipes too.
    #[arg(long, conflicts_with_all = ["users", "events", "interval", "rate", "profile", "from", "to_kafka"])]
    pub(crate) interactive: bool,
    /// Invented shoppers; every one of them comes at least once, if there are events enough [default: 100, or of the profile]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with = "from")]
    pub(crate) users: Option<u32>,
    /// Their events [default: 1000, or one a shopper if there are more of them, or of the profile]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "from")]
    pub(crate) events: Option<u64>,
    /// How they come.
    #[arg(long, value_enum, default_value_t = Profile::Steady, conflicts_with = "from")]
    pub(crate) profile: Profile,
    /// Seconds between two events; of black-friday: between two rushes [default: 0; of black-friday: 5]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true, conflicts_with = "rate")]
    pub(crate) interval: Option<f64>,
    /// Events a second; as fast as it goes if not given.
    #[arg(long, value_name = "PER_SECOND", value_parser = rate, allow_negative_numbers = true)]
    pub(crate) rate: Option<f64>,
    /// Same seed, same shoppers, same event ids: a person's latest events are not counted again. Random if not given.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Play the sessions of a CSV file (.gz too) with columns `user` or `session`, `item`, and optionally `type`:
    /// pv, view, fav (a view), cart, buy, purchase. Other columns are ignored.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// At most so many rows of the file.
    #[arg(long, value_name = "ROWS", requires = "from")]
    pub(crate) limit: Option<u64>,
    /// Write straight into the topic user-events instead of through the API.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_port)]
    pub(crate) to_kafka: Option<String>,
    /// Requests in flight; the events of one shopper stay in order [default: 32; of black-friday: 512]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) concurrency: Option<u16>,
}

/// `--profile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// One after the other, at --interval or --rate.
    Steady,
    /// 10,000 who are all there when the doors open, come back in rushes, and buy more.
    BlackFriday,
}
