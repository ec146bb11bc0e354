//! `freshet evaluate` on small files whose figures can be worked out by hand, on bad ones, and stopped on its way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

const FRESHET: &str = env!("CARGO_BIN_EXE_freshet");
/// How long a run may take before a test gives up.
const PATIENCE: Duration = Duration::from_mins(2);
/// The names of the result line.
const NAMES: &str = "hr20 mrr20 first5000 quarters coverage20 filled predictions seconds recommend_us learn_per_s events_per_s item_writes bytes";

fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Exit code, stdout, stderr.
fn evaluate(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(FRESHET).arg("evaluate").args(args).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The result line of a run that ends well.
fn figures(args: &[&str]) -> Value {
    let (code, said, errors) = evaluate(&[args, &["--json"]].concat());
    assert_eq!(code, 0, "{errors}");
    serde_json::from_str(said.lines().last().unwrap()).unwrap()
}

fn names(value: &Value) -> String {
    value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// People who walk from a to b to c, and so on, all alike: everything but a first event can be foretold.
fn walks(people: usize) -> String {
    let mut rows = "user,item,split\n".to_owned();
    for person in 0..people {
        let part = if person * 4 < people * 3 { "train" } else { "test" };
        "abcde".chars().for_each(|item| writeln!(rows, "{person},{item},{part}").unwrap());
    }
    rows
}

#[test]
fn the_figures_are_right_and_the_line_has_these_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "walks.csv", &walks(40));
    let line = figures(&[text(&path)]);
    assert_eq!(names(&line), NAMES);
    // Of the first person's five events the last four are new to everybody; later ones are in lists of five
    assert_eq!(line["predictions"], 160, "{line}");
    let hits = line["hr20"].as_f64().unwrap();
    assert!((hits - 156.0 / 160.0).abs() < 1e-9, "{line}");
    assert!(line["mrr20"].as_f64().unwrap() > 0.8 && line["first5000"]["hr20"] == line["hr20"], "{line}");
    assert_eq!((line["coverage20"].as_f64(), line["quarters"].as_array().map(Vec::len)), (Some(1.0), Some(4)));
    assert_eq!(names(&line["recommend_us"]), "p50 p90 p99");
    let us = |name: &str| line["recommend_us"][name].as_f64().unwrap();
    assert!(us("p50") > 0.1 && us("p50") <= us("p99") && us("p99") < 10_000_000.0, "{line}");
    assert!(line["seconds"].as_f64().unwrap() * 1e6 > us("p50") * 80.0, "{line}");
    assert!(line["learn_per_s"].as_f64().unwrap() > 10.0, "{line}");
    assert!(line["bytes"]["item"].as_u64().unwrap() > 10 && line["bytes"]["person"].as_u64().unwrap() > 10, "{line}");

    let split = figures(&[text(&path), "--protocol", "split"]);
    assert_eq!((&split["predictions"], &split["hr20"]), (&Value::from(40), &Value::from(1.0)), "{split}");
    assert_eq!(figures(&[text(&path), "--limit", "5"])["predictions"], 4);
    let new = figures(&[text(&path), "--new-only", "--strategy", "collaborative"]);
    assert_eq!((&new["predictions"], new["hr20"].as_f64().unwrap() > 0.9), (&Value::from(160), true), "{new}");
    let products = file(&folder, "items.csv", "item,category,colour\na,x,red\nb,x,red\nc,x,red\nd,y,blue\ne,y,blue\n");
    let alike = figures(&[text(&path), "--strategy", "content_based", "--items", text(&products), "--new-only"]);
    assert!(alike["hr20"].as_f64().unwrap() > 0.5, "{alike}");
}

