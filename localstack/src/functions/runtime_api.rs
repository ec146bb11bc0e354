//! Lambda's Runtime API for one function process: it asks for the next event and posts what became of it.
//!
//! Source: AWS Lambda developer guide, "Using the Lambda runtime API". One listener a process, because
//! `AWS_LAMBDA_RUNTIME_API` carries host and port only.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::{get, post};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::Outcome;
use super::error::{MAX_PAYLOAD_BYTES, MAX_RESPONSE_BYTES, response_too_large, streamed};

/// One event on its way to the process.
pub(crate) struct Job {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) arn: String,
    pub(crate) client_context: Option<String>,
    pub(crate) payload: Bytes,
    pub(crate) timeout: Duration,
    /// Told when the process has taken it, with the instant of its deadline.
    pub(crate) taken: oneshot::Sender<Instant>,
    pub(crate) answer: oneshot::Sender<Outcome>,
}

/// How far a process has come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Phase {
    /// Before its first /next.
    Init,
    /// It has asked for an event.
    Ready,
    /// It reported init/error, with these words.
    Failed(String),
}

struct Shared {
    jobs: AsyncMutex<mpsc::Receiver<Job>>,
    current: Mutex<Option<(String, oneshot::Sender<Outcome>)>>,
    phase: watch::Sender<Phase>,
}

impl Shared {
    fn current(&self) -> MutexGuard<'_, Option<(String, oneshot::Sender<Outcome>)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The invoker that waits for this request; or how the process is refused, as Lambda does.
    fn finish(&self, request_id: &str, into: &str) -> Result<oneshot::Sender<Outcome>, Refusal> {
        let found = {
            let mut current = self.current();
            match current.take_if(|(id, _)| id == request_id) {
                None if current.is_some() => {
                    return Err(refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"));
                }
                found => found,
            }
        };
        found.map(|(_, answer)| answer).ok_or_else(|| self.wrong_state(into))
    }

    /// It asks for what its state does not allow.
    fn wrong_state(&self, into: &str) -> Refusal {
        let state = match (&*self.phase.borrow(), self.current().is_some()) {
            (Phase::Init, _) => "Started",
            (Phase::Failed(_), _) => "InitError",
            (Phase::Ready, true) => "Running",
            (Phase::Ready, false) => "Ready",
        };
        let message = format!(
            "State transition from {state} to {into} failed for runtime. Error: State transition is not allowed"
        );
        refused(StatusCode::FORBIDDEN, "InvalidStateTransition", &message)
    }
}

/// The server of one process; it ends when this is dropped.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) phase: watch::Receiver<Phase>,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

impl RuntimeApi {
    pub(crate) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::channel(1);
        let (phase_sender, phase) = watch::channel(Phase::Init);
        let shared =
            Arc::new(Shared { jobs: AsyncMutex::new(receiver), current: Mutex::new(None), phase: phase_sender });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(Arc::clone(&shared));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            // Not a graceful end: a process that waits at /next would hold it open for ever.
            tokio::select! {
                served = async { axum::serve(listener, router).await } => {
                    if let Err(error) = served {
                        tracing::warn!(%error, "a Runtime API listener ended");
                    }
                }
                () = stopped.cancelled() => {}
            }
        });
        Ok(Self { address, jobs: sender, phase, shared, stop })
    }

    /// Forgets the running request, so that a late answer finds nobody.
    pub(crate) fn abandon(&self) {
        self.shared.current().take();
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response<Body> {
    if shared.current().is_some() {
        return shared.wrong_state("Ready").answer();
    }
    shared.phase.send_replace(Phase::Ready);
    let job = shared.jobs.lock().await.recv().await;
    let Some(Job { request_id, trace_id, arn, client_context, payload, timeout, taken, answer }) = job else {
        return refused(StatusCode::GONE, "Stopped", "the function is being stopped").answer();
    };
    let deadline_ms = (SystemTime::now() + timeout).duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    *shared.current() = Some((request_id.clone(), answer));
    // The invoker counts the same time from here; where it has gone, the answer finds nobody.
    let _ = taken.send(Instant::now() + timeout);
    let mut builder = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", request_id)
        .header("lambda-runtime-deadline-ms", deadline_ms.to_string())
        .header("lambda-runtime-invoked-function-arn", arn)
        .header("lambda-runtime-trace-id", trace_id);
    if let Some(context) = client_context {
        builder = builder.header("lambda-runtime-client-context", context.as_bytes());
    }
    let failed = |error: axum::http::Error| {
        refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &error.to_string()).answer()
    };
    builder.body(Body::from(payload)).unwrap_or_else(failed)
}

