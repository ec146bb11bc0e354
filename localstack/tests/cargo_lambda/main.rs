//! `cargo lambda watch` as the runner of functions: a workspace without dependencies, in a temporary folder.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use freshet_localstack::functions::{
    CargoLambda, FunctionsError, Invoke as _, LogLine, Outcome, SupervisorOptions, WatchOptions,
};
use freshet_localstack::template::model::{Code, Function};
use serde_json::{Value, json};
use support::{alive, eventually, function};
use tempfile::TempDir;

const SOURCE: &str = include_str!("function.rs");
const MANIFEST: &str =
    "[package]\nname = \"freshet-watched\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n";

/// One at a time: with `CARGO_TARGET_DIR` set they all build into one folder.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A project with two functions, and what they have written.
struct Project {
    _turn: tokio::sync::MutexGuard<'static, ()>,
    folder: TempDir,
    lines: Arc<Mutex<Vec<String>>>,
}

/// cargo-lambda as `scripts/sam-tools` installs it.
async fn program() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/sam-tools");
    let tools = tokio::process::Command::new(script).output().await.unwrap();
    assert!(tools.status.success(), "{}", String::from_utf8_lossy(&tools.stderr));
    Path::new(String::from_utf8_lossy(&tools.stdout).trim()).join("bin/cargo-lambda")
}

impl Project {
    async fn new() -> Self {
        let project = Self { _turn: TURN.lock().await, folder: tempfile::tempdir().unwrap(), lines: Arc::default() };
        std::fs::create_dir_all(project.folder.path().join("src/bin")).unwrap();
        std::fs::write(project.folder.path().join("Cargo.toml"), MANIFEST).unwrap();
        project.save("freshet-watched-one", SOURCE);
        project.save("freshet-watched-two", SOURCE);
        project
    }

    fn save(&self, binary: &str, source: &str) {
        std::fs::write(self.folder.path().join(format!("src/bin/{binary}.rs")), source).unwrap();
    }

    fn options(&self, program: PathBuf) -> (SupervisorOptions, WatchOptions) {
        let watched = |id: &str, binary: &str| Function {
            code: Code::CargoBinary(binary.to_owned()),
            environment: BTreeMap::from([("GREETING".to_owned(), format!("'{id}', \"$HOME\", a=b"))]),
            timeout_s: 2,
            ..function(id)
        };
        let lines = Arc::clone(&self.lines);
        let options = SupervisorOptions {
            functions: vec![watched("One", "freshet-watched-one"), watched("Two", "freshet-watched-two")],
            log_sink: Some(Arc::new(move |line: &LogLine<'_>| {
                lines.lock().unwrap().push(format!("{} {}", line.function, line.text));
            })),
            ..SupervisorOptions::default()
        };
        let watch = WatchOptions {
            program,
            workspace: self.folder.path().to_owned(),
            folder: self.folder.path().join(".freshet/cargo-lambda"),
            concurrency: BTreeMap::from([("One".to_owned(), 1), ("Two".to_owned(), 2)]),
            progress: Arc::new(|_| {}),
        };
        (options, watch)
    }

    async fn start(&self) -> CargoLambda {
        let (options, watch) = self.options(program().await);
        CargoLambda::start(options, watch).await.unwrap()
    }

    fn said(&self, words: &str) -> bool {
        self.lines.lock().unwrap().iter().any(|line| line.contains(words))
    }
}

async fn call(functions: &CargoLambda, id: &str, event: Value) -> Outcome {
    functions.invoke(id, Bytes::from(event.to_string())).await
}