#[test]
fn others_stand_beside_ours_in_a_table_and_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "walks.csv", &walks(40));
    let line = figures(&[text(&path), "--compare"]);
    assert_eq!(names(&line), format!("{NAMES} peers"));
    assert_eq!(names(&line["peers"]), "popularity history sr v-sknn vmis-knn");
    assert_eq!(names(&line["peers"]["sr"]), NAMES);
    assert_eq!(line["hr20"], figures(&[text(&path)])["hr20"], "others change nothing");
    let (code, said, errors) = evaluate(&[text(&path), "--compare"]);
    assert!(code == 0 && errors.contains("200 events of 40 people with 5 products"), "{errors}");
    assert!(said.lines().count() == 7 && said.contains("freshet hybrid") && said.contains("HR@20"), "{said}");
    let (_, said, _) = evaluate(&[text(&path)]);
    assert!(said.contains("HR@20 / MRR@20    0.97") && !said.contains('\u{1b}'), "{said}");
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(&folder, "good.csv", "user,item\n1,a\n1,b\n");
    let bad = file(&folder, "bad.csv", "user,item,ts\n1,a,1\n1,b,soon\n");
    let config = file(&folder, "engine.toml", "neighbors = 5\n");
    let range = file(&folder, "range.toml", "neighbours = 0\n");
    for (args, code, says) in [
        (&[text(&bad)][..], 1, "bad.csv, line 3, column ts: expected seconds since the epoch"),
        (&["/nowhere.csv"], 1, "/nowhere.csv: expected a CSV file"),
        (&[], 2, "<FILE>"),
        (&[text(&good), "--strategy", "magic"], 2, "[possible values: collaborative, content_based, hybrid]"),
        (&[text(&good), "--protocol", "split"], 1, "--protocol split: expected a data set with a column split"),
        (&[text(&good), "--order", "random"], 2, "[possible values: file, ts]"),
        (&[text(&good), "--limit", "0"], 2, "--limit"),
        (
            &[text(&good), "--config", text(&config)],
            2,
            "engine.toml: unknown key \"neighbors\": expected context_steps,",
        ),
        (
            &[text(&good), "--config", text(&range)],
            2,
            "range.toml: neighbours: expected a whole number from 1 to 1000, got 0",
        ),
    ] {
        let (got, said, errors) = evaluate(args);
        assert_eq!(got, code, "{errors}");
        assert!(errors.contains(says) && said.is_empty(), "{errors}");
    }
}

#[test]
fn a_configuration_changes_what_comes_out_and_the_printed_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "walks.csv", &walks(40));
    let (code, printed, _) = evaluate(&["--print-config"]);
    assert!(code == 0 && printed.contains("\nneighbours = "), "{printed}");
    let defaults = file(&folder, "defaults.toml", &printed);
    let few = file(&folder, "few.toml", "neighbours = 1\ncontext_steps = 1\n");
    let run = |config: &Path| {
        let mut line = figures(&[text(&path), "--config", text(config)]);
        for clock in ["seconds", "recommend_us", "learn_per_s", "events_per_s"] {
            line[clock] = Value::Null;
        }
        line
    };
    let mut plain = figures(&[text(&path)]);
    for clock in ["seconds", "recommend_us", "learn_per_s", "events_per_s"] {
        plain[clock] = Value::Null;
    }
    assert_eq!(run(&defaults), plain);
    let few_figures = run(&few);
    assert!(few_figures["bytes"]["item"].as_u64() < plain["bytes"]["item"].as_u64(), "{few_figures}");
    let (_, printed, _) = evaluate(&["--print-config", "--config", text(&few)]);
    assert!(printed.contains("\nneighbours = 1\n"), "{printed}");
}

#[test]
fn an_interrupted_run_prints_the_figures_so_far() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = "user,item\n".to_owned();
    let mut state = 1_u64;
    for _ in 0..1_500_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        writeln!(rows, "{},{}", (state >> 40) % 5_000, (state >> 33) % 2_000).unwrap();
    }
    let path = file(&folder, "long.csv", &rows);
    let mut child = Command::new(FRESHET)
        .args(["evaluate", "--json", text(&path)])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Said before the first event is judged
    let mut errors = child.stderr.take().unwrap();
    let (mut said, mut byte) = (String::new(), [0]);
    while !said.contains("events of") {
        assert_eq!(errors.read(&mut byte).unwrap(), 1, "it ended: {said}");
        said.push(char::from(byte[0]));
    }
    std::thread::sleep(Duration::from_millis(500));
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let started = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        assert!(started.elapsed() < PATIENCE, "it does not stop");
        std::thread::sleep(Duration::from_millis(20));
    };
    let mut line = String::new();
    child.stdout.take().unwrap().read_to_string(&mut line).unwrap();
    errors.read_to_string(&mut said).unwrap();
    assert_eq!(code, Some(130), "{said}");
    let line: Value = serde_json::from_str(line.trim()).unwrap();
    let predictions = line["predictions"].as_u64().unwrap();
    assert!(predictions > 0 && predictions < 1_400_000, "{line}");
    assert!(said.contains("stopped: the figures of freshet hybrid are of the first "), "{said}");
}
