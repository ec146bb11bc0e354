//! Lambda's Invoke API, by plain HTTP and by boto3.

#![allow(clippy::unwrap_used, clippy::panic)]

mod http;
#[path = "../support/mod.rs"]
mod support;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use freshet_localstack::functions::{Invoke, Supervisor, SupervisorOptions};
use freshet_localstack::invoke_api::{InvokeApi, InvokeApiOptions};
use freshet_localstack::template::model::Function;
use http::Reply;
use serde_json::json;
use support::{eventually, examples, function};

const MB: usize = 1024 * 1024;

struct Lambda {
    api: InvokeApi,
    supervisor: Arc<Supervisor>,
}

impl Lambda {
    /// Retries come after 50 and 100 ms.
    fn start(functions: Vec<Function>) -> Self {
        let supervisor = Supervisor::start(SupervisorOptions {
            functions: functions.clone(),
            binaries: examples(),
            ..SupervisorOptions::default()
        });
        let supervisor = Arc::new(supervisor.unwrap());
        let retry_after = [Duration::from_millis(50), Duration::from_millis(100)];
        let options = InvokeApiOptions { retry_after, ..InvokeApiOptions::new(functions) };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let invoke: Arc<dyn Invoke> = Arc::clone(&supervisor) as Arc<dyn Invoke>;
        Self { api: InvokeApi::start(options, listener, invoke).unwrap(), supervisor }
    }

    async fn invoke(&self, name: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let path = format!("/2015-03-31/functions/{name}/invocations");
        http::call(self.api.address(), "POST", &path, headers, body).await
    }

    async fn get(&self, path: &str) -> Reply {
        http::call(self.api.address(), "GET", path, &[], b"").await
    }

    fn invocations(&self) -> (u64, u64) {
        let status = self.supervisor.status();
        (status[0].invocations, status[0].errors)
    }

