//! Memory, the init phase, the Runtime API's refusals, and the end.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use freshet_localstack::functions::{Call, Invoke as _, Outcome, Supervisor};
use freshet_localstack::template::model::{Code, Function};
use serde_json::json;

use crate::support::{self, alive, eventually, examples, function, supervisor};
use crate::{body, call};

/// A function whose folder holds this `bootstrap`.
fn bootstrap(folder: &Path, content: &[u8], mode: u32) -> Function {
    let program = folder.join("bootstrap");
    std::fs::write(&program, content).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).unwrap();
    Function { code: Code::Bootstrap(folder.to_owned()), ..function("F") }
}

/// A shell function that becomes the test function after these commands.
fn script(folder: &Path, commands: &str) -> Function {
    let program = examples().join("test_function");
    bootstrap(folder, format!("#!/bin/sh\n{commands}\nexec {}\n", program.display()).as_bytes(), 0o755)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_above_its_memory_size_is_killed_and_the_next_event_has_a_new_process() {
    let mut small = function("F");
    small.timeout_s = 30;
    let supervisor = supervisor(small);
    let fits = call(&supervisor, json!({ "do": "allocate", "mb": 64 })).await;
    assert_eq!(fits, Outcome::Response(Bytes::from_static(b"8")));
    let event = json!({ "do": "allocate", "mb": 4096 }).to_string();
    let done = supervisor.call("F", Call { payload: Bytes::from(event), ..Call::default() }).await;
    let error = body(&done.outcome);
    assert_eq!(error["errorType"], "Runtime.OutOfMemory");
    let message = format!("RequestId: {} Error: Runtime exited with error: signal: killed", done.request_id);
    assert_eq!(error["errorMessage"], message);
    let log = String::from_utf8(done.log_tail).unwrap();
    let report = "Memory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory\n";
    assert!(log.ends_with(report), "{log}");
    assert!(matches!(call(&supervisor, json!({})).await, Outcome::Response(_)));
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_of_what_a_function_has_started_counts_and_so_does_its_init_phase() {
    let folder = tempfile::tempdir().unwrap();
    let child = "if [ -z \"$CHILD\" ]; then CHILD=1 TEST_INIT=allocate \"$0\" & fi";
    let with_child = script(folder.path(), child);
    let supervisor = supervisor(Function { timeout_s: 30, ..with_child });
    let error = body(&call(&supervisor, json!({ "do": "hang" })).await);
    assert_eq!(error["errorType"], "Runtime.OutOfMemory", "{error}");
    supervisor.stop().await;

    let mut large = function("F");
    large.environment.insert("TEST_INIT".to_owned(), "allocate".to_owned());
    let supervisor = support::supervisor(large);
    let error = body(&call(&supervisor, json!({})).await);
    assert!(error["errorMessage"].as_str().unwrap().contains("more memory than its MemorySize"), "{error}");
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_the_system_does_not_run_is_said_in_the_systems_words() {
    let not_ours: &[u8] = b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00";
    for (content, mode, words) in [
        (b"#!/bin/sh\n".as_slice(), 0o644, "Permission denied"),
        // An ELF header of another machine (RISC-V).
        (not_ours, 0o755, "exec format error: it is built for riscv"),
        (b"#!/no/such/interpreter\n", 0o755, "No such file or directory"),
        (b"#!/bin/sh\nexec no-such-program\n", 0o755, "no-such-program: not found"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let supervisor = supervisor(bootstrap(folder.path(), content, mode));
        let error = body(&call(&supervisor, json!({})).await);
        assert_eq!(error["errorType"], "Runtime.InitError");
        assert!(error["errorMessage"].as_str().unwrap().contains(words), "{words}: {error}");
        supervisor.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_init_phase_has_ten_seconds() {
    let mut slow = function("F");
    slow.environment.insert("TEST_INIT".to_owned(), "hang".to_owned());
    let mut options = support::options(slow);
    options.prewarm = false;
    let supervisor = Supervisor::start(options).unwrap();
    let started = Instant::now();
    let error = body(&call(&supervisor, json!({})).await);
    let took = started.elapsed();
    assert!(error["errorMessage"].as_str().unwrap().contains("first event within 10 s"), "{error}");
    assert!((Duration::from_secs(10)..Duration::from_secs(12)).contains(&took), "{took:?}");
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runtime_api_refuses_what_lambdas_does() {
    let supervisor = supervisor(function("F"));
    let not_allowed = |from: &str, into: &str| {
        let message = format!(
            "State transition from {from} to {into} failed for runtime. Error: State transition is not allowed"
        );
        json!(["403", "InvalidStateTransition", message])
    };
    let invalid_id = json!(["400", "InvalidRequestID", "Invalid request ID"]);
    let refused = body(&call(&supervisor, json!({ "do": "misuse" })).await);
    let expected =
        json!([not_allowed("Running", "Ready"), invalid_id, invalid_id, not_allowed("Running", "InitError")]);
    assert_eq!(refused, expected);
    assert!(matches!(call(&supervisor, json!({ "do": "again" })).await, Outcome::Response(_)));
    let second = body(&call(&supervisor, json!({ "do": "again" })).await);
    assert_eq!(second, not_allowed("Ready", "InvocationResponse"));
    let streamed = body(&call(&supervisor, json!({ "do": "stream" })).await);
    assert_eq!(streamed["errorType"], "Function.ResponseModeNotSupported");
    let told = body(&call(&supervisor, json!({ "do": "again" })).await);
    assert_eq!((&told[0], &told[1]), (&json!("400"), &json!("InvalidFunctionResponseMode")));
    assert_eq!(supervisor.status()[0].restarts, 0, "one process went through all of it");
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_ignores_sigterm_is_killed_after_two_seconds_with_all_it_has_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let commands = format!("trap '' TERM\n(sleep 600 & echo $! >>{0}; sleep 601) & echo $! >>{0}", pids.display());
    let supervisor = supervisor(script(folder.path(), &commands));
    assert!(matches!(call(&supervisor, json!({})).await, Outcome::Response(_)));
    let mut all = supervisor.pids("F");
    eventually("both have been started", || std::fs::read_to_string(&pids).unwrap_or_default().lines().count() == 2)
        .await;
    all.extend(std::fs::read_to_string(&pids).unwrap().lines().map(|pid| pid.parse::<u32>().unwrap()));
    assert!(all.len() == 3 && all.iter().all(|pid| alive(*pid)), "{all:?}");
    let started = Instant::now();
    supervisor.stop().await;
    let took = started.elapsed();
    assert!((Duration::from_millis(1900)..Duration::from_secs(3)).contains(&took), "{took:?}");
    eventually("nobody is left", || all.iter().all(|pid| !alive(*pid))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_heeds_sigterm_ends_at_once_and_its_children_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let supervisor = supervisor(script(folder.path(), &format!("sleep 600 & echo $! >{}", pid.display())));
    assert!(matches!(call(&supervisor, json!({})).await, Outcome::Response(_)));
    let child: u32 = std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    assert!(alive(child));
    let started = Instant::now();
    supervisor.stop().await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    eventually("nobody is left", || !alive(child)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_context_reaches_the_function_as_json() {
    let supervisor = supervisor(function("F"));
    let context = r#"{"client":{"app_title":"shop"}}"#.to_owned();
    let payload = Bytes::from_static(br#"{"do":"env"}"#);
    let answer = supervisor.call("F", Call { payload, client_context: Some(context.clone()), request_id: None }).await;
    let headers = body(&answer.outcome)["headers"].to_string();
    assert!(headers.contains("lambda-runtime-client-context: {\\\"client\\\":"), "{headers}");
    assert!(headers.contains(&format!("lambda-runtime-aws-request-id: {}", answer.request_id)), "{headers}");
    supervisor.stop().await;
}
