//! What the HTTP gateway costs: requests over connections, beside direct invocations of the same function in the same run.

mod load;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use freshet_localstack::functions::{Invoke, Supervisor, SupervisorOptions};
use freshet_localstack::gateway::Gateway;
use freshet_localstack::template::{self, Settings};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use load::{Caller, Load};

use crate::args::GatewayArgs;
use crate::output::{self, Percentiles, Times};
use crate::style::{BOLD, WARN, paint};

/// The function by its logical id.
const FUNCTION: &str = "Trivial";
/// Turns of each kind: what disturbs the machine disturbs both.
const TURNS: u32 = 5;
/// Before the first that counts: processes start, connections open.
const WARM_UP: Duration = Duration::from_millis(500);

/// The result.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Result {
    connections: u32,
    concurrency: u32,
    /// Requests a second of the paced turns.
    rate: f64,
    /// Paced, through the gateway.
    gateway: Percentiles,
    /// Paced, the same function without it.
    direct: Percentiles,
    /// Gateway's median less the direct one.
    overhead_p50_ms: f64,
    overhead_p99_ms: f64,
    /// As fast as the connections can, through the gateway.
    gateway_per_second: f64,
    /// As fast as as many callers can, without it.
    direct_per_second: f64,
    interrupted: bool,
}

/// Runs the command.
///
/// # Errors
/// The function or the gateway does not start, or a request is not answered with 200.
pub(super) async fn run(args: GatewayArgs, json: bool, stop: &CancellationToken) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        anstream::eprintln!("{}", paint(WARN, "an unoptimised build: `make build` makes the one to measure"));
    }
    let folder = tempfile::tempdir()?;
    write_bootstrap(folder.path())?;
    let stack = template::parse(&template(), folder.path(), &Settings::default())?;
    let functions = stack.functions.values().cloned().collect();
    // Not reserved: callers wait for a place instead of being throttled.
    let options = SupervisorOptions {
        functions,
        default_concurrency: args.concurrency,
        wait: Duration::from_mins(1),
        ..SupervisorOptions::default()
    };
    let supervisor = Arc::new(Supervisor::start(options)?);
    let api = stack.http_apis.into_values().next().context("the template has an HTTP API")?;
    let gateway = Gateway::start(api, 0, Arc::clone(&supervisor) as Arc<dyn Invoke>).await?;
    let result = measure(&args, &gateway, &supervisor, stop).await;
    gateway.stop().await;
    supervisor.stop().await;
    output::result(&result?, json)
}

fn template() -> String {
    format!(
        "Resources: {{{FUNCTION}: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: ., Runtime: provided.al2023, \
         Timeout: 60, Events: {{All: {{Type: HttpApi}}}}}}}}}}"
    )
}

/// The function is this program itself, doing nothing: nothing has to be built for the measurement.
fn write_bootstrap(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let program = std::env::current_exe()?;
    let program = program.to_str().context("this program's path is not UTF-8")?.replace('\'', r"'\''");
    let path = folder.join("bootstrap");
    std::fs::write(&path, format!("#!/bin/sh\nexec '{program}' idle-function\n"))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

async fn measure(
    args: &GatewayArgs,
    gateway: &Gateway,
    supervisor: &Arc<Supervisor>,
    stop: &CancellationToken,
) -> anyhow::Result<Result> {
    let callers = [Caller::Gateway(gateway.address()), Caller::Direct(Arc::clone(supervisor))];
    let turn = Duration::from_secs_f64(args.seconds / f64::from(TURNS));
    let load = |rate, turn| Load { connections: args.connections, rate, turn, stop: stop.clone() };
    for caller in &callers {
        load(None, WARM_UP).run(caller, None).await?;
    }
    let bar = output::bar(Some(u64::from(TURNS) * 4), "turns");
    let mut times = [Times::new()?, Times::new()?];
    let mut counts = [0_u64; 2];
    for _ in 0..TURNS {
        for (caller, times) in callers.iter().zip(&mut times) {
            load(Some(args.rate), turn).run(caller, Some(times)).await?;
            bar.inc(1);
        }
        for (caller, count) in callers.iter().zip(&mut counts) {
            *count += load(None, turn).run(caller, None).await?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let [gateway, direct] = times.map(|times| times.percentiles());
    let [gateway_per_second, direct_per_second] = counts.map(|count| count as f64 / args.seconds);
    Ok(Result {
        connections: args.connections,
        concurrency: args.concurrency,
        rate: args.rate,
        gateway,
        direct,
        overhead_p50_ms: gateway.p50_ms - direct.p50_ms,
        overhead_p99_ms: gateway.p99_ms - direct.p99_ms,
        gateway_per_second,
        direct_per_second,
        interrupted: stop.is_cancelled(),
    })
}

impl fmt::Display for Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.interrupted {
            writeln!(f, "{}", paint(WARN, "interrupted; so far:"))?;
        }
        let Self { connections, concurrency, rate, .. } = self;
        let title = paint(BOLD, "gateway");
        writeln!(f, "{title} {connections} connections, a trivial function at concurrency {concurrency}")?;
        writeln!(f, "  {rate:.0} requests/s through the gateway  {}", precise(&self.gateway))?;
        writeln!(f, "  {rate:.0} direct invocations/s            {}", precise(&self.direct))?;
        let (p50, p99) = (self.overhead_p50_ms, self.overhead_p99_ms);
        writeln!(f, "  overhead                            p50 {p50:.2} ms · p99 {p99:.2} ms")?;
        let (gateway, direct) = (self.gateway_per_second, self.direct_per_second);
        write!(f, "  at full speed                       {gateway:.0} requests/s · {direct:.0} direct invocations/s")
    }
}

/// To a hundredth of a millisecond.
fn precise(times: &Percentiles) -> String {
    format!("p50 {:.2} ms · p90 {:.2} ms · p99 {:.2} ms · n {}", times.p50_ms, times.p90_ms, times.p99_ms, times.n)
}