fn body(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Response(bytes) | Outcome::FunctionError(bytes) => serde_json::from_slice(bytes).unwrap(),
        Outcome::Throttled(why) => panic!("throttled: {why}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_is_edited_and_saved_answers_the_next_event_with_its_new_code() {
    let project = Project::new().await;
    let functions = project.start().await;
    for id in ["One", "Two"] {
        let answer = body(&call(&functions, id, json!({})).await);
        assert_eq!(answer["version"], "first", "{answer}");
        assert_eq!(answer["memory"], "128");
    }
    let saved = Instant::now();
    project.save("freshet-watched-one", &SOURCE.replace("first", "second"));
    let second = loop {
        let answer = body(&call(&functions, "One", json!({})).await);
        if answer["version"] == "second" {
            break answer;
        }
        assert!(saved.elapsed() < Duration::from_mins(1), "the old code answers for ever: {answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    println!("the new code answers {:.1} s after it was saved", saved.elapsed().as_secs_f64());
    assert_eq!(body(&call(&functions, "Two", json!({})).await)["version"], "first");

    // What does not compile is said, and its repair is served.
    project.save("freshet-watched-one", "fn main() { nonsense }");
    let broken = loop {
        let answer = body(&call(&functions, "One", json!({})).await);
        if answer["errorType"] == "Runtime.InitError" {
            break answer;
        }
        assert!(saved.elapsed() < Duration::from_mins(2), "it compiles? {answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(broken["errorMessage"].as_str().unwrap().contains("could not compile `freshet-watched`"), "{broken}");
    assert!(project.said("cannot find value `nonsense`"), "cargo's own words are shown");
    project.save("freshet-watched-one", &SOURCE.replace("first", "third"));
    loop {
        let answer = body(&call(&functions, "One", json!({})).await);
        if answer["version"] == "third" {
            break;
        }
        assert!(saved.elapsed() < Duration::from_mins(3), "it stays broken: {answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_ne!(second["pid"], Value::Null);
    functions.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_function_has_its_environment_and_errors_crashes_and_hangs_end_and_are_recovered_from() {
    let project = Project::new().await;
    let functions = project.start().await;
    for id in ["One", "Two"] {
        let answer = body(&call(&functions, id, json!({})).await);
        assert_eq!(answer["greeting"], format!("'{id}', \"$HOME\", a=b"));
    }
    let refused = call(&functions, "One", json!({ "do": "error" })).await;
    assert_eq!(body(&refused), json!({ "errorType": "Refused", "errorMessage": "no" }));
    assert!(matches!(refused, Outcome::FunctionError(_)));
    for (event, kind, words) in [
        ("crash", "Runtime.ExitError", "signal: aborted"),
        ("hang", "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
    ] {
        let started = Instant::now();
        let error = call(&functions, "Two", json!({ "do": event })).await;
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        let error = body(&error);
        // cargo-lambda tells of a crash up to 3 s late: the function's own time may be over by then.
        let late = event == "crash" && error["errorType"] == "Sandbox.Timedout";
        assert!(late || error["errorType"] == kind, "{error}");
        assert!(late || error["errorMessage"].as_str().unwrap().contains(words), "{error}");
        assert!(matches!(call(&functions, "Two", json!({})).await, Outcome::Response(_)), "after {event}");
    }
    let status = functions.status();
    assert_eq!((status[0].restarts, status[1].restarts, status[1].errors), (0, 2, 2), "{status:?}");
    functions.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_events_at_once_are_answered_and_the_end_leaves_nothing_behind() {
    let project = Project::new().await;
    let functions = Arc::new(project.start().await);
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let functions = Arc::clone(&functions);
            tokio::spawn(async move { call(&functions, "Two", json!({})).await })
        })
        .collect();
    let mut pids = std::collections::BTreeSet::new();
    for call in calls {
        let answer = call.await.unwrap();
        pids.insert(u32::try_from(body(&answer)["pid"].as_u64().unwrap()).unwrap());
    }
    pids.extend(functions.pids("One"));
    pids.extend(functions.pids("stack-Two"));
    assert!(pids.len() >= 3 && pids.iter().all(|pid| alive(*pid)), "{pids:?}");
    let busy = tokio::spawn({
        let functions = Arc::clone(&functions);
        async move { call(&functions, "One", json!({ "do": "hang" })).await }
    });
    eventually("it hangs", || project.said("stack-One an event of")).await;
    let started = Instant::now();
    functions.stop().await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(body(&busy.await.unwrap())["errorType"], "Runtime.ExitError");
    eventually("nobody is left", || pids.iter().all(|pid| !alive(*pid))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_said_at_the_start() {
    let project = Project::new().await;
    let (options, watch) = project.options(PathBuf::from("no-such-cargo-lambda"));
    let Err(error) = CargoLambda::start(options, watch).await else { panic!("it started") };
    assert!(error.to_string().contains("pip3 install cargo-lambda==1.9.2"), "{error}");

    let (options, mut watch) = project.options(program().await);
    let elsewhere = tempfile::tempdir().unwrap();
    watch.workspace = elsewhere.path().to_owned();
    let started = CargoLambda::start(options, watch).await;
    assert!(matches!(started, Err(FunctionsError::NoWorkspace(_))));

    project.save("freshet-watched-two", "fn main() { nonsense }");
    let (options, watch) = project.options(program().await);
    let Err(error) = CargoLambda::start(options, watch).await else { panic!("it started") };
    assert!(error.to_string().starts_with("cargo build --bin freshet-watched-one --bin freshet-watched-two failed"));
    assert!(project.said("cannot find value `nonsense`"));
}
