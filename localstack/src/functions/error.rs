//! Failures in the words Lambda uses, as an invoker sees them.

use bytes::Bytes;
use serde_json::json;

use super::Outcome;

/// The most an event may hold: Lambda's 6 MB of a synchronous invocation.
pub const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;
/// The most an answer may hold: the Runtime API takes 100 bytes more.
pub const MAX_RESPONSE_BYTES: usize = MAX_PAYLOAD_BYTES + 100;

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
    /// The functions are to be run by a tool that is not here.
    #[error(
        "no cargo-lambda at {program}; install it with: pip3 install cargo-lambda=={version} (pipx where pip3 refuses), \
         and see to it that its folder is on the PATH"
    )]
    NoCargoLambda {
        /// What was tried.
        program: String,
        /// The version that this was made for.
        version: &'static str,
    },
    /// There is nothing that cargo could build.
    #[error("no Cargo.toml in {0} or above it: cargo-lambda has nothing to build")]
    NoWorkspace(std::path::PathBuf),
    /// The functions do not compile.
    #[error("{command} failed ({status}); its messages above say why")]
    Build {
        /// What was run.
        command: String,
        /// How it ended.
        status: String,
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

pub(crate) fn out_of_memory(request_id: &str) -> Outcome {
    let message = format!("RequestId: {request_id} Error: Runtime exited with error: signal: killed");
    failure("Runtime.OutOfMemory", &message)
}

pub(crate) fn request_too_large(bytes: usize) -> Outcome {
    let message = format!(
        "Request must be smaller than {MAX_PAYLOAD_BYTES} bytes for the InvokeFunction operation; {bytes} came"
    );
    failure("RequestEntityTooLargeException", &message)
}

/// `bytes`: the answer's size, where it is known.
pub(crate) fn response_too_large(bytes: Option<u64>) -> Outcome {
    let size = bytes.map(|bytes| format!(" ({bytes} bytes)")).unwrap_or_default();
    let message =
        format!("Response payload size{size} exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).");
    failure("Function.ResponseSizeTooLarge", &message)
}

pub(crate) fn streamed() -> Outcome {
    let message = "The function streams its response (Lambda-Runtime-Function-Response-Mode: streaming). Only function URLs \
                   and InvokeWithResponseStream take that; nothing here invokes so. Answer with the whole response.";
    failure("Function.ResponseModeNotSupported", message)
}
