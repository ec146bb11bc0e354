//! One function process: spawned in its own group, its output forwarded by line, dead when this process is dead.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};

/// Longer lines are cut: CloudWatch takes 256 KB, a terminal far less.
const MAX_LINE_BYTES: usize = 16 * 1024;

/// Takes each line a function writes: the function's name, the line.
pub type LogSink = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// Starts processes from one thread that lives as long as its owner.
///
/// The kernel ties "die with your parent" (`PR_SET_PDEATHSIG`) to the thread that spawned, so that thread must not be one
/// that a runtime may end. Setting it takes `unsafe` code or the tool `setpriv` of util-linux; the latter is used where it
/// is present. Elsewhere a function notices by its Runtime API connection, which lambda_runtime does at once unless busy.
pub(crate) struct Spawner {
    requests: std_mpsc::Sender<Request>,
    setpriv: Option<PathBuf>,
}

type Request = (Command, oneshot::Sender<std::io::Result<Child>>);

impl Spawner {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (requests, receiver) = std_mpsc::channel::<Request>();
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new().name("function-spawner".to_owned()).spawn(move || {
            for (mut command, reply) in receiver {
                let _runtime = runtime.enter();
                // Where nobody waits any more, the child is dropped and with it killed.
                let _ = reply.send(command.spawn());
            }
        })?;
        let setpriv = find_setpriv();
        if setpriv.is_none() {
            tracing::warn!("setpriv (util-linux) is not here: a busy function may outlive a kill -9 of this process");
        }
        Ok(Self { requests, setpriv })
    }

    async fn spawn(&self, command: Command) -> std::io::Result<Child> {
        let (reply, answer) = oneshot::channel();
        let gone = || std::io::Error::other("the spawner has ended");
        self.requests.send((command, reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// A setpriv that knows `--pdeathsig`.
fn find_setpriv() -> Option<PathBuf> {
    ["/usr/bin/setpriv", "/bin/setpriv"].into_iter().map(PathBuf::from).find(|path| {
        let mut command = std::process::Command::new(path);
        command.args(["--pdeathsig", "KILL", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

/// What a process is told to do from outside.
enum Order {
    Kill,
    Stop,
}

/// A running process. Dropping it kills the whole group.
pub(crate) struct Process {
    pub(crate) pid: u32,
    control: Control,
}

/// Sends signals to a process and sees its end; keeps nothing alive.
#[derive(Clone)]
pub(crate) struct Control {
    orders: mpsc::UnboundedSender<Order>,
    exited: watch::Receiver<Option<String>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.control.kill();
    }
}

impl Process {
    /// Spawns `program` in its folder with exactly this environment.
    pub(crate) async fn spawn(
        spawner: &Spawner,
        name: &str,
        program: &Path,
        environment: &BTreeMap<String, String>,
        sink: Option<LogSink>,
    ) -> std::io::Result<Self> {
        let mut command = match &spawner.setpriv {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.env_clear().envs(environment).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true).process_group(0);
        if let Some(folder) = program.parent() {
            command.current_dir(folder);
        }
        let mut child = spawner.spawn(command).await?;
        let pid = child.id().ok_or_else(|| std::io::Error::other("the process ended at once"))?;
        let name: Arc<str> = name.into();
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(forward(Arc::clone(&name), stdout, sink.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(forward(name, stderr, sink));
        }
        let (orders, receiver) = mpsc::unbounded_channel();
        let (sender, exited) = watch::channel(None);
        tokio::spawn(watch_over(child, pid, receiver, sender));
        Ok(Self { pid, control: Control { orders, exited } })
    }

    pub(crate) fn control(&self) -> Control {
        self.control.clone()
    }
}

impl std::ops::Deref for Process {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

impl Control {
    /// SIGKILL to the group.
    pub(crate) fn kill(&self) {
        let _ = self.orders.send(Order::Kill);
    }

    /// SIGTERM to the group.
    pub(crate) fn terminate(&self) {
        let _ = self.orders.send(Order::Stop);
    }

    /// Waits for the end and says how it came, in Lambda's words.
    pub(crate) async fn exit(&self) -> String {
        let mut exited = self.exited.clone();
        match exited.wait_for(Option::is_some).await {
            Ok(how) => how.clone().unwrap_or_default(),
            Err(_) => "without providing a reason".to_owned(),
        }
    }

    pub(crate) fn has_exited(&self) -> bool {
        self.exited.borrow().is_some()
    }
}

/// Owns the child: signals go out only while it is not reaped, so its number can't be somebody else's.
async fn watch_over(
    mut child: Child,
    pid: u32,
    mut orders: mpsc::UnboundedReceiver<Order>,
    exited: watch::Sender<Option<String>>,
) {
    let group = i32::try_from(pid).ok().map(Pid::from_raw);
    let signal = |signal: Signal| {
        if let Some(group) = group {
            // The group may be gone already.
            let _ = killpg(group, signal);
        }
    };
    let status = loop {
        tokio::select! {
            biased;
            status = child.wait() => break status,
            order = orders.recv() => match order {
                Some(Order::Stop) => signal(Signal::SIGTERM),
                Some(Order::Kill) => signal(Signal::SIGKILL),
                // Nobody holds the process any more.
                None => {
                    signal(Signal::SIGKILL);
                    break child.wait().await;
                }
            },
        }
    };
    // What the function itself had started: a number that still names a group is not given to another.
    signal(Signal::SIGKILL);
    exited.send_replace(Some(describe(status)));
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status {
        Ok(status) => match (status.code(), status.signal().and_then(|signal| Signal::try_from(signal).ok())) {
            (Some(0), _) => "without providing a reason".to_owned(),
            (Some(code), _) => format!("with error: exit status {code}"),
            (None, Some(signal)) => format!("with error: signal: {signal}"),
            (None, None) => format!("with error: {status}"),
        },
        Err(error) => format!("with error: {error}"),
    }
}

/// Hands over what a function writes, line by line, cut to a bound.
async fn forward(name: Arc<str>, output: impl AsyncRead + Unpin, sink: Option<LogSink>) {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        let (used, ended) = match reader.fill_buf().await {
            Ok([]) | Err(_) => break,
            Ok(buffer) => {
                let newline = buffer.iter().position(|byte| *byte == b'\n');
                let part = newline.map_or(buffer, |at| &buffer[..at]);
                let room = MAX_LINE_BYTES.saturating_sub(line.len());
                line.extend_from_slice(&part[..part.len().min(room)]);
                (part.len() + usize::from(newline.is_some()), newline.is_some())
            }
        };
        reader.consume(used);
        if ended {
            emit(&name, &line, sink.as_ref());
            line.clear();
        }
    }
    if !line.is_empty() {
        emit(&name, &line, sink.as_ref());
    }
}

fn emit(name: &str, line: &[u8], sink: Option<&LogSink>) {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches('\r');
    if let Some(sink) = sink {
        sink(name, text);
    } else {
        tracing::info!(target: "function", function = name, "{text}");
    }
}
