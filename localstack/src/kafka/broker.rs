//! The broker's process: started, watched, restarted, stopped; its data outlives it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::error::KafkaError;
use super::topics;

/// How long a broker may take until it answers, on a busy machine.
const START: Duration = Duration::from_mins(1);
/// Between SIGTERM and SIGKILL.
const STOP: Duration = Duration::from_secs(4);
/// Between two restarts of a broker that died, at the most.
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// The oldest Java that Kafka 4 runs on.
const JAVA: u32 = 17;

const PROPERTIES: &str = include_str!("../../kafka/server.properties");

/// How to run a broker.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// Its folder: logs, properties, cluster id.
    pub data_dir: PathBuf,
    /// The jars, as [`super::install`] fetches them.
    pub jars: PathBuf,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

/// A running broker. It comes back by itself when it dies; dropping it kills it.
pub struct Broker {
    port: u16,
    pid: Arc<AtomicU32>,
    restarts: Arc<AtomicU32>,
    closing: CancellationToken,
    watcher: Option<tokio::task::JoinHandle<()>>,
}

impl Broker {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// Java is missing or too old, or the broker ends or stays silent: with what it said last.
    pub async fn start(options: BrokerOptions) -> Result<Self, KafkaError> {
        check_java().await?;
        std::fs::create_dir_all(&options.data_dir)
            .map_err(KafkaError::io(format!("{}", options.data_dir.display())))?;
        end_orphan(&options.data_dir).await;
        let node = Node::prepare(&options).await?;
        let child = node.spawn_until_ready().await?;
        let pid = Arc::new(AtomicU32::new(child.id().unwrap_or(0)));
        let (restarts, closing) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
        let watch = watch(node, child, Arc::clone(&pid), Arc::clone(&restarts), closing.clone());
        Ok(Self { port: options.port, pid, restarts, closing, watcher: Some(tokio::spawn(watch)) })
    }

    /// `host:port` for clients.
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its process id at present; 0 while it is down.
    pub fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// How often it came back.
    pub fn restarts(&self) -> u32 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Kills it as a crash would; it comes back by itself.
    pub fn kill(&self) {
        signal(self.pid(), Signal::SIGKILL);
    }

    /// Stops it cleanly.
    pub async fn stop(mut self) {
        self.closing.cancel();
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.await;
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.closing.cancel();
        if self.watcher.is_some() {
            self.kill();
        }
    }
}

/// Keeps the broker up until it is told to stop it.
async fn watch(
    node: Node,
    mut child: Child,
    pid: Arc<AtomicU32>,
    restarts: Arc<AtomicU32>,
    closing: CancellationToken,
) {
    let mut backoff = Duration::from_millis(100);
    loop {
        let status = tokio::select! {
            status = child.wait() => status,
            () = closing.cancelled() => return end(child).await,
        };
        pid.store(0, Ordering::Relaxed);
        tracing::warn!(?status, "Kafka has ended; it is started again");
        child = loop {
            tokio::select! {
                () = tokio::time::sleep(backoff) => {}
                () = closing.cancelled() => return,
            }
            match node.spawn_until_ready().await {
                Ok(child) => break child,
                Err(error) => {
                    tracing::error!(%error, "Kafka does not come back");
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                }
            }
        };
        backoff = Duration::from_millis(100);
        pid.store(child.id().unwrap_or(0), Ordering::Relaxed);
        restarts.fetch_add(1, Ordering::Relaxed);
    }
}

