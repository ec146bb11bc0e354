//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::monitor::Since;
use crate::style::Color;

/// Live recommendations: the cloud on this machine, shoppers for it, and measurements of it.
#[derive(Debug, Parser)]
#[command(
    name = "freshet",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = "Example:\n  freshet up                      # serve, until Ctrl-C\n  \
    freshet simulate --events 500   # in another terminal\n  \
    freshet monitor                 # in a third one")]
pub(crate) struct Cli {
    /// Print results as JSON on stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Colours: auto (a terminal, unless NO_COLOR is set), always, never.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the cloud on this machine: Kafka, DynamoDB, the functions and the API of template.yaml.
    #[command(after_help = "Examples:\n  freshet up\n  freshet up --memory --port 0\n  \
        freshet up --kafka 127.0.0.1:9092 --param RecommendBatchSize=500")]
    Up(UpArgs),
    /// Send shoppers: invented ones who have tastes, the sessions of a data set, or yourself.
    #[command(after_help = "Examples:\n  freshet simulate --users 50 --events 2000 --rate 100\n  \
        freshet simulate --users 1000 --interval 0.1     # a thousand shoppers, ten events a second\n  \
        freshet simulate --interactive                   # be a shopper: user, event, product\n  \
        freshet simulate --profile black-friday          # 10,000 at once\n  \
        freshet simulate --from sessions.csv.gz --limit 20000 --to-kafka 127.0.0.1:9092")]
    Simulate(SimulateArgs),
    /// Watch: events and the lists they cause, rates, latency, precision, lag, dead letters; of any Kafka.
    #[command(
        after_help = "Examples:\n  freshet monitor                                  # what `freshet up` runs in this folder\n  \
        freshet monitor --user neo --plain | tee neo.log\n  \
        freshet monitor --json | jq 'select(.kind == \"deadLetter\")'\n  \
        freshet monitor --kafka broker:9098 --security msk-iam --stack shop --from 5m\n\n\
        Keys: q quit · p pause · / filter by user · Esc clear · arrows scroll · Tab panes · ? help"
    )]
    Monitor(MonitorArgs),
    /// Measure: latency, throughput, cold starts.
    Bench(BenchArgs),
}

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

    /// The port of the website; 0: any free one.
    pub(crate) fn website_port(&self) -> u16 {
        self.site_port.unwrap_or(self.port.saturating_sub(1))
    }
}

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

/// Of `freshet monitor`.
#[derive(Debug, Clone, Args)]
pub(crate) struct MonitorArgs {
    /// The brokers; by default those of the `freshet up` that runs on --data-dir.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_port)]
    pub(crate) kafka: Option<String>,
    /// Data folder of the `freshet up` to watch.
    #[arg(long, default_value = crate::up::DATA_DIR, value_name = "FOLDER", conflicts_with = "kafka")]
    pub(crate) data_dir: PathBuf,
    /// How the brokers are reached; msk-iam takes AWS_REGION and the credentials of the AWS_ variables.
    #[arg(long, value_enum, default_value_t = KafkaSecurity::Plaintext, value_name = "HOW")]
    pub(crate) security: KafkaSecurity,
    /// A setting of librdkafka on top, such as ssl.ca.location=ca.pem or sasl.username=me.
    #[arg(long = "kafka-option", value_name = "NAME=VALUE", value_parser = name_value)]
    pub(crate) kafka_options: Vec<(String, String)>,
    /// API to read products' names from; with the local Kafka, the local one [default: names from what passes by]
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<String>,
    /// Name of the stack, which its consumer groups begin with.
    #[arg(long, default_value = "freshet", value_name = "NAME")]
    pub(crate) stack: String,
    /// Begin so long ago (30s, 5m, 2h, 1d), or at the `beginning` of the topics [default: with what comes now]
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

/// Of `freshet bench`.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Example:\n  freshet bench latency")]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) what: Bench,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// From an event accepted to the changed list readable, one event at a time.
    #[command(after_help = "Example:\n  freshet bench latency --events 300 --json")]
    Latency(LatencyArgs),
    /// Events a second through Kafka, recommend and DynamoDB, beside a bare loop with one write per event.
    #[command(after_help = "Example:\n  freshet bench throughput --from sessions.csv.gz --events 200000")]
    Throughput(ThroughputArgs),
    /// Lists to open sockets: from the event's request to the shopper's message.
    #[command(after_help = "Example:\n  freshet bench push --sockets 1000 --rate 200")]
    Push(PushArgs),
    /// From a function's process start to its first request for work, and its first answer.
    #[command(name = "cold-start", after_help = "Example:\n  freshet bench cold-start --runs 20")]
    ColdStart(ColdStartArgs),
}

