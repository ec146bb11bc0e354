//! The boundary between what triggers a function (gateway, source mapping, Invoke API) and what runs it.

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;

/// How one invocation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The function answered: its response payload.
    Response(Bytes),
    /// The function failed as Lambda reports it: `{"errorMessage", "errorType", …}`. Covers errors it returned, crashes
    /// (`Runtime.ExitError`), memory above `MemorySize` (`Runtime.OutOfMemory`) and timeouts (`Sandbox.Timedout`).
    FunctionError(Bytes),
    /// No process could take it in time (all busy up to the concurrency limit, or the function can't start).
    Throttled(String),
}

/// An event with what the Invoke API may give along with it.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// The event.
    pub payload: Bytes,
    /// The request's id, kept over an asynchronous event's attempts; `None`: a new one.
    pub request_id: Option<String>,
    /// JSON about the client, for `Lambda-Runtime-Client-Context`.
    pub client_context: Option<String>,
}

/// An invocation that has ended.
#[derive(Debug, Clone)]
pub struct Completed {
    /// The request's id.
    pub request_id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The last 4 KB of its log; empty where the log can't be told by invocation.
    pub log_tail: Vec<u8>,
}

/// What can be invoked by logical id: the supervisor here, or anything that stands in for it in a test of a trigger.
pub trait Invoke: Send + Sync + 'static {
    /// Runs one invocation to its end and says how it ended.
    ///
    /// Never hangs: the function's `Timeout` bounds the run, and waiting for a free process is bounded too
    /// ([`Outcome::Throttled`]). Payloads over 6 MB are refused as a [`Outcome::FunctionError`], as Lambda does.
    /// Dropping the future gives the answer up; the invocation itself runs on.
    fn invoke<'a>(&'a self, function_logical_id: &'a str, payload: Bytes) -> BoxFuture<'a, Outcome>;

    /// The same, with what the Invoke API gives and answers besides.
    fn call<'a>(&'a self, function_logical_id: &'a str, call: Call) -> BoxFuture<'a, Completed> {
        let request_id = call.request_id.unwrap_or_else(new_request_id);
        self.invoke(function_logical_id, call.payload)
            .map(|outcome| Completed { request_id, outcome, log_tail: Vec::new() })
            .boxed()
    }
}

/// A request id as Lambda makes them.
pub(crate) fn new_request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
