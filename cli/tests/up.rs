//! `freshet up` with a template that is not ours.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Parameters:
  MSKClusterArn: {Type: String}
  Subnets: {Type: List<AWS::EC2::Subnet::Id>}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello
      Runtime: provided.al2023
      Handler: bootstrap
      VpcConfig: {SubnetIds: !Ref Subnets}
      Events:
        Web:
          Type: HttpApi
          Properties: {Path: /hello, Method: get}
        Orders:
          Type: MSK
          Properties: {Stream: !Ref MSKClusterArn, Topics: [orders], StartingPosition: TRIM_HORIZON}
  Bucket:
    Type: AWS::S3::Bucket
";

/// Answers every event with its own bytes' number.
const BOOTSTRAP: &str = r#"#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  event=$(curl -sS -D headers "$api/next")
  id=$(tr -d '\r' < headers | sed -n 's/^lambda-runtime-aws-request-id: //Ip')
  curl -sS -X POST "$api/$id/response" -d "{\"statusCode\":200,\"body\":\"${#event}\"}" > answer
done
"#;

fn write(folder: &Path) {
    std::fs::write(folder.join("template.yaml"), TEMPLATE).unwrap();
    std::fs::create_dir(folder.join("hello")).unwrap();
    let bootstrap = folder.join("hello/bootstrap");
    std::fs::write(&bootstrap, BOOTSTRAP).unwrap();
    std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Sends SIGINT; how long the end took.
async fn interrupt(mut up: tokio::process::Child) -> Duration {
    let began = Instant::now();
    kill(Pid::from_raw(i32::try_from(up.id().unwrap()).unwrap()), Signal::SIGINT).unwrap();
    assert!(up.wait().await.unwrap().success());
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_of_somebody_elses_runs_unchanged_and_what_stands_in_or_is_left_out_is_said() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let data_dir = folder.path().join("data");
    let (up, said) = common::up(&folder.path().join("template.yaml"), &data_dir, &["--param", "Subnets=a,b"]).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("{}/hello", said["httpApis"]["ServerlessHttpApi"]["url"].as_str().unwrap());
    let answer = reqwest::get(&url).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().parse::<usize>().unwrap() > 100, "it has seen the event");
    assert_eq!(said["mappings"][0], serde_json::json!({"from": "orders", "function": "Hello"}));
    let notes: Vec<&str> = said["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(notes.iter().any(|note| note.contains("MSKClusterArn") && note.contains("stands for it")), "{notes:?}");
    assert!(notes.iter().any(|note| note.starts_with("Bucket (line ")), "{notes:?}");
    assert!(notes.iter().all(|note| !note.contains("Subnets")), "{notes:?}");

    // Its topic was made, and the mapping reads it.
    let shown = || {
        let output = std::process::Command::new(common::FRESHET);
        let output = { output }.args(["mappings", "--json", "--data-dir"]).arg(&data_dir).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["mappings"][0].clone()
    };
    let began = Instant::now();
    while shown()["state"] != "Enabled" {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", shown());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = interrupt(up).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_one_on_the_same_folder_says_that_one_is_running() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let (template, data_dir) = (folder.path().join("template.yaml"), folder.path().join("data"));
    let (up, _) = common::up(&template, &data_dir, &[]).await;
    let mut second = tokio::process::Command::new(common::FRESHET);
    second.args(["up", "--memory", "--port", "0", "--template"]).arg(&template).arg("--data-dir").arg(&data_dir);
    let output = second.output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("is running on"), "{said}");
    interrupt(up).await;
}