async fn response(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if header("lambda-runtime-function-response-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("streaming")) {
        let said = "Response streaming is not offered here: post the whole response, without this mode";
        let refusal = refused(StatusCode::BAD_REQUEST, "InvalidFunctionResponseMode", said);
        return accept(&shared, &id, "InvocationResponse", streamed(), refusal.answer());
    }
    match axum::body::to_bytes(body, MAX_RESPONSE_BYTES).await {
        Ok(bytes) => accept(&shared, &id, "InvocationResponse", Outcome::Response(bytes), accepted()),
        Err(_) => {
            let size = header("content-length").and_then(|length| length.parse().ok());
            let said = format!("Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).");
            let refusal = refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &said);
            accept(&shared, &id, "InvocationResponse", response_too_large(size), refusal.answer())
        }
    }
}

async fn error(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let bytes = error_body(&headers, body).await;
    accept(&shared, &id, "InvocationErrorResponse", Outcome::FunctionError(bytes), accepted())
}

async fn init_error(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Response<Body> {
    let bytes = error_body(&headers, body).await;
    if *shared.phase.borrow() != Phase::Init {
        return shared.wrong_state("InitError").answer();
    }
    let words = serde_json::from_slice::<serde_json::Value>(&bytes).ok();
    let part = |name: &str| words.as_ref().and_then(|words| words.get(name)?.as_str()).unwrap_or_default().to_owned();
    let words = match (part("errorType"), part("errorMessage")) {
        (kind, message) if kind.is_empty() && message.is_empty() => String::from_utf8_lossy(&bytes).into_owned(),
        (kind, message) => format!("{kind}: {message}"),
    };
    shared.phase.send_replace(Phase::Failed(words.chars().take(2000).collect()));
    accepted()
}

/// The error as posted, or one made of the header where the body is none.
async fn error_body(headers: &HeaderMap, body: Body) -> Bytes {
    match axum::body::to_bytes(body, MAX_PAYLOAD_BYTES).await {
        Ok(bytes) if serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok() => bytes,
        other => {
            let kind = headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok());
            let message = other.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
            let error = serde_json::json!({ "errorType": kind.unwrap_or("Unknown"), "errorMessage": message });
            Bytes::from(error.to_string())
        }
    }
}

/// Gives the invoker its outcome and the process its answer.
fn accept(shared: &Shared, id: &str, into: &str, outcome: Outcome, answer: Response<Body>) -> Response<Body> {
    match shared.finish(id, into) {
        Ok(invoker) => {
            let _ = invoker.send(outcome);
            answer
        }
        Err(refusal) => refusal.answer(),
    }
}

fn accepted() -> Response<Body> {
    json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#.into())
}

/// An answer that says no.
struct Refusal {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Refusal {
    fn answer(&self) -> Response<Body> {
        let body = serde_json::json!({ "errorMessage": self.message, "errorType": self.kind });
        json(self.status, body.to_string().into())
    }
}

fn refused(status: StatusCode, kind: &'static str, message: &str) -> Refusal {
    Refusal { status, kind, message: message.to_owned() }
}

fn json(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", axum::http::HeaderValue::from_static("application/json"));
    response
}
