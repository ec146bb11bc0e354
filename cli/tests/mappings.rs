//! `freshet mappings` beside a system that runs, and where none does.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod common;

use std::process::Command;

use serde_json::Value;

const FRESHET: &str = env!("CARGO_BIN_EXE_freshet");

fn mappings(data_dir: &str, more: &[&str]) -> (i32, String, String) {
    let output = Command::new(FRESHET).args(["mappings", "--data-dir", data_dir]).args(more).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mappings_of_what_runs_are_shown_and_where_nothing_runs_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (code, printed, said) = mappings(folder.path().to_str().unwrap(), &[]);
    assert!(code == 2 && printed.is_empty() && said.contains("no `freshet up` runs on"), "{said}");

    let system = common::System::start().await;
    let (code, printed, said) = mappings(system.data_dir(), &["--json"]);
    assert_eq!(code, 0, "it is told before `freshet up` says that it is up: {said}");
    let told: Value = serde_json::from_str(&printed).unwrap();
    let all = told["mappings"].as_array().unwrap();
    let recommend = all.iter().find(|mapping| mapping["function"] == "Recommend").unwrap();
    assert_eq!((&recommend["topic"], &recommend["filtered"]), (&Value::from("user-events"), &Value::from(0)));
    let (code, printed, _) = mappings(system.data_dir(), &[]);
    let is_shown = |mapping: &Value| printed.contains(mapping["id"].as_str().unwrap());
    assert!(code == 0 && printed.contains("lag") && all.iter().all(is_shown), "{printed}");

    let id = recommend["id"].as_str().unwrap();
    let state = |switch: &str| {
        let (code, printed, said) = mappings(system.data_dir(), &[switch, id, "--json"]);
        assert_eq!(code, 0, "{said}");
        let told: Value = serde_json::from_str(&printed).unwrap();
        told["mappings"].as_array().unwrap().iter().find(|mapping| mapping["id"] == id).unwrap()["state"].clone()
    };
    assert_eq!((state("--disable"), state("--enable")), (Value::from("Disabled"), Value::from("Enabled")));
    let (code, _, said) = mappings(system.data_dir(), &["--disable", "Nobody/Nothing"]);
    assert!(code == 2 && said.contains("there is no mapping Nobody/Nothing") && said.contains(id), "{said}");
}
