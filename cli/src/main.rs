//! The `freshet` command: a local cloud (`up`, `mappings`), shoppers (`simulate`), a look at all of it (`monitor`), a judge of
//! the engine (`evaluate`, `replay`) and measurements (`bench`).

mod api_client;
mod args;
mod bench;
mod cloud;
mod engine_config;
mod evaluate;
mod judge;
mod kafka;
mod mappings;
mod monitor;
mod output;
mod replay;
mod simulate;
mod stop;
mod style;
mod up;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use args::{Cli, Command};

fn main() -> ExitCode {
    // Asked for while there is one thread: later the system can't be asked safely.
    let offset = time::UtcOffset::current_local_offset().unwrap_or(time::UtcOffset::UTC);
    style::before_parsing(std::env::args_os());
    let matches = Cli::command().color(style::clap_choice()).get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    style::apply(cli.color);
    // Both rustls providers may be linked; https takes ring, which is already here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let result = runtime.block_on(run(cli, offset));
    // A blocking call of a client library must not hold the exit up.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    match result {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

async fn run(cli: Cli, offset: time::UtcOffset) -> anyhow::Result<ExitCode> {
    let stop = stop::on_signals()?;
    match cli.command {
        Command::Up(args) => up::run(args, cli.json, stop).await,
        Command::Mappings(args) => mappings::run(&args, cli.json).await,
        Command::Simulate(args) => simulate::run(args, cli.json, stop).await,
        Command::Monitor(args) => monitor::run(args, cli.json, monitor::Clock(offset), stop).await,
        Command::Evaluate(args) => evaluate::run(args, cli.json, stop).await,
        Command::Replay(args) => replay::run(args, cli.json, stop).await,
        Command::IdleFunction => bench::idle::run().await.map(|()| ExitCode::SUCCESS),
        Command::Bench(args) => bench::run(args, cli.json, stop).await,
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    anstream::eprintln!("{}error:{} {error:#}", style::ERROR.render(), style::ERROR.render_reset());
    // 2: not now and not like this (wrong use, another one runs); 1: it failed.
    ExitCode::from(if error.is::<args::Usage>() { 2 } else { 1 })
}