async fn end(mut child: Child) {
    signal(child.id().unwrap_or(0), Signal::SIGTERM);
    if tokio::time::timeout(STOP, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// A formatted folder with everything a process needs.
struct Node {
    data_dir: PathBuf,
    jars: PathBuf,
    properties: PathBuf,
    port: u16,
}

impl Node {
    async fn prepare(options: &BrokerOptions) -> Result<Self, KafkaError> {
        let data_dir = std::path::absolute(&options.data_dir).map_err(KafkaError::io("the data folder"))?;
        let jars = std::path::absolute(&options.jars).map_err(KafkaError::io("the jars' folder"))?;
        let log_dir = data_dir.join("log");
        let properties = data_dir.join("server.properties");
        let text = PROPERTIES
            .replace("{port}", &options.port.to_string())
            .replace("{controller_port}", &free_port()?.to_string())
            .replace("{log_dir}", &log_dir.display().to_string());
        std::fs::write(&properties, text).map_err(KafkaError::io(format!("{}", properties.display())))?;
        let node = Self { data_dir, jars, properties, port: options.port };
        if !log_dir.join("meta.properties").exists() {
            node.format().await?;
        }
        Ok(node)
    }

    fn log(&self) -> PathBuf {
        self.data_dir.join("kafka.log")
    }

    fn java(&self, heap: &str) -> Command {
        // The broker must not outlive a kill -9 of its owner; without setpriv it is ended at the next start.
        let setpriv = Path::new("/usr/bin/setpriv");
        let mut command = if setpriv.exists() {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--", "java"]);
            command
        } else {
            Command::new("java")
        };
        command
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", heap])
            .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
            .arg("-cp")
            .arg(format!("{}/*", self.jars.display()))
            .current_dir(&self.data_dir)
            .stdin(Stdio::null())
            .process_group(0);
        command
    }

    async fn format(&self) -> Result<(), KafkaError> {
        let id = uuid::Uuid::new_v4();
        let id = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, id.as_bytes());
        // An id that begins with a dash would be read as an option on its own.
        let id = format!("--cluster-id={id}");
        let mut command = self.java("-Xmx128m");
        command.args(["kafka.tools.StorageTool", "format", &id, "--config"]).arg(&self.properties);
        let output = command.kill_on_drop(true).output().await.map_err(KafkaError::io("java"))?;
        if output.status.success() {
            return Ok(());
        }
        let reason = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned();
        Err(KafkaError::Start { reason, log: self.log() })
    }

    async fn spawn_until_ready(&self) -> Result<Child, KafkaError> {
        let failed = |reason: String| KafkaError::Start { reason, log: self.log() };
        let log = std::fs::File::options().create(true).append(true).open(self.log());
        let log = log.map_err(KafkaError::io(format!("{}", self.log().display())))?;
        let errors = log.try_clone().map_err(KafkaError::io("the broker's log"))?;
        let mut command = self.java("-Xmx512m");
        command.arg("kafka.Kafka").arg(&self.properties).stdout(log).stderr(errors).kill_on_drop(true);
        let mut child = spawn_on_lasting_thread(command).await?;
        let pid = child.id().unwrap_or(0);
        std::fs::write(self.data_dir.join("kafka.pid"), pid.to_string()).map_err(KafkaError::io("kafka.pid"))?;
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

/// `--pdeathsig` is tied to the thread that spawns: one that lives as long as the process, not one a runtime may end.
async fn spawn_on_lasting_thread(mut command: Command) -> Result<Child, KafkaError> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    std::thread::Builder::new()
        .name("kafka-spawner".to_owned())
        .spawn(move || {
            let _runtime = runtime.enter();
            let _ = reply.send(command.spawn());
            loop {
                std::thread::park();
            }
        })
        .map_err(KafkaError::io("a thread"))?;
    answer.await.map_err(|e| KafkaError::io("java")(std::io::Error::other(e)))?.map_err(KafkaError::io("java"))
}

async fn check_java() -> Result<(), KafkaError> {
    const REMEDY: &str =
        "on Debian and Ubuntu: apt-get install -y openjdk-17-jre-headless; on macOS: brew install openjdk";
    let missing = KafkaError::MissingProgram { program: "Java 17 or later", remedy: REMEDY };
    let Ok(output) = Command::new("java").arg("-version").stdin(Stdio::null()).output().await else {
        return Err(missing);
    };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let version = text.split('"').nth(1).and_then(|version| version.split(['.', '-', '+']).next()?.parse::<u32>().ok());
    if version.is_some_and(|version| version >= JAVA) { Ok(()) } else { Err(missing) }
}

/// A broker that outlived its owner on this folder is ended first: two on one folder would refuse each other.
async fn end_orphan(data_dir: &Path) {
    let Some(pid) = std::fs::read_to_string(data_dir.join("kafka.pid")).ok().and_then(|text| text.parse::<u32>().ok())
    else {
        return;
    };
    let is_ours = || {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        let folder = std::path::absolute(data_dir).unwrap_or_default();
        command.contains("kafka.Kafka") && command.contains(&*folder.to_string_lossy())
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

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().filter(|pid| *pid > 1) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().filter(|line| !line.trim_start().starts_with("at ")).take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

fn free_port() -> Result<u16, KafkaError> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(KafkaError::io("a free port"))?;
    listener.local_addr().map(|address| address.port()).map_err(KafkaError::io("a free port"))
}
