//! The command line: one file a command.

mod bench;
mod evaluate;
mod kafka;
mod monitor;
mod replay;
mod simulate;
mod up;
mod values;

use clap::{Parser, Subcommand};

use crate::style::Color;

pub(crate) use bench::{
    Bench, BenchArgs, ColdStartArgs, DistributedArgs, GatewayArgs, GrowthArgs, LatencyArgs, MappingArgs, PushArgs,
    SessionsArgs, ThroughputArgs,
};
pub(crate) use evaluate::{EvaluateArgs, Protocol};
pub(crate) use kafka::{KafkaArgs, KafkaSecurity};
pub(crate) use monitor::MonitorArgs;
pub(crate) use replay::ReplayArgs;
pub(crate) use simulate::{Profile, SimulateArgs};
pub(crate) use up::{Binaries, FunctionsBy, MappingsArgs, UpArgs};

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
        freshet up --functions cargo-lambda       # save a function, and the next event runs it\n  \
        freshet up --kafka 127.0.0.1:9092 --param RecommendBatchSize=500")]
    Up(UpArgs),
    /// The Kafka event source mappings of the system that runs: state, lag, what was delivered, filtered, given up.
    #[command(after_help = "Examples:\n  freshet mappings\n  \
        freshet mappings --disable Recommend/UserEvents\n  \
        freshet mappings --json | jq '.mappings[] | {id, lag}'")]
    Mappings(MappingsArgs),
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
    /// Judge: how well the engine foretells what people do next, on a data set, beside published recommenders.
    #[command(after_help = "Examples:\n  freshet evaluate sessions.csv.gz --limit 100000\n  \
        freshet evaluate clicks.csv.gz --items items.csv.gz --compare\n  \
        freshet evaluate --print-config > mine.toml   # then change a line, and\n  \
        freshet evaluate sessions.csv.gz --config mine.toml --json | tail -1 | jq .hr20\n\n\
        Every event is first foretold, then learned: a hit is a list of 20 that holds what came next.")]
    Evaluate(EvaluateArgs),
    /// Judge a change on what happened: the live engine and a candidate on the events that Kafka holds. Writes nothing.
    #[command(after_help = "Examples:\n  freshet evaluate --print-config > mine.toml   # then change a line, and\n  \
        freshet replay --from 1h --config mine.toml\n  \
        freshet replay --from beginning --config mine.toml --json | tail -1 | jq .difference\n  \
        freshet replay --from 2026-11-25T08:00:00Z --until 30m --config mine.toml --kafka broker:9098 --security msk-iam\n\n\
        Both begin with nothing, meet the very same events in the order of their times, and foretell each before they learn it.")]
    Replay(ReplayArgs),
    /// Measure: latency, throughput, cold starts.
    Bench(BenchArgs),
    /// The function that a measurement runs.
    #[command(hide = true, after_help = "Example: the bootstrap of a function of `freshet bench mapping`")]
    IdleFunction,
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
            (["monitor", "--from", "2026-11-25"], "2026-11-25T08:00:00Z"),
            (["monitor", "--from", "1900-01-01T00:00:00Z"], "`beginning`"),
            (["replay", "--until", "beginning"], "30s, 5m, 2h or 1d"),
        ] {
            let error = Cli::try_parse_from(["freshet"].into_iter().chain(args)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
