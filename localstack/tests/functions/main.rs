//! Functions as processes under the Runtime API, with a real client of it (`examples/test_function.rs`).

#![allow(clippy::unwrap_used, clippy::panic)]

mod limits;
mod log;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use freshet_localstack::functions::{
    Invoke, MAX_PAYLOAD_BYTES, MAX_RESPONSE_BYTES, Outcome, Supervisor, SupervisorOptions,
};
use serde_json::{Value, json};
use support::{alive, eventually, function, supervisor};

fn body(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Response(bytes) | Outcome::FunctionError(bytes) => serde_json::from_slice(bytes).unwrap(),
        Outcome::Throttled(why) => panic!("throttled: {why}"),
    }
}

async fn call(supervisor: &Supervisor, event: Value) -> Outcome {
    supervisor.invoke("F", Bytes::from(event.to_string())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_answered_and_the_process_kept() {
    let supervisor = supervisor(function("F"));
    let event = json!({ "hello": "wörld" });
    assert_eq!(call(&supervisor, event.clone()).await, Outcome::Response(Bytes::from(event.to_string())));
    let pids = supervisor.pids("F");
    assert_eq!(pids.len(), 1);
    for _ in 0..20 {
        assert!(matches!(call(&supervisor, event.clone()).await, Outcome::Response(_)));
    }
    assert_eq!(supervisor.pids("stack-F"), pids, "one process served all, by name too");
    supervisor.stop().await;
    assert!(!alive(pids[0]));
    assert!(matches!(call(&supervisor, event).await, Outcome::Throttled(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_sees_lambdas_environment_and_not_ours() {
    let mut wanted = function("F");
    wanted.environment.insert("TABLE".to_owned(), "orders".to_owned());
    let mut options = support::options(wanted);
    options.environment.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), "http://127.0.0.1:1".to_owned());
    let supervisor = Supervisor::start(options).unwrap();
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let answer = body(&call(&supervisor, json!({ "do": "env" })).await);
    let environment = &answer["environment"];
    assert_eq!(environment["TABLE"], "orders");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "stack-F");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
    assert_eq!(environment["AWS_REGION"], "us-east-1");
    assert_eq!(environment["AWS_ACCESS_KEY_ID"], "local");
    assert_eq!(environment["AWS_ENDPOINT_URL_DYNAMODB"], "http://127.0.0.1:1");
    assert_eq!(environment["TZ"], ":UTC");
    assert!(environment.get("CARGO_MANIFEST_DIR").is_none(), "the parent's environment leaked");
    let header = |name: &str| {
        let headers = answer["headers"].as_array().unwrap();
        let found = headers.iter().filter_map(|line| line.as_str()?.split_once(": ")).find(|(key, _)| *key == name);
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    assert_eq!(header("lambda-runtime-invoked-function-arn"), "arn:aws:lambda:us-east-1:000000000000:function:stack-F");
    assert!(header("lambda-runtime-trace-id").starts_with("Root=1-"));
    let deadline: u128 = header("lambda-runtime-deadline-ms").parse().unwrap();
    assert!((before + 1000..before + 11_000).contains(&deadline), "{deadline} is 1 s after the hand-over");
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_is_the_functions_own_and_the_process_goes_on() {
    let supervisor = supervisor(function("F"));
    let outcome = call(&supervisor, json!({ "do": "error" })).await;
    assert_eq!(body(&outcome), json!({ "errorMessage": "refused", "errorType": "Refused" }));
    assert!(matches!(outcome, Outcome::FunctionError(_)));
    assert!(matches!(call(&supervisor, json!({})).await, Outcome::Response(_)));
    assert_eq!((supervisor.status()[0].restarts, supervisor.status()[0].errors), (0, 1));
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_answers_at_once_and_a_new_process_takes_over() {
    let supervisor = supervisor(function("F"));
    for (event, words) in
        [("crash", "Runtime exited with error: signal: aborted"), ("exit", "without providing a reason")]
    {
        let started = Instant::now();
        let outcome = call(&supervisor, json!({ "do": event })).await;
        assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
        let error = body(&outcome);
        assert_eq!(error["errorType"], "Runtime.ExitError");
        assert!(error["errorMessage"].as_str().unwrap().contains(words), "{error}");
    }
    eventually("both replaced", || supervisor.status()[0].restarts == 2 && supervisor.pids("F").len() == 1).await;
    assert!(matches!(call(&supervisor, json!({})).await, Outcome::Response(_)));
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_process_that_is_killed_is_replaced_and_its_caller_is_answered() {
    let supervisor = supervisor(function("F"));
    assert!(matches!(call(&supervisor, json!({})).await, Outcome::Response(_)));
    for round in 0..10 {
        let old = supervisor.pids("F");
        old.iter().copied().for_each(support::kill_9);
        if round % 2 == 0 {
            // At once: the death may not be known yet, and then it is a crash like any other.
            let outcome = call(&supervisor, json!({})).await;
            let crash =
                matches!(&outcome, Outcome::FunctionError(_)) && body(&outcome)["errorType"] == "Runtime.ExitError";
            assert!(crash || matches!(outcome, Outcome::Response(_)), "{outcome:?}");
        }
        eventually("a new process", || supervisor.pids("F").iter().any(|pid| !old.contains(pid))).await;
        assert!(matches!(call(&supervisor, json!({})).await, Outcome::Response(_)));
    }
    assert_eq!(supervisor.pids("F").len(), 1);
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deadline_kills_the_process() {
    let supervisor = supervisor(function("F"));
    assert!(matches!(call(&supervisor, json!({})).await, Outcome::Response(_)));
    let old = supervisor.pids("F");
    let started = Instant::now();
    let error = body(&call(&supervisor, json!({ "do": "hang" })).await);
    let took = started.elapsed();
    assert!((Duration::from_millis(950)..Duration::from_millis(1900)).contains(&took), "{took:?}");
    assert_eq!(error["errorType"], "Sandbox.Timedout");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(
        message.starts_with("RequestId: ") && message.ends_with("Error: Task timed out after 1.00 seconds"),
        "{message}"
    );
    assert!(!alive(old[0]), "the process lives on");
    assert!(matches!(call(&supervisor, json!({})).await, Outcome::Response(_)));
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrency_is_more_processes_up_to_the_limit() {
    let mut limited = function("F");
    limited.reserved_concurrency = Some(3);
    let mut options = support::options(limited);
    options.wait = Duration::from_millis(100);
    let supervisor = Arc::new(Supervisor::start(options).unwrap());
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let supervisor = Arc::clone(&supervisor);
            tokio::spawn(async move { call(&supervisor, json!({ "do": "sleep", "ms": 600 })).await })
        })
        .collect();
    let mut answered = 0;
    for call in calls {
        answered += usize::from(matches!(call.await.unwrap(), Outcome::Response(_)));
    }
    assert_eq!(answered, 3, "a reserved concurrency throttles the others at once");
    assert_eq!(supervisor.pids("F").len(), 3);
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machines_own_limit_makes_callers_wait_and_a_reservation_of_none_throttles_all() {
    let mut options = support::options(function("F"));
    options.default_concurrency = 1;
    let supervisor = Arc::new(Supervisor::start(options).unwrap());
    let first = tokio::spawn({
        let supervisor = Arc::clone(&supervisor);
        async move { call(&supervisor, json!({ "do": "sleep", "ms": 300 })).await }
    });
    eventually("the first runs", || supervisor.status()[0].running == 1).await;
    assert!(matches!(call(&supervisor, json!({})).await, Outcome::Response(_)));
    assert!(matches!(first.await.unwrap(), Outcome::Response(_)));
    supervisor.stop().await;

    let mut none = function("F");
    none.reserved_concurrency = Some(0);
    let supervisor = support::supervisor(none);
    let started = Instant::now();
    assert!(matches!(call(&supervisor, json!({})).await, Outcome::Throttled(_)));
    assert!(started.elapsed() < Duration::from_millis(500));
    assert!(supervisor.pids("F").is_empty());
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_init_is_said_in_the_functions_words_and_never_hangs() {
    for (how, words) in [
        ("fail", "Config: no table was given"),
        ("exit", "exit status 3 before it asked for its first event; its last words: the configuration is missing"),
        ("panic", "thread 'main' panicked at src/main.rs:7:5:\nTABLE is not set"),
    ] {
        let mut failing = function("F");
        failing.environment.insert("TEST_INIT".to_owned(), how.to_owned());
        let supervisor = supervisor(failing);
        let started = Instant::now();
        for _ in 0..50 {
            let error = body(&call(&supervisor, json!({})).await);
            assert_eq!(error["errorType"], "Runtime.InitError");
            assert!(error["errorMessage"].as_str().unwrap().contains(words), "{error}");
        }
        assert!(started.elapsed() < Duration::from_secs(3), "the back-off answers at once");
        assert!(supervisor.status()[0].init_error.as_ref().unwrap().contains(words));
        supervisor.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_megabytes_are_the_most_in_both_directions() {
    let supervisor = supervisor(function("F"));
    let error = body(&supervisor.invoke("F", Bytes::from(vec![b'1'; MAX_PAYLOAD_BYTES + 1])).await);
    assert_eq!(error["errorType"], "RequestEntityTooLargeException");
    let large = call(&supervisor, json!({ "do": "big", "bytes": MAX_RESPONSE_BYTES })).await;
    assert!(matches!(large, Outcome::Response(bytes) if bytes.len() == MAX_RESPONSE_BYTES));
    let error = body(&call(&supervisor, json!({ "do": "big", "bytes": MAX_RESPONSE_BYTES + 1 })).await);
    assert_eq!(error["errorType"], "Function.ResponseSizeTooLarge");
    let words = "Response payload size (6291557 bytes) exceeded maximum allowed payload size (6291556 bytes).";
    assert_eq!(error["errorMessage"], words);
    assert!(matches!(call(&supervisor, json!({})).await, Outcome::Response(_)));
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_program_is_named_with_what_builds_it() {
    let mut missing = function("F");
    missing.code = freshet_localstack::template::model::Code::CargoBinary("no-such-binary".to_owned());
    let Err(error) =
        Supervisor::start(SupervisorOptions { functions: vec![missing], ..support::options(function("F")) })
    else {
        panic!("it started")
    };
    let said = error.to_string();
    assert!(said.contains("function F") && said.contains("cargo build --bin no-such-binary"), "{said}");
}

/// The busy function can't see that its Runtime API is gone: only the kernel can end it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_function_outlives_a_kill_9_of_its_parent() {
    let mut parent = support::example("test_parent");
    let mut line = String::new();
    let stdout = parent.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    let pid: u32 = line.trim().parse().unwrap();
    assert!(alive(pid));
    parent.kill().unwrap();
    parent.wait().unwrap();
    eventually("the function is gone", || !alive(pid)).await;
}
