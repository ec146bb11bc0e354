//! What more than one test of this crate needs.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use freshet_localstack::functions::{Supervisor, SupervisorOptions};
use freshet_localstack::template::model::{Code, Function};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Where cargo puts the examples of this build.
pub fn examples() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples")
}

pub fn function(logical_id: &str) -> Function {
    Function {
        logical_id: logical_id.to_owned(),
        name: format!("stack-{logical_id}"),
        code: Code::CargoBinary("test_function".to_owned()),
        handler: "bootstrap".to_owned(),
        timeout_s: 1,
        memory_mb: 128,
        environment: BTreeMap::new(),
        reserved_concurrency: None,
    }
}

pub fn options(function: Function) -> SupervisorOptions {
    SupervisorOptions { functions: vec![function], binaries: examples(), ..SupervisorOptions::default() }
}

pub fn supervisor(function: Function) -> Supervisor {
    Supervisor::start(options(function)).unwrap()
}

pub fn example(name: &str) -> Child {
    Command::new(examples().join(name)).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

fn pid(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap())
}

/// A process that runs; a zombie does not.
pub fn alive(number: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{number}/stat")) else { return false };
    kill(pid(number), None).is_ok() && !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z')
}

pub fn kill_9(number: u32) {
    let _ = kill(pid(number), Signal::SIGKILL);
}

/// Waits for a condition, at most 10 s.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < until, "it never came: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
