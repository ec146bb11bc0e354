//! One function process: spawned in its own group, dead when this process is dead.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc as std_mpsc;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot, watch};

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

    /// A command that runs `program` and dies with this process, where the system allows that.
    pub(crate) fn command(&self, program: &Path) -> Command {
        match &self.setpriv {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(program);
                command
            }
            None => Command::new(program),
        }
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
    /// Until somebody reads it.
    output: Option<(ChildStdout, ChildStderr)>,
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
        program: &Path,
        environment: &BTreeMap<String, String>,
    ) -> std::io::Result<Self> {
        let mut command = spawner.command(program);
        command.env_clear().envs(environment);
        if let Some(folder) = program.parent() {
            command.current_dir(folder);
        }
        Self::start(spawner, command).await
    }

    /// Starts a command of [`Spawner::command`] in a group of its own.
    pub(crate) async fn start(spawner: &Spawner, mut command: Command) -> std::io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true).process_group(0);
        let mut child = spawner.spawn(command).await?;
        let pid = child.id().ok_or_else(|| std::io::Error::other("the process ended at once"))?;
        let output = child.stdout.take().zip(child.stderr.take());
        let (orders, receiver) = mpsc::unbounded_channel();
        let (sender, exited) = watch::channel(None);
        tokio::spawn(watch_over(child, pid, receiver, sender));
        Ok(Self { pid, control: Control { orders, exited }, output })
    }

    pub(crate) fn control(&self) -> Control {
        self.control.clone()
    }

    /// What it writes; once.
    pub(crate) fn output(&mut self) -> Option<(ChildStdout, ChildStderr)> {
        self.output.take()
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

/// In Go's words, which Lambda's are.
fn describe(status: std::io::Result<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status {
        Ok(status) => match (status.code(), status.signal().and_then(|signal| Signal::try_from(signal).ok())) {
            (Some(0), _) => "without providing a reason".to_owned(),
            (Some(code), _) => format!("with error: exit status {code}"),
            (None, Some(signal)) => {
                let core = if status.core_dumped() { " (core dumped)" } else { "" };
                format!("with error: signal: {}{core}", name_of(signal))
            }
            (None, None) => format!("with error: {status}"),
        },
        Err(error) => format!("with error: {error}"),
    }
}

/// The signal's name in Go's words.
pub(crate) fn name_of(signal: Signal) -> &'static str {
    match signal {
        Signal::SIGHUP => "hangup",
        Signal::SIGINT => "interrupt",
        Signal::SIGQUIT => "quit",
        Signal::SIGILL => "illegal instruction",
        Signal::SIGTRAP => "trace/breakpoint trap",
        Signal::SIGABRT => "aborted",
        Signal::SIGBUS => "bus error",
        Signal::SIGFPE => "floating point exception",
        Signal::SIGKILL => "killed",
        Signal::SIGSEGV => "segmentation fault",
        Signal::SIGPIPE => "broken pipe",
        Signal::SIGALRM => "alarm clock",
        Signal::SIGTERM => "terminated",
        other => other.as_str(),
    }
}
