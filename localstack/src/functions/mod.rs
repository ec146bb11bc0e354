//! Runs functions as processes under the Lambda Runtime API.
//!
//! Deadlines are real (the process is killed at `Timeout`), `MemorySize` is a limit, a crash answers its caller at once, one
//! process runs one invocation at a time, more processes make concurrency, and none of them outlives this process.
//!
//! | file | what |
//! |---|---|
//! | `invocation` | the boundary to what triggers functions |
//! | `pool` | the processes of one function: concurrency, back-off of what does not start |
//! | `worker` | one process from its init phase on, one invocation at a time |
//! | `process` | spawned, signalled, reaped, with its process group |
//! | `executable` | what the system can't run, told before it is tried |
//! | `runtime_api` | what the process asks and answers |
//! | `log` | its lines by invocation; `START`, `END`, `REPORT` |
//! | `memory` | the limit on its memory |
//! | `environment` | what it finds in its environment |
//! | `cargo_lambda` | the other way to run them: `cargo lambda watch` |
//! | `running` | the one way or the other |

pub mod cargo_lambda;
mod environment;
mod error;
mod executable;
pub(crate) mod invocation;
mod log;
mod memory;
mod pool;
mod process;
mod running;
mod runtime_api;
mod worker;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use cargo_lambda::{CARGO_LAMBDA_VERSION, CargoLambda, WatchOptions};
pub use error::{FunctionsError, MAX_PAYLOAD_BYTES, MAX_RESPONSE_BYTES};
pub use invocation::{Call, Completed, Invoke, Outcome};
pub use log::{LogLine, LogSink, LogSource};
pub use pool::FunctionStatus;
pub use running::{Functions, FunctionsChoice};

use crate::account;
use crate::template::model::{Code, Function, Source};
use memory::MemoryWatch;
use pool::{Pool, Surroundings};
use process::Spawner;

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// How functions are run.
#[derive(Clone)]
pub struct SupervisorOptions {
    /// The functions of the template.
    pub functions: Vec<Function>,
    /// Folder with the binaries of [`Code::CargoBinary`].
    pub binaries: PathBuf,
    /// `AWS_REGION` of the functions.
    pub region: String,
    /// Account in ARNs.
    pub account_id: String,
    /// Added to every function's environment; wins over the template's.
    pub environment: BTreeMap<String, String>,
    /// Processes of a function that reserves no concurrency (10).
    pub default_concurrency: u32,
    /// How long a caller waits for a free process before it is throttled.
    pub wait: Duration,
    /// Start one process of each function at once, so that a failing init shows at the start.
    pub prewarm: bool,
    /// Takes the functions' output; `None`: tracing, target `function`.
    pub log_sink: Option<LogSink>,
}

impl Default for SupervisorOptions {
    fn default() -> Self {
        Self {
            functions: Vec::new(),
            binaries: PathBuf::from("."),
            region: account::REGION.to_owned(),
            account_id: account::ACCOUNT_ID.to_owned(),
            environment: BTreeMap::new(),
            default_concurrency: 10,
            wait: Duration::from_secs(10),
            prewarm: true,
            log_sink: None,
        }
    }
}

/// Starts, watches and stops the processes of all functions. Dropping it kills them.
pub struct Supervisor {
    pools: BTreeMap<String, Arc<Pool>>,
    closing: CancellationToken,
}

impl Supervisor {
    /// Checks that every program is there and begins to start them.
    ///
    /// # Errors
    /// [`FunctionsError::NoProgram`] names the function whose program is missing and how to build it.
    pub fn start(options: SupervisorOptions) -> Result<Self, FunctionsError> {
        let mut programs = Vec::new();
        for function in &options.functions {
            programs.push(program(function, &options.binaries)?);
        }
        let closing = CancellationToken::new();
        let around = Arc::new(Surroundings {
            spawner: Spawner::start()?,
            memory: MemoryWatch::start()?,
            region: options.region,
            account_id: options.account_id,
            environment: options.environment,
            wait: options.wait,
            sink: options.log_sink,
            closing: closing.clone(),
        });
        let mut pools = BTreeMap::new();
        for (function, program) in options.functions.into_iter().zip(programs) {
            let concurrency = function.reserved_concurrency.unwrap_or(options.default_concurrency);
            let id = function.logical_id.clone();
            let pool = Pool::new(function, program, concurrency, Arc::clone(&around));
            if options.prewarm {
                tokio::spawn(Arc::clone(&pool).warm());
            }
            pools.insert(id, pool);
        }
        Ok(Self { pools, closing })
    }

