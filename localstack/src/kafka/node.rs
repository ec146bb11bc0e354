//! A broker's folder, formatted once, and a process on it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;

use super::error::KafkaError;
use super::java::{self, Java};
use super::topics;

/// How long a broker may take until it answers, on a busy machine.
const START: Duration = Duration::from_mins(1);
/// Between SIGTERM and SIGKILL.
const STOP: Duration = Duration::from_secs(4);

const PROPERTIES: &str = include_str!("../../kafka/server.properties");

/// Everything a broker's process needs.
pub(super) struct Node {
    folder: PathBuf,
    java: Java,
    port: u16,
}

impl Node {
    /// Formats the folder where that has not been done, and ends a broker that an earlier owner left on it.
    pub(super) async fn prepare(folder: &Path, java: Java, port: u16) -> Result<Self, KafkaError> {
        let folder = std::path::absolute(folder).map_err(KafkaError::io("the data folder"))?;
        check(&folder)?;
        std::fs::create_dir_all(&folder).map_err(KafkaError::io(format!("{}", folder.display())))?;
        end_orphan(&folder).await;
        let node = Self { folder, java, port };
        if !node.log_dir().join("meta.properties").exists() {
            node.format().await?;
        }
        Ok(node)
    }

    pub(super) fn java(&self) -> &Java {
        &self.java
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn log(&self) -> PathBuf {
        self.folder.join("kafka.log")
    }

    fn log_dir(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Anew for each process: while a broker is down, somebody else may take the controller's port.
    fn write_properties(&self) -> Result<PathBuf, KafkaError> {
        let path = self.folder.join("server.properties");
        let text = PROPERTIES
            .replace("{port}", &self.port.to_string())
            .replace("{controller_port}", &self.controller_port()?.to_string())
            .replace("{log_dir}", &self.log_dir().display().to_string());
        std::fs::write(&path, text).map_err(KafkaError::io(format!("{}", path.display())))?;
        Ok(path)
    }

    /// Another than the broker's own, which it does not hold yet.
    fn controller_port(&self) -> Result<u16, KafkaError> {
        loop {
            let port = crate::ports::free().map_err(KafkaError::io("a free port"))?;
            if port != self.port {
                return Ok(port);
            }
        }
    }

    async fn format(&self) -> Result<(), KafkaError> {
        let properties = self.write_properties()?;
        let id = uuid::Uuid::new_v4();
        let id = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, id.as_bytes());
        // An id that begins with a dash would be read as an option on its own.
        let id = format!("--cluster-id={id}");
        let mut command = self.java.command(&self.folder, &["-Xmx128m"]);
        command.args(["kafka.tools.StorageTool", "format", &id, "--config"]).arg(properties);
        let output = command.output().await.map_err(KafkaError::io("java"))?;
        if output.status.success() {
            return Ok(());
        }
        let reason = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned();
        Err(KafkaError::Start { reason, log: self.log() })
    }

    /// Starts the process and waits until it answers. Giving up the wait kills it.
    pub(super) async fn spawn_until_ready(&self, options: &[&str]) -> Result<Child, KafkaError> {
        let failed = |reason: String| KafkaError::Start { reason, log: self.log() };
        let properties = self.write_properties()?;
        let log = std::fs::File::options().create(true).append(true).open(self.log());
        let log = log.map_err(KafkaError::io(format!("{}", self.log().display())))?;
        let errors = log.try_clone().map_err(KafkaError::io("the broker's log"))?;
        let archive = format!("-XX:SharedArchiveFile={}", self.java.archive().display());
        let mut all = vec!["-Xmx512m"];
        all.extend(options);
        if self.java.archive().exists() && options.is_empty() {
            all.push(&archive);
        }
        let mut command = self.java.command(&self.folder, &all);
        command.arg("kafka.Kafka").arg(&properties).stdout(log).stderr(errors);
        let mut child = java::spawn(command).await?;
        let pid = child.id().unwrap_or(0);
        std::fs::write(self.folder.join("kafka.pid"), pid.to_string()).map_err(KafkaError::io("kafka.pid"))?;
        let started = Instant::now();
        let bootstrap_servers = format!("127.0.0.1:{}", self.port);
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(failed(format!("it ended with {status}: {}", last_words(&self.log()))));
            }
            if topics::ping(&bootstrap_servers, Duration::from_millis(500)).await.is_ok() {
                return Ok(child);
            }
            if started.elapsed() > START {
                let _ = child.kill().await;
                return Err(failed(format!("no answer within {} s: {}", START.as_secs(), last_words(&self.log()))));
            }
        }
    }
}

/// Ends a process cleanly, or at least ends it.
pub(super) async fn end(mut child: Child, patience: Duration) {
    signal(child.id().unwrap_or(0), Signal::SIGTERM);
    if tokio::time::timeout(patience, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// The usual patience of [`end`].
pub(super) const PATIENCE: Duration = STOP;

pub(super) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().filter(|pid| *pid > 1) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// Kafka reads its folder from a list in a properties file.
fn check(folder: &Path) -> Result<(), KafkaError> {
    match folder.to_str() {
        Some(text) if !text.contains([',', '\\', '\n', '\r']) => Ok(()),
        _ => Err(KafkaError::Folder(folder.to_owned())),
    }
}

/// A broker that outlived its owner on this folder is ended first: two on one folder would refuse each other.
async fn end_orphan(folder: &Path) {
    let Some(pid) = std::fs::read_to_string(folder.join("kafka.pid")).ok().and_then(|text| text.parse::<u32>().ok())
    else {
        return;
    };
    let is_ours = || {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        command.contains("kafka.Kafka") && command.contains(&*folder.join("server.properties").to_string_lossy())
    };
    if !is_ours() {
        return;
    }
    tracing::warn!(pid, "a Kafka of an earlier run is still there; it is stopped");
    signal(pid, Signal::SIGTERM);
    let started = Instant::now();
    while is_ours() {
        if started.elapsed() > STOP {
            signal(pid, Signal::SIGKILL);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().filter(|line| !line.trim_start().starts_with("at ")).take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
