//! The functions of a template, run in one of two ways.

use bytes::Bytes;
use futures::future::BoxFuture;

use super::{Call, CargoLambda, Completed, FunctionStatus, Invoke, Outcome, Supervisor};

/// How the functions are run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FunctionsChoice {
    /// Their programs, under our own Runtime API.
    #[default]
    Processes,
    /// By `cargo lambda watch`, which builds a function again when a file of its is saved.
    CargoLambda {
        /// cargo-lambda's program; a bare name is looked for on the PATH.
        program: std::path::PathBuf,
    },
}

/// Functions that run.
pub enum Functions {
    /// See [`FunctionsChoice::Processes`].
    Processes(Supervisor),
    /// See [`FunctionsChoice::CargoLambda`].
    CargoLambda(CargoLambda),
}

impl Functions {
    /// Process ids of a function at present, by logical id or name.
    pub fn pids(&self, function: &str) -> Vec<u32> {
        match self {
            Self::Processes(supervisor) => supervisor.pids(function),
            Self::CargoLambda(watched) => watched.pids(function),
        }
    }

    /// Every function as it is now.
    pub fn status(&self) -> Vec<FunctionStatus> {
        match self {
            Self::Processes(supervisor) => supervisor.status(),
            Self::CargoLambda(watched) => watched.status(),
        }
    }

    /// Ends them all, within 3 s.
    pub async fn stop(&self) {
        match self {
            Self::Processes(supervisor) => supervisor.stop().await,
            Self::CargoLambda(watched) => watched.stop().await,
        }
    }
}

impl Invoke for Functions {
    fn invoke<'a>(&'a self, function_logical_id: &'a str, payload: Bytes) -> BoxFuture<'a, Outcome> {
        match self {
            Self::Processes(supervisor) => supervisor.invoke(function_logical_id, payload),
            Self::CargoLambda(watched) => watched.invoke(function_logical_id, payload),
        }
    }

    fn call<'a>(&'a self, function_logical_id: &'a str, call: Call) -> BoxFuture<'a, Completed> {
        match self {
            Self::Processes(supervisor) => supervisor.call(function_logical_id, call),
            Self::CargoLambda(watched) => watched.call(function_logical_id, call),
        }
    }
}
