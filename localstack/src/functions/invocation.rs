//! The boundary between what triggers a function (gateway, source mapping, Invoke API) and what runs it.

use bytes::Bytes;
use futures::future::BoxFuture;

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

/// What can be invoked by logical id: the supervisor here, or anything that stands in for it in a test of a trigger.
pub trait Invoke: Send + Sync + 'static {
    /// Runs one invocation to its end and says how it ended.
    ///
    /// Never hangs: the function's `Timeout` bounds the run, and waiting for a free process is bounded too
    /// ([`Outcome::Throttled`]). Payloads over 6 MB are refused as a [`Outcome::FunctionError`], as Lambda does.
    /// Dropping the future gives the answer up; the invocation itself runs on.
    fn invoke<'a>(&'a self, function_logical_id: &'a str, payload: Bytes) -> BoxFuture<'a, Outcome>;
}
