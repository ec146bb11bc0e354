//! The second way to run functions: `cargo lambda watch` builds them, serves them by its Invoke API, and builds them again
//! when a file of theirs is saved.
//!
//! | file | what |
//! |---|---|
//! | `server` | one function: its `cargo lambda watch`, invocations within its bounds, and its recovery |
//! | `output` | what the lines of cargo and of cargo-lambda tell of the function |
//! | `client` | one call of the Invoke API |
//! | `build` | the first build of all, and where the workspace is |
//! | `leftovers` | what outlives its `cargo lambda watch` |
//!
//! Each function has a server of its own, because one server gives all its functions the same environment. A server that
//! is sent ~100 invocations at a time deadlocks, and a function that crashes leaves its caller waiting for ever: so at most
//! 64 are in flight, the function's `Timeout` bounds each of them, and the server is started again behind one that failed so.
//! What it can't do: `MemorySize` is no limit, the deadline that a function is told is in 1970, log lines don't tell their
//! request, and a client's context does not reach the function. Functions that cargo does not build run as processes.

mod build;
mod client;
mod leftovers;
mod output;
mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::{BoxFuture, join_all};
use tokio_util::sync::CancellationToken;

use super::process::Spawner;
use super::{Call, Completed, FunctionStatus, FunctionsError, Invoke, Outcome, Supervisor, SupervisorOptions};
use crate::template::model::Code;
use server::{Around, Server};

/// The version that this was made for: others may log and serve otherwise.
pub const CARGO_LAMBDA_VERSION: &str = "1.9.2";

/// How `cargo lambda watch` is run.
#[derive(Clone)]
pub struct WatchOptions {
    /// cargo-lambda's program; a bare name is looked for on the PATH.
    pub program: PathBuf,
    /// The folder whose workspace has the functions, or one above it.
    pub workspace: PathBuf,
    /// Where its settings are written. Changes in it make no function build again.
    pub folder: PathBuf,
    /// Invocations of a function at one time, by logical id (default 4; at most 64, and what the function reserves).
    pub concurrency: BTreeMap<String, u32>,
    /// Is told what takes its time.
    pub progress: Arc<dyn Fn(&str) + Send + Sync>,
}

/// The functions of a template, those that cargo builds served by `cargo lambda watch`.
pub struct CargoLambda {
    servers: BTreeMap<String, Arc<Server>>,
    others: Supervisor,
    closing: CancellationToken,
}

impl CargoLambda {
    /// Builds the functions and starts their servers.
    ///
    /// # Errors
    /// cargo-lambda is not there, the functions do not compile, or a program that cargo does not build is missing.
    pub async fn start(options: SupervisorOptions, watch: WatchOptions) -> Result<Self, FunctionsError> {
        let (built, others): (Vec<_>, Vec<_>) =
            options.functions.iter().cloned().partition(|function| matches!(function.code, Code::CargoBinary(_)));
        let spawner = Spawner::start()?;
        build::check_program(&watch.program).await?;
        let workspace = build::workspace(&watch.workspace)?;
        let ignore = write_ignore_file(&watch.folder)?;
        let names: Vec<&str> = built.iter().filter_map(|function| binary(&function.code)).collect();
        build::all(&spawner, &workspace, &names, &options, &watch).await?;
        let others = Supervisor::start(SupervisorOptions { functions: others, ..options.clone() })?;
        let closing = CancellationToken::new();
        let around = Arc::new(Around { spawner, workspace, ignore, watch, options, closing: closing.clone() });
        let mut servers = BTreeMap::new();
        for function in built {
            let Some(binary) = binary(&function.code).map(str::to_owned) else { continue };
            servers.insert(function.logical_id.clone(), Server::start(function, binary, Arc::clone(&around))?);
        }
        Ok(Self { servers, others, closing })
    }

    /// Process ids by logical id or name: of a function's server, where it has one.
    pub fn pids(&self, function: &str) -> Vec<u32> {
        let server = self.servers.iter().find(|(id, server)| *id == function || server.name() == function);
        server.map_or_else(|| self.others.pids(function), |(_, server)| server.status().pids)
    }

    /// Every function as it is now.
    pub fn status(&self) -> Vec<FunctionStatus> {
        let mut all: Vec<_> = self.servers.values().map(|server| server.status()).chain(self.others.status()).collect();
        all.sort_by(|one, other| one.logical_id.cmp(&other.logical_id));
        all
    }

    /// Ends the servers and what they have started, and the other functions, within 3 s.
    pub async fn stop(&self) {
        self.closing.cancel();
        tokio::join!(join_all(self.servers.values().map(|server| server.ended())), self.others.stop());
    }
}

impl Drop for CargoLambda {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

impl Invoke for CargoLambda {
    fn invoke<'a>(&'a self, function_logical_id: &'a str, payload: Bytes) -> BoxFuture<'a, Outcome> {
        let call = self.call(function_logical_id, Call { payload, ..Call::default() });
        Box::pin(async move { call.await.outcome })
    }

    fn call<'a>(&'a self, function_logical_id: &'a str, call: Call) -> BoxFuture<'a, Completed> {
        match self.servers.get(function_logical_id) {
            Some(server) => Box::pin(server.call(call)),
            None => self.others.call(function_logical_id, call),
        }
    }
}

fn binary(code: &Code) -> Option<&str> {
    if let Code::CargoBinary(name) = code { Some(name) } else { None }
}

/// A file that tells cargo-lambda not to look at what is written beside it.
fn write_ignore_file(folder: &Path) -> Result<PathBuf, FunctionsError> {
    std::fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    let ignore = folder.join("ignore");
    // Patterns count from the folder that is watched; the data folder's own name covers it wherever it is.
    let data = folder.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    std::fs::write(&ignore, format!("{data}/\n"))?;
    Ok(ignore)
}
