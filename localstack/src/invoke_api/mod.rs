//! Lambda's Invoke API on a loopback port: what `aws lambda invoke --endpoint-url` and the SDKs' Lambda clients call.
//!
//! | file | what |
//! |---|---|
//! | `invocations` | `Invoke`: synchronous, `Event` and `DryRun` |
//! | `events` | asynchronous invocations: a bounded queue, two more attempts after an error |
//! | `describe` | `ListFunctions`, `GetFunction`, `GetFunctionConfiguration`, `GetFunctionConcurrency` |
//! | `mappings` | the event source mappings, and whether each is enabled |
//! | `names` | a function's name, partial ARN or ARN, with a qualifier |
//! | `error` | refusals that SDKs raise as typed exceptions |
//!
//! Signatures are not checked. Source: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

mod describe;
mod error;
mod events;
mod invocations;
mod mappings;
mod names;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};

use crate::account;
use crate::error::CloudError;
use crate::functions::Invoke;
use crate::mapping::MappingHandle;
use crate::serving::Serving;
use crate::template::model::Function;
use error::ApiError;
use events::Events;

/// The only version there is.
const LATEST: &str = "$LATEST";

/// What the API tells of, and how it retries.
#[derive(Debug, Clone)]
pub struct InvokeApiOptions {
    /// The functions of the template.
    pub functions: Vec<Function>,
    /// Region in ARNs.
    pub region: String,
    /// Account in ARNs.
    pub account_id: String,
    /// Before the second and before the third attempt of an asynchronous invocation (Lambda: 1 min, 2 min).
    pub retry_after: [Duration; 2],
}

impl InvokeApiOptions {
    /// Lambda's own behaviour, for these functions.
    pub fn new(functions: Vec<Function>) -> Self {
        Self {
            functions,
            region: account::REGION.to_owned(),
            account_id: account::ACCOUNT_ID.to_owned(),
            retry_after: [Duration::from_mins(1), Duration::from_mins(2)],
        }
    }
}

/// A running Invoke API.
pub struct InvokeApi {
    shared: Arc<Shared>,
    serving: Serving,
}

/// What all requests share.
struct Shared {
    options: InvokeApiOptions,
    invoke: Arc<dyn Invoke>,
    events: Arc<Events>,
    started: String,
    mappings: OnceLock<Vec<MappingHandle>>,
}

impl InvokeApi {
    /// Serves `options.functions` on `listener`, which is on loopback.
    ///
    /// # Errors
    /// The listener can't be used.
    pub fn start(
        options: InvokeApiOptions,
        listener: TcpListener,
        invoke: Arc<dyn Invoke>,
    ) -> Result<Self, CloudError> {
        let failed = |source| CloudError::Port { port: 0, source };
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let events = Arc::new(Events::new(Arc::clone(&invoke), options.retry_after));
        let started = describe::now();
        let shared = Arc::new(Shared { options, invoke, events, started, mappings: OnceLock::new() });
        let serving = Serving::start("the Invoke API", listener, router(Arc::clone(&shared))).map_err(failed)?;
        Ok(Self { shared, serving })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.serving.address()
    }

    /// The mappings to tell of, once they run; a second call changes nothing.
    pub fn set_mappings(&self, mappings: Vec<MappingHandle>) {
        let _ = self.shared.mappings.set(mappings);
    }

    /// Takes no more requests and ends; asynchronous invocations that are still to be tried are given up, and counted.
    pub async fn stop(self) {
        self.shared.events.stop();
        self.serving.stop().await;
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/2015-03-31/functions", get(describe::list))
        .route("/2015-03-31/functions/", get(describe::list))
        .route("/2015-03-31/functions/{name}", get(describe::function))
        .route("/2015-03-31/functions/{name}/configuration", get(describe::configuration))
        .route("/2019-09-30/functions/{name}/concurrency", get(describe::concurrency))
        .route("/2015-03-31/functions/{name}/invocations", post(invocations::invoke))
        .route("/2015-03-31/event-source-mappings", get(mappings::list))
        .route("/2015-03-31/event-source-mappings/", get(mappings::list))
        .route("/2015-03-31/event-source-mappings/{name}", get(mappings::one).put(mappings::update))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(shared)
}

async fn unknown(request: axum::extract::Request) -> ApiError {
    ApiError::unknown_operation(request.method(), request.uri().path())
}

impl Shared {
    /// The function that a request names.
    fn find(&self, name: &str, qualifier: Option<&str>) -> Result<&Function, ApiError> {
        let asked = names::parse(name, qualifier)?;
        let functions = &self.options.functions;
        let found = functions
            .iter()
            .find(|function| function.name == asked.name)
            // Nobody knows the stack's prefix by heart.
            .or_else(|| functions.iter().find(|function| function.logical_id == asked.name));
        let arn = || match asked.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.arn(asked.name)),
            None => self.arn(asked.name),
        };
        match (found, asked.qualifier) {
            (Some(function), None | Some(LATEST)) => Ok(function),
            _ => Err(ApiError::no_function(&arn())),
        }
    }

    fn mappings(&self) -> &[MappingHandle] {
        self.mappings.get().map_or(&[], Vec::as_slice)
    }

    fn arn(&self, name: &str) -> String {
        account::function_arn(&self.options.region, &self.options.account_id, name)
    }
}
