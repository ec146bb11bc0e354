//! From a function's process start to its first request for work; its size; the first event tracked by a fresh process.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use freshet_localstack::template::model::{Code, Function};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Serialize;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::{Own, OwnOptions};
use crate::args::ColdStartArgs;
use crate::cloud;
use crate::output::{self, Percentiles, Times};
use crate::style::{BOLD, WARN, paint};

/// Lambda's own limit for the init phase.
const INIT: Duration = Duration::from_secs(10);
/// What a function asks for when it is ready.
const NEXT: &str = "GET /2018-06-01/runtime/invocation/next ";
/// The longest request line that is read.
const MAX_LINE: usize = 8 * 1024;
/// The function that tracks events, by its logical id.
const API: &str = "Api";

/// The result.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ColdStarts {
    interrupted: bool,
    binaries: PathBuf,
    functions: Vec<ColdStart>,
    /// From the kill of the API's process, once noticed, to the answer of the next track: a new process start included.
    first_track: Percentiles,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ColdStart {
    function: String,
    binary_bytes: u64,
    /// Process start → first request for work.
    to_first_next: Percentiles,
}

/// Runs the command.
///
/// # Errors
/// The system or a function does not start.
pub(super) async fn run(args: ColdStartArgs, json: bool, stop: &CancellationToken) -> anyhow::Result<()> {
    let binaries = cloud::binaries(&args.binaries)?;
    // Real neighbours: a function that talks to them in its init phase is measured with that.
    let Some(own) = Own::start(OwnOptions::new(args.template, args.binaries), stop).await? else { return Ok(()) };
    let result = measure(&own, binaries, args.runs, stop).await;
    own.stop().await;
    output::result(&result?, json)
}

async fn measure(own: &Own, binaries: PathBuf, runs: u32, stop: &CancellationToken) -> anyhow::Result<ColdStarts> {
    own.make_ready().await?;
    let functions: Vec<Function> = own.cloud.stack().functions.values().cloned().collect();
    let bar = output::bar(Some(u64::from(runs) * (functions.len() as u64 + 1)), "starts");
    let mut starts = Vec::new();
    for function in &functions {
        let program = match &function.code {
            Code::CargoBinary(name) => binaries.join(name),
            Code::Bootstrap(folder) => folder.join("bootstrap"),
            // An interpreter of somebody else's is not what is measured here.
            Code::Python { .. } | Code::Node { .. } => continue,
        };
        let mut times = Times::new()?;
        for _ in 0..runs {
            if stop.is_cancelled() {
                break;
            }
            let environment = environment(function, &own.cloud.dynamodb_endpoint());
            let started = first_next(&program, environment).await;
            times.record(started.with_context(|| format!("function {}", function.logical_id))?);
            bar.inc(1);
        }
        let binary_bytes = std::fs::metadata(&program).map_or(0, |file| file.len());
        let function = function.logical_id.to_lowercase();
        starts.push(ColdStart { function, binary_bytes, to_first_next: times.percentiles() });
    }
    let mut track = Times::new()?;
    for run in 0..runs {
        if stop.is_cancelled() {
            break;
        }
        track.record(first_track(own, run).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let first_track = track.percentiles();
    Ok(ColdStarts { interrupted: stop.is_cancelled(), binaries, functions: starts, first_track })
}

/// Time from the spawn of `program` to its first request for work.
async fn first_next(program: &Path, environment: BTreeMap<String, String>) -> anyhow::Result<Duration> {
    let runtime_api = TcpListener::bind("127.0.0.1:0").await?;
    let mut command = Command::new(program);
    command.env_clear().envs(environment).env("AWS_LAMBDA_RUNTIME_API", runtime_api.local_addr()?.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("{}", program.display()))?;
    let asked = async {
        let (mut connection, _) = runtime_api.accept().await?;
        let mut line = Vec::new();
        while !line.contains(&b'\n') && line.len() < MAX_LINE {
            if connection.read_buf(&mut line).await? == 0 {
                break;
            }
        }
        anyhow::Ok((started.elapsed(), String::from_utf8_lossy(&line).lines().next().unwrap_or_default().to_owned()))
    };
    let outcome = tokio::select! {
        asked = tokio::time::timeout(INIT, asked) => asked,
        status = child.wait() => bail!("it ended before it asked for work: {}", status?),
    };
    child.kill().await?;
    let (time, line) = outcome.with_context(|| format!("it did not ask for work within {} s", INIT.as_secs()))??;
    if !line.starts_with(NEXT) {
        bail!("its first request was {line:?}, expected {NEXT:?}");
    }
    Ok(time)
}

/// As the local cloud gives it, as far as functions look at it.
fn environment(function: &Function, dynamodb_endpoint: &str) -> BTreeMap<String, String> {
    let own = [
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.as_str()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &function.memory_mb.to_string()),
        ("_HANDLER", &function.handler),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_endpoint),
        ("METRICS_EMF", "off"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    function.environment.clone().into_iter().chain(own).collect()
}

/// A second process may be on its way beside the one that answered: killed in its start, it would count as one that
/// does not start.
const SETTLE: Duration = Duration::from_millis(100);

/// Kills the API's processes and times the next event tracked.
async fn first_track(own: &Own, run: u32) -> anyhow::Result<Duration> {
    tokio::time::sleep(SETTLE).await;
    let before = own.cloud.function_pids(API);
    for pid in before.iter().filter_map(|pid| i32::try_from(*pid).ok()) {
        // It may have ended by itself.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let killed = Instant::now();
    while own.cloud.function_pids(API).iter().any(|pid| before.contains(pid)) {
        if killed.elapsed() > INIT {
            bail!("the API's killed process is still listed after {} s", INIT.as_secs());
        }
        tokio::task::yield_now().await;
    }
    let event = json!({
        "eventId": format!("cold-{run}"), "userId": "cold", "eventType": "product_view", "productId": "1",
    });
    let started = Instant::now();
    let answer = own.api.post("/events/track", &event, None).await?;
    let time = started.elapsed();
    if !answer.is_ok() {
        bail!("the first track of a fresh process: {}", answer.reason());
    }
    Ok(time)
}

impl fmt::Display for ColdStarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.interrupted {
            writeln!(f, "{}", paint(WARN, "interrupted; so far:"))?;
        }
        writeln!(f, "{} binaries in {}", paint(BOLD, "cold start"), self.binaries.display())?;
        for ColdStart { function, binary_bytes, to_first_next } in &self.functions {
            let megabytes = *binary_bytes as f64 / 1_000_000.0;
            writeln!(f, "  {function:<10} {megabytes:.1} MB  process start → first /next  {to_first_next}")?;
        }
        write!(f, "  first track after a kill, the new process's start included  {}", self.first_track)
    }
}
