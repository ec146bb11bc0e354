//! Failures in the words Lambda uses, as an invoker sees them.

use bytes::Bytes;
use serde_json::json;

use super::Outcome;

/// The most an event or an answer may hold: Lambda's 6 MB of a synchronous invocation.
pub const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// Why functions can't be run.
#[derive(Debug, thiserror::Error)]
pub enum FunctionsError {
    /// A function's program is not there.
    #[error("function {function}: no program at {path}; build it first ({hint})")]
    NoProgram {
        /// Logical id.
        function: String,
        /// Where it was expected.
        path: std::path::PathBuf,
        /// What builds it.
        hint: String,
    },
    /// The system refused something.
    #[error("functions can't be started: {0}")]
    Io(#[from] std::io::Error),
}

pub(crate) fn failure(error_type: &str, message: &str) -> Outcome {
    let body = json!({ "errorType": error_type, "errorMessage": message });
    Outcome::FunctionError(Bytes::from(body.to_string()))
}

pub(crate) fn timed_out(request_id: &str, timeout_s: u32) -> Outcome {
    let message = format!("RequestId: {request_id} Error: Task timed out after {timeout_s}.00 seconds");
    failure("Sandbox.Timedout", &message)
}

pub(crate) fn exited(request_id: &str, how: &str) -> Outcome {
    failure("Runtime.ExitError", &format!("RequestId: {request_id} Error: Runtime exited {how}"))
}

pub(crate) fn request_too_large(bytes: usize) -> Outcome {
    let message = format!(
        "Request must be smaller than {MAX_PAYLOAD_BYTES} bytes for the InvokeFunction operation; {bytes} came"
    );
    failure("RequestEntityTooLargeException", &message)
}

pub(crate) fn response_too_large() -> Outcome {
    let message = format!("Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes).");
    failure("Function.ResponseSizeTooLarge", &message)
}
