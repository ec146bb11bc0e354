//! Kafka and AWS's other services in containers, for those who have Docker: `localstack/compose.yaml`.

use std::io::ErrorKind;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::args::Usage;

/// What is started; given to Docker on its standard input, so that it needs no file.
const FILE: &str = include_str!("../../../localstack/compose.yaml");
/// Where the file's Kafka is.
pub(super) const KAFKA: &str = "127.0.0.1:19092";
/// Where the file's LocalStack is.
pub(super) const LOCALSTACK: &str = "http://127.0.0.1:4566";

/// Starts the containers and waits until all are healthy.
///
/// # Errors
/// There is no Docker, or what it says.
pub(super) async fn start() -> anyhow::Result<()> {
    docker(&["up", "--detach", "--wait"]).await
}

/// Stops and removes the containers; what they keep stays in its volumes.
///
/// # Errors
/// What Docker says.
pub(super) async fn stop() -> anyhow::Result<()> {
    docker(&["down"]).await
}

async fn docker(arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("docker");
    command.args(["compose", "--file", "-"]).args(arguments);
    // An interrupt of the terminal is for us: the containers are stopped in their turn.
    command.process_group(0);
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut docker = match spawned {
        Ok(docker) => docker,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let text = "--compose: there is no `docker` here: install it, or leave --compose away (Kafka is started without it)";
            return Err(Usage(text.to_owned()).into());
        }
        Err(error) => return Err(error).context("--compose: docker"),
    };
    if let Some(mut input) = docker.stdin.take() {
        // One that ends early has said why.
        let _ = input.write_all(FILE.as_bytes()).await;
    }
    let output = docker.wait_with_output().await.context("--compose: docker")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("--compose: docker compose {}: {}\n{}", arguments.join(" "), output.status, said.trim());
    }
    Ok(())
}