    /// Process ids of a function, by logical id or name; empty where there is no such function or no process.
    pub fn pids(&self, function: &str) -> Vec<u32> {
        self.pools
            .iter()
            .find(|(id, pool)| *id == function || pool.name() == function)
            .map(|(_, pool)| pool.status().pids)
            .unwrap_or_default()
    }

    /// Every function as it is now.
    pub fn status(&self) -> Vec<FunctionStatus> {
        self.pools.values().map(|pool| pool.status()).collect()
    }

    /// Takes no more invocations, asks every process to end, and kills after 2 s what has not. Running invocations
    /// are answered with an error.
    pub async fn stop(&self) {
        self.closing.cancel();
        let mut controls = Vec::new();
        for pool in self.pools.values() {
            pool.close();
            controls.extend(pool.controls());
        }
        for control in &controls {
            control.terminate();
        }
        let all_ended = async {
            for control in &controls {
                control.exit().await;
            }
        };
        if tokio::time::timeout(GRACE, all_ended).await.is_ok() {
            return;
        }
        for control in &controls {
            control.kill();
        }
        for control in &controls {
            control.exit().await;
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.closing.cancel();
        for pool in self.pools.values() {
            pool.close();
            for control in pool.controls() {
                control.kill();
            }
        }
    }
}

impl Invoke for Supervisor {
    fn invoke<'a>(&'a self, function_logical_id: &'a str, payload: Bytes) -> BoxFuture<'a, Outcome> {
        let call = self.call(function_logical_id, Call { payload, ..Call::default() });
        Box::pin(async move { call.await.outcome })
    }

    fn call<'a>(&'a self, function_logical_id: &'a str, mut call: Call) -> BoxFuture<'a, Completed> {
        Box::pin(async move {
            let request_id = call.request_id.get_or_insert_with(invocation::new_request_id).clone();
            let not_run = |outcome| Completed { request_id: request_id.clone(), outcome, log_tail: Vec::new() };
            let Some(pool) = self.pools.get(function_logical_id) else {
                return not_run(Outcome::Throttled(format!("there is no function {function_logical_id}")));
            };
            if call.payload.len() > MAX_PAYLOAD_BYTES {
                return not_run(error::request_too_large(call.payload.len()));
            }
            let permit = match pool.place().await {
                Ok(permit) => permit,
                Err(outcome) => return not_run(outcome),
            };
            // Its own task: a caller that gives up does not end the invocation.
            let run = tokio::spawn(Arc::clone(pool).run(call, permit));
            run.await.unwrap_or_else(|_| not_run(error::failure("Runtime.Unknown", "the invocation was given up")))
        })
    }
}

fn program(function: &Function, binaries: &Path) -> Result<PathBuf, FunctionsError> {
    let (path, hint) = match &function.code {
        Code::CargoBinary(name) => (binaries.join(name), format!("cargo build --bin {name}")),
        Code::Python { source: Source::Path(path), .. } | Code::Node { source: Source::Path(path) } => {
            (path.join("bootstrap"), "runtimes::prepare makes it".to_owned())
        }
        Code::Python { .. } | Code::Node { .. } => {
            (PathBuf::from("bootstrap"), "runtimes::prepare makes it".to_owned())
        }
        Code::Bootstrap(folder) => (folder.join("bootstrap"), "the folder of CodeUri holds it".to_owned()),
    };
    let path = std::path::absolute(path)?;
    if path.is_file() {
        return Ok(path);
    }
    Err(FunctionsError::NoProgram { function: function.logical_id.clone(), path, hint })
}
