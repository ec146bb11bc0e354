//! The boundary between what triggers a function (gateway, source mapping, Invoke API) and what runs it.

use bytes::Bytes;

/// How one invocation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The function answered: its response payload.
    Response(Bytes),
    /// The function failed as Lambda reports it: `{"errorMessage", "errorType", …}`. Covers errors it returned, crashes
    /// (`Runtime.ExitError`) and timeouts (`Sandbox.Timedout`).
    FunctionError(Bytes),
    /// No process could take it in time (all busy up to the concurrency limit, or the function can't start).
    Throttled(String),
}