    async fn stop(self) {
        self.api.stop().await;
        self.supervisor.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_is_invoked_by_name_partial_arn_and_arn_with_its_only_version() {
    let lambda = Lambda::start(vec![function("F")]);
    let arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Astack-F";
    for name in ["stack-F", "F", "stack-F:$LATEST", "000000000000:function:stack-F", arn] {
        let reply = lambda.invoke(name, &[], br#"{"a": 1}"#).await;
        assert_eq!((reply.status, reply.body.as_slice()), (200, br#"{"a": 1}"#.as_slice()), "{name}");
        assert_eq!(reply.header("x-amz-executed-version"), Some("$LATEST"));
        assert_eq!(reply.header("x-amz-function-error"), None);
        assert!(reply.header("x-amzn-requestid").is_some_and(|id| id.len() == 36));
    }
    assert_eq!(lambda.invoke("F", &[], b"").await.body, b"{}", "no payload is an empty object");
    lambda.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_invoked_is_refused_as_sdks_understand_it() {
    let lambda = Lambda::start(vec![function("F")]);
    let large = vec![b'1'; 6 * MB + 1];
    let event = [("X-Amz-Invocation-Type", "Event")];
    let unlucky = [("X-Amz-Invocation-Type", "Later")];
    let context = [("X-Amz-Client-Context", "bm8gSlNPTg==")];
    let unknown = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:G";
    for (name, headers, body, status, kind, words) in [
        ("G", &[][..], &b"{}"[..], 404, "ResourceNotFoundException", unknown),
        ("F:live", &[], b"{}", 404, "ResourceNotFoundException", "function:F:live"),
        ("a%20b", &[], b"{}", 400, "ValidationException", "'functionName' failed"),
        ("F", &[], b"{nonsense", 400, "InvalidRequestContentException", "Could not parse request body into json"),
        ("F", &[], &large, 413, "RequestTooLargeException", "smaller than 6291456 bytes"),
        ("F", &event, &large[..=MB], 413, "RequestTooLargeException", "smaller than 1048576 bytes"),
        ("F", &unlucky, b"{}", 400, "ValidationException", "[Event, RequestResponse, DryRun]"),
        ("F", &context, b"{}", 400, "InvalidRequestContentException", "Base64-encoded JSON object"),
    ] {
        let reply = lambda.invoke(name, headers, body).await;
        assert_eq!((reply.status, reply.header("x-amzn-errortype")), (status, Some(kind)), "{name}");
        let body = reply.json();
        let message = body["message"].as_str().or_else(|| body["Message"].as_str()).unwrap();
        assert!(message.contains(words) && body["Type"] == "User", "{body}");
    }
    for other in ["/2015-03-31/layers", "/2015-03-31/functions/F/invocations"] {
        let reply = lambda.get(other).await;
        assert_eq!((reply.status, reply.header("x-amzn-errortype")), (404, Some("UnknownOperationException")));
    }
    assert_eq!(lambda.invocations(), (0, 0), "nothing of this has reached the function");
    lambda.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_error_is_a_success_with_a_header() {
    let lambda = Lambda::start(vec![function("F")]);
    for (event, kind) in [("error", "Refused"), ("crash", "Runtime.ExitError"), ("hang", "Sandbox.Timedout")] {
        let reply = lambda.invoke("F", &[], json!({ "do": event }).to_string().as_bytes()).await;
        assert_eq!((reply.status, reply.header("x-amz-function-error")), (200, Some("Unhandled")), "{event}");
        assert_eq!(reply.json()["errorType"], kind);
    }
    lambda.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_the_log_comes_with_the_answer_where_it_is_asked_for() {
    let lambda = Lambda::start(vec![function("F")]);
    let event = json!({ "do": "log", "lines": ["x".repeat(10_000), "the last line"] }).to_string();
    let reply = lambda.invoke("F", &[("X-Amz-Log-Type", "Tail")], event.as_bytes()).await;
    let log = STANDARD.decode(reply.header("x-amz-log-result").unwrap()).unwrap();
    let log = String::from_utf8(log).unwrap();
    let id = reply.header("x-amzn-requestid").unwrap();
    assert_eq!(log.len(), 4096);
    assert!(
        log.contains(&format!("xxx\nthe last line\nEND RequestId: {id}\nREPORT RequestId: {id}\tDuration: ")),
        "{log}"
    );
    assert_eq!(lambda.invoke("F", &[], event.as_bytes()).await.header("x-amz-log-result"), None);
    lambda.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clients_context_is_handed_on_as_json() {
    let lambda = Lambda::start(vec![function("F")]);
    let context = STANDARD.encode("{\n  \"custom\": {\"tab\": \"7\"}\n}");
    let reply = lambda.invoke("F", &[("X-Amz-Client-Context", &context)], br#"{"do":"env"}"#).await;
    let headers = reply.json()["headers"].clone();
    let expected = json!(r#"lambda-runtime-client-context: {"custom":{"tab":"7"}}"#);
    assert!(headers.as_array().unwrap().contains(&expected), "{headers}");
    lambda.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_runs_nothing_and_an_event_runs_behind_its_answer() {
    let lambda = Lambda::start(vec![function("F")]);
    let dry = lambda.invoke("F", &[("X-Amz-Invocation-Type", "DryRun")], b"{}").await;
    assert_eq!((dry.status, dry.body.len(), lambda.invocations()), (204, 0, (0, 0)));
    let reply = lambda.invoke("F", &[("X-Amz-Invocation-Type", "Event")], br#"{"do":"sleep","ms":300}"#).await;
    assert_eq!((reply.status, reply.body.len()), (202, 0));
    assert!(reply.header("x-amzn-requestid").is_some());
    eventually("it ran", || lambda.invocations() == (1, 0) && lambda.supervisor.status()[0].running == 0).await;
    lambda.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_fails_is_tried_twice_more_under_the_same_request_id() {
    let lambda = Lambda::start(vec![function("F")]);
    let reply = lambda.invoke("F", &[("X-Amz-Invocation-Type", "Event")], br#"{"do":"error"}"#).await;
    assert_eq!(reply.status, 202);
    eventually("three attempts", || lambda.invocations() == (3, 3)).await;
    // As long as two more attempts would have taken.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(lambda.invocations(), (3, 3));
    lambda.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_call_is_429_with_the_reason_and_a_throttled_event_waits() {
    let mut one = function("F");
    one.reserved_concurrency = Some(1);
    one.timeout_s = 5;
    let lambda = Arc::new(Lambda::start(vec![one]));
    let first = tokio::spawn({
        let lambda = Arc::clone(&lambda);
        async move { lambda.invoke("F", &[], br#"{"do":"sleep","ms":800}"#).await.status }
    });
    eventually("the first runs", || lambda.supervisor.status()[0].running == 1).await;
    let reply = lambda.invoke("F", &[], b"{}").await;
    assert_eq!((reply.status, reply.header("x-amzn-errortype")), (429, Some("TooManyRequestsException")));
    assert_eq!(reply.json()["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    let event = lambda.invoke("F", &[("X-Amz-Invocation-Type", "Event")], b"{}").await;
    assert_eq!(event.status, 202);
    assert_eq!(first.await.unwrap(), 200);
    eventually("the event's turn", || lambda.invocations() == (2, 0)).await;
    Arc::into_inner(lambda).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_beyond_what_the_queue_holds_are_refused() {
    let mut none = function("F");
    none.reserved_concurrency = Some(0);
    let lambda = Lambda::start(vec![none]);
    let megabyte = vec![b'1'; MB];
    let mut accepted = 0;
    let refused = loop {
        let reply = lambda.invoke("F", &[("X-Amz-Invocation-Type", "Event")], &megabyte).await;
        match reply.status {
            202 => accepted += 1,
            _ => break reply,
        }
        assert!(accepted < 100, "it has no bound");
    };
    assert_eq!(
        (accepted, refused.status, refused.header("x-amzn-errortype")),
        (64, 429, Some("TooManyRequestsException"))
    );
    lambda.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_functions_are_told_of_in_pages_and_one_by_one() {
    let mut second = function("G");
    second.reserved_concurrency = Some(7);
    let lambda = Lambda::start(vec![function("F"), second]);
    let all = lambda.get("/2015-03-31/functions/").await.json();
    let names: Vec<_> = all["Functions"].as_array().unwrap().iter().map(|f| f["FunctionName"].clone()).collect();
    assert_eq!((names, &all["NextMarker"]), (vec![json!("stack-F"), json!("stack-G")], &json!(null)));
    let page = lambda.get("/2015-03-31/functions?MaxItems=1").await.json();
    let next =
        lambda.get(&format!("/2015-03-31/functions?Marker={}", page["NextMarker"].as_str().unwrap())).await.json();
    assert_eq!(next["Functions"][0]["FunctionName"], "stack-G");
    let one = lambda.get("/2015-03-31/functions/stack-G").await.json();
    assert_eq!(one["Concurrency"]["ReservedConcurrentExecutions"], 7);
    let configuration = lambda.get("/2015-03-31/functions/stack-G/configuration").await.json();
    assert_eq!(configuration, one["Configuration"]);
    assert_eq!((&configuration["Timeout"], &configuration["MemorySize"]), (&json!(1), &json!(128)));
    assert_eq!(lambda.get("/2015-03-31/functions/H").await.status, 404);
    lambda.stop().await;
}

/// boto3 as `scripts/sam-tools` installs it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_invokes_and_raises_lambdas_own_exceptions() {
    let (mut limited, mut none) = (function("F"), function("G"));
    limited.reserved_concurrency = Some(5);
    none.reserved_concurrency = Some(0);
    let lambda = Lambda::start(vec![limited, none]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = tokio::process::Command::new(root.join("../scripts/sam-tools")).output().await.unwrap();
    assert!(tools.status.success(), "{}", String::from_utf8_lossy(&tools.stderr));
    let python = Path::new(String::from_utf8_lossy(&tools.stdout).trim()).join("bin/python");
    let ran = tokio::process::Command::new(python)
        .arg(root.join("tests/invoke_api/with_boto3.py"))
        .arg(format!("http://{}", lambda.api.address()))
        .output()
        .await
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(String::from_utf8_lossy(&ran.stdout).trim(), "12 checks");
    lambda.stop().await;
}
