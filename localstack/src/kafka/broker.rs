//! The broker's process: started, watched, restarted, stopped; its data outlives it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::process::Child;
use tokio_util::sync::CancellationToken;

use super::archive;
use super::error::KafkaError;
use super::java::Java;
use super::node::{Node, PATIENCE, end, signal};

/// Between two restarts of a broker that died.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LAST_BACKOFF: Duration = Duration::from_secs(10);

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
        let java = Java::find(&options.jars).await?;
        let node = Node::prepare(&options.data_dir, java, options.port).await?;
        let child = node.spawn_until_ready(&[]).await?;
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
    let archive = archive::make(node.java().clone(), node.folder());
    tokio::pin!(archive);
    let mut archived = false;
    loop {
        let status = tokio::select! {
            status = child.wait() => status,
            () = closing.cancelled() => return end(child, PATIENCE).await,
            () = &mut archive, if !archived => {
                archived = true;
                continue;
            }
        };
        pid.store(0, Ordering::Relaxed);
        tracing::warn!(?status, "Kafka has ended; it is started again");
        // A broker that is half way up when everything ends is killed with the wait for it.
        child = tokio::select! {
            child = restart(&node) => child,
            () = closing.cancelled() => return,
        };
        pid.store(child.id().unwrap_or(0), Ordering::Relaxed);
        restarts.fetch_add(1, Ordering::Relaxed);
    }
}

async fn restart(node: &Node) -> Child {
    let mut backoff = FIRST_BACKOFF;
    loop {
        tokio::time::sleep(backoff).await;
        match node.spawn_until_ready(&[]).await {
            Ok(child) => return child,
            Err(error) => {
                tracing::error!(%error, "Kafka does not come back");
                backoff = (backoff * 2).min(LAST_BACKOFF);
            }
        }
    }
}
