//! LocalStack as a process of its own: installed by our script, without Docker.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use freshet_localstack::ports;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// How long it may take to serve, and to end.
const START: Duration = Duration::from_mins(2);
const STOP: Duration = Duration::from_secs(10);
/// The services want a signature's form to tell by whom they are asked; this one signs nothing.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/service/aws4_request, \
                             SignedHeaders=host, Signature=0";

/// A running LocalStack. Dropping it ends it.
pub struct LocalStack {
    process: Child,
    python: PathBuf,
    url: String,
    http: reqwest::Client,
    /// Dropped last: what it writes.
    folder: TempDir,
}

impl LocalStack {
    /// Installs it where it is missing, and starts it on a free port.
    ///
    /// # Errors
    /// What is missing, or what it says when it does not come up.
    pub async fn start() -> anyhow::Result<Self> {
        let environment = tokio::task::spawn_blocking(install).await??;
        let (folder, port) = (tempfile::tempdir()?, ports::free()?);
        let log = std::fs::File::create(folder.path().join("log"))?;
        let python = environment.join("bin/python");
        let process = Command::new(&python)
            .arg(scripts().join("serve-localstack.py"))
            .arg(port.to_string())
            .arg(folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let url = format!("http://127.0.0.1:{port}");
        let mut localstack = Self { process, python, url, http: crate::world::http_client(), folder };
        localstack.serving().await?;
        Ok(localstack)
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls an operation of a service that speaks JSON, such as `AmazonSQS.SendMessage`.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn call(&self, target: &str, input: &Value) -> anyhow::Result<Value> {
        json_call(&self.http, &self.url, target, input).await
    }

    /// What its CloudFormation accepts of our template, as a table.
    ///
    /// # Errors
    /// It refuses the template as a whole.
    pub fn cloudformation(&self, template: &Path, parameters: &[&str]) -> anyhow::Result<String> {
        let script = scripts().join("localstack-cloudformation.py");
        let mut command = Command::new(&self.python);
        command.arg(script).arg(&self.url).arg(template).args(parameters);
        let output = command.stderr(Stdio::inherit()).output()?;
        let table = String::from_utf8(output.stdout)?;
        anyhow::ensure!(output.status.success(), "CloudFormation in LocalStack: {table}");
        Ok(table)
    }

    async fn serving(&mut self) -> anyhow::Result<()> {
        let (health, started) = (format!("{}/_localstack/health", self.url), Instant::now());
        while self.http.get(&health).send().await.is_err() {
            if self.process.try_wait()?.is_some() || started.elapsed() > START {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                bail!("LocalStack does not serve; it says:\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }
}

impl Drop for LocalStack {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.process.id() as i32), Signal::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < STOP && matches!(self.process.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Calls an operation of a service that speaks JSON at `url`.
///
/// # Errors
/// No answer, or a refusal.
pub async fn json_call(http: &reqwest::Client, url: &str, target: &str, input: &Value) -> anyhow::Result<Value> {
    let request = http.post(url).header("content-type", "application/x-amz-json-1.0").header("x-amz-target", target);
    let request = request.header("x-amz-date", "20260101T000000Z");
    let answer = request.header("authorization", AUTHORIZATION).body(input.to_string()).send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    anyhow::ensure!(status.is_success(), "{target}: {status} {text}");
    serde_json::from_str(&text).with_context(|| format!("{target}: {text}"))
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts")
}

/// The folder of its Python environment.
fn install() -> anyhow::Result<PathBuf> {
    let output = Command::new(scripts().join("localstack")).stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(output.status.success(), "scripts/localstack has failed");
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}