/// Of `freshet bench latency`.
#[derive(Debug, Clone, Args)]
pub(crate) struct LatencyArgs {
    /// Events to measure.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) events: u32,
    /// Measure a system that runs, instead of one started for it in memory.
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<String>,
    /// The template of the system that is started.
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    pub(crate) template: PathBuf,
    #[command(flatten)]
    pub(crate) binaries: Binaries,
}

/// Of `freshet bench throughput`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ThroughputArgs {
    /// Events to measure.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(100..=50_000_000))]
    pub(crate) events: u64,
    /// Sessions to play, as `freshet simulate --from` reads them; invented ones of a similar shape if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Sessions that go on at the same time; 1 keeps the order of the file, where data sets list whole sessions.
    #[arg(long, default_value_t = 1_000, value_name = "SESSIONS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) interleave: u32,
    /// Events of the bare loop.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub(crate) baseline_events: u64,
    /// Keep DynamoDB on disk instead of in memory.
    #[arg(long)]
    pub(crate) disk: bool,
    /// Set a parameter of the template.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = name_value)]
    pub(crate) parameters: Vec<(String, String)>,
    /// The template to run.
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    pub(crate) template: PathBuf,
    #[command(flatten)]
    pub(crate) binaries: Binaries,
}

/// Of `freshet bench push`.
#[derive(Debug, Clone, Args)]
pub(crate) struct PushArgs {
    /// Open sockets, each of another shopper.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) sockets: u32,
    /// Events, and so lists, a second.
    #[arg(long, default_value_t = 200.0, value_name = "PER_SECOND", value_parser = rate, allow_negative_numbers = true)]
    pub(crate) rate: f64,
    /// How long.
    #[arg(long, default_value_t = 15.0, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: f64,
    /// The template of the system that is started.
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    pub(crate) template: PathBuf,
    #[command(flatten)]
    pub(crate) binaries: Binaries,
}

/// Of `freshet bench cold-start`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ColdStartArgs {
    /// Starts of each function.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) runs: u32,
    /// The template that names the functions.
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    pub(crate) template: PathBuf,
    #[command(flatten)]
    pub(crate) binaries: Binaries,
}

/// It can't be done like this: exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

fn host_port(text: &str) -> Result<String, String> {
    let well_formed = |one: &str| {
        one.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0))
    };
    if text.split(',').all(well_formed) {
        Ok(text.to_owned())
    } else {
        Err("expected HOST:PORT, such as 127.0.0.1:9092".to_owned())
    }
}

fn name_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as RecommendBatchSize=500".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let expected = "expected seconds from 0 to 3600, such as 0.5";
    text.parse().ok().filter(|s| (0.0..=3600.0).contains(s)).ok_or_else(|| expected.to_owned())
}

fn since(text: &str) -> Result<Since, String> {
    let expected = || "expected a time such as 30s, 5m, 2h or 1d, or `beginning`".to_owned();
    if text == "beginning" {
        return Ok(Since::Beginning);
    }
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => return Err(expected()),
    };
    let count: u32 = text[..text.len() - 1].parse().map_err(|_| expected())?;
    Ok(Since::Ago(Duration::from_secs(u64::from(count) * unit)))
}

fn rate(text: &str) -> Result<f64, String> {
    let expected = "expected events a second from 0.001 to 1000000, such as 200";
    text.parse().ok().filter(|rate| (0.001..=1_000_000.0).contains(rate)).ok_or_else(|| expected.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent_and_every_command_shows_an_example() {
        let mut command = Cli::command();
        command.clone().debug_assert();
        command.build();
        let mut open: Vec<clap::Command> = vec![command];
        while let Some(mut command) = open.pop() {
            open.extend(command.get_subcommands().filter(|sub| sub.get_name() != "help").cloned());
            let help = command.render_help().to_string();
            assert!(help.contains("Example"), "{}", command.get_name());
            assert!(help.contains("--json"), "{}", command.get_name());
        }
    }

    #[test]
    fn wrong_values_say_what_was_expected() {
        for (args, expected) in [
            (["simulate", "--to-kafka", "nowhere"], "HOST:PORT"),
            (["simulate", "--interval", "-1"], "expected seconds"),
            (["simulate", "--rate", "NaN"], "events a second"),
            (["up", "--param", "A"], "NAME=VALUE"),
            (["monitor", "--from", "5 minutes"], "`beginning`"),
            (["monitor", "--from", "é"], "`beginning`"),
        ] {
            let error = Cli::try_parse_from(["freshet"].into_iter().chain(args)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
