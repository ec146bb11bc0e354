//! One function and its `cargo lambda watch`: invocations within bounds, and a new server behind one that is stuck.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::output::{self, News};
use super::{WatchOptions, client, leftovers};
use crate::functions::error::{MAX_PAYLOAD_BYTES, exited, failure, request_too_large, timed_out};
use crate::functions::invocation::new_request_id;
use crate::functions::log::{Lines, LogSink};
use crate::functions::process::{Process, Spawner};
use crate::functions::{Call, Completed, FunctionStatus, GRACE, LogLine, Outcome, SupervisorOptions, environment};
use crate::ports;
use crate::template::model::Function;

/// In flight at one server: it deadlocks at about 100.
const MAX_IN_FLIGHT: u32 = 64;
/// Instances of a function that nobody asks more of: cargo-lambda starts them all at the first invocation.
const DEFAULT_CONCURRENCY: u32 = 4;
/// A build that takes longer is given up.
const BUILD_LIMIT: Duration = Duration::from_mins(15);
/// Between two starts of a server, and how long an answer is kept that the function does not compile.
const BACKOFF: Duration = Duration::from_secs(1);

/// What all servers share.
pub(super) struct Around {
    pub(super) spawner: Spawner,
    pub(super) workspace: PathBuf,
    pub(super) ignore: PathBuf,
    pub(super) watch: WatchOptions,
    pub(super) options: SupervisorOptions,
    pub(super) closing: CancellationToken,
}

/// The server of one function, over all its restarts.
pub(super) struct Server {
    function: Function,
    binary: String,
    concurrency: u32,
    places: Semaphore,
    around: Arc<Around>,
    state: watch::Sender<State>,
    /// It did not compile, and when that was.
    broken: Mutex<Option<(Instant, String)>>,
    pid: watch::Sender<u32>,
    running: AtomicUsize,
    invocations: AtomicU64,
    errors: AtomicU64,
    ended: watch::Sender<bool>,
}

/// The server that runs now.
#[derive(Debug, Clone)]
struct State {
    /// Counts the servers of this function.
    number: u64,
    address: SocketAddr,
    phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// It builds, or will at the first invocation: no invocation's time is counted.
    Building,
    Running,
    Broken(String),
    /// The function has ended by itself.
    Crashed(String),
}

impl Phase {
    /// Invocations may be sent.
    fn serves(&self) -> bool {
        matches!(self, Self::Building | Self::Running)
    }
}

impl Server {
    pub(super) fn start(function: Function, binary: String, around: Arc<Around>) -> std::io::Result<Arc<Self>> {
        let wanted = around.watch.concurrency.get(&function.logical_id).copied().unwrap_or(DEFAULT_CONCURRENCY);
        let concurrency = wanted.min(function.reserved_concurrency.unwrap_or(u32::MAX)).min(MAX_IN_FLIGHT);
        let address = SocketAddr::from(([127, 0, 0, 1], ports::free()?));
        let server = Arc::new(Self {
            function,
            binary,
            concurrency,
            places: Semaphore::new(concurrency as usize),
            around,
            state: watch::Sender::new(State { number: 0, address, phase: Phase::Building }),
            broken: Mutex::default(),
            pid: watch::Sender::new(0),
            running: AtomicUsize::new(0),
            invocations: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            ended: watch::Sender::new(false),
        });
        tokio::spawn(Arc::clone(&server).keep());
        Ok(server)
    }

    pub(super) fn name(&self) -> &str {
        &self.function.name
    }

    pub(super) fn status(&self) -> FunctionStatus {
        let state = self.state.borrow().clone();
        let pid = *self.pid.borrow();
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        FunctionStatus {
            logical_id: self.function.logical_id.clone(),
            name: self.function.name.clone(),
            pids: (pid != 0).then_some(pid).into_iter().collect(),
            concurrency: self.concurrency as usize,
            running: self.running.load(Ordering::Relaxed),
            invocations: self.invocations.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            restarts: state.number.saturating_sub(1),
            init_error: broken.as_ref().map(|(_, words)| words.clone()),
        }
    }

    /// Waits until it has ended, with all that it had started.
    pub(super) async fn ended(&self) {
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Runs one invocation to its end.
    pub(super) async fn call(&self, call: Call) -> Completed {
        let request_id = call.request_id.unwrap_or_else(new_request_id);
        let outcome = if call.payload.len() > MAX_PAYLOAD_BYTES {
            request_too_large(call.payload.len())
        } else {
            match self.place().await {
                Ok(_place) => {
                    self.running.fetch_add(1, Ordering::Relaxed);
                    self.invocations.fetch_add(1, Ordering::Relaxed);
                    let outcome = self.attempt(&request_id, call.payload).await;
                    self.running.fetch_sub(1, Ordering::Relaxed);
                    outcome
                }
                Err(throttled) => throttled,
            }
        };
        if matches!(outcome, Outcome::FunctionError(_)) {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        Completed { request_id, outcome, log_tail: Vec::new() }
    }

    /// A place among those in flight, as the supervisor gives them; while it builds, callers wait.
    async fn place(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Outcome> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let busy = || Outcome::Throttled(format!("{}: all {} places are taken", self.function.name, self.concurrency));
        if self.function.reserved_concurrency.is_some() || self.around.closing.is_cancelled() {
            return Err(busy());
        }
        let waited = async {
            let mut state = self.state.subscribe();
            let _ = state.wait_for(|state| state.phase != Phase::Building).await;
            tokio::time::sleep(self.around.options.wait).await;
        };
        tokio::select! {
            place = self.places.acquire() => place.map_err(|_| busy()),
            () = waited => Err(busy()),
        }
    }

    /// Sends the event to the server of now, and bounds how long that takes.
    async fn attempt(&self, request_id: &str, payload: bytes::Bytes) -> Outcome {
        if let Some(words) = self.still_broken() {
            return failure("Runtime.InitError", &format!("{}: {words}", self.function.name));
        }
        let mut states = self.state.subscribe();
        // Between two servers there is none to send to.
        let serves = states.wait_for(|state| state.number > 0 && state.phase.serves());
        let at_first = match self.around.closing.run_until_cancelled(serves).await {
            Some(Ok(state)) => state.clone(),
            _ => return exited(request_id, "with error: it is being stopped"),
        };
        let number = at_first.number;
        let timeout = Duration::from_secs(u64::from(self.function.timeout_s));
        let give_up = Instant::now() + BUILD_LIMIT;
        let mut deadline = (at_first.phase == Phase::Running).then(|| Instant::now() + timeout);
        let request = client::invoke(at_first.address, &self.binary, payload);
        tokio::pin!(request);
        loop {
            tokio::select! {
                biased;
                answer = &mut request => match answer {
                    Ok(outcome) => return outcome,
                    Err(words) => {
                        self.fail(number, "with error: signal: killed");
                        return exited(request_id, &format!("with error: cargo lambda watch gave no answer: {words}"));
                    }
                },
                changed = states.changed() => {
                    let state = states.borrow_and_update().clone();
                    match state.phase {
                        _ if changed.is_err() || state.number != number => {
                            return exited(request_id, "with error: its server was started again");
                        }
                        Phase::Crashed(how) => return exited(request_id, &how),
                        Phase::Broken(words) => {
                            return failure("Runtime.InitError", &format!("{}: {words}", self.function.name));
                        }
                        Phase::Running => {
                            deadline.get_or_insert_with(|| Instant::now() + timeout);
                        }
                        // Time stands still while it builds.
                        Phase::Building => deadline = None,
                    }
                }
                () = tokio::time::sleep_until(deadline.unwrap_or(give_up)) => {
                    self.fail(number, "with error: signal: killed");
                    return match deadline {
                        Some(_) => timed_out(request_id, self.function.timeout_s),
                        None => failure("Runtime.InitError", &format!("{}: its build takes too long", self.function.name)),
                    };
                }
                () = self.around.closing.cancelled() => return exited(request_id, "with error: it is being stopped"),
            }
        }
    }

    /// The server of this number is of no use any more: nothing more is sent to it, what is in flight ends so, and it is ended.
    fn fail(&self, number: u64, how: &str) {
        self.state.send_if_modified(|state| {
            let serves = state.number == number && state.phase.serves();
            if serves {
                state.phase = Phase::Crashed(how.to_owned());
            }
            serves
        });
    }

    /// The words of a build that has just failed: it is not tried again at once.
    fn still_broken(&self) -> Option<String> {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.as_ref().filter(|(when, _)| when.elapsed() < BACKOFF).map(|(_, words)| words.clone())
    }

    /// Keeps a server running until all is closed.
    async fn keep(self: Arc<Self>) {
        let closing = self.around.closing.clone();
        let mut number = 0;
        while !closing.is_cancelled() {
            number += 1;
            let began = Instant::now();
            if let Err(error) = self.run_one(number).await {
                tracing::error!(function = self.function.name, %error, "cargo lambda watch can't be run");
            }
            if began.elapsed() < BACKOFF {
                closing.run_until_cancelled(tokio::time::sleep(BACKOFF)).await;
            }
        }
        self.ended.send_replace(true);
    }

    /// One `cargo lambda watch`, until it ends, is stuck, or all is closed.
    async fn run_one(&self, number: u64) -> std::io::Result<()> {
        let port = ports::free()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mark = uuid::Uuid::new_v4().simple().to_string();
        let mut process = Process::start(&self.around.spawner, self.command(port, &mark)?).await?;
        self.pid.send_replace(process.pid);
        self.state.send_replace(State { number, address, phase: Phase::Building });
        let (stdout, stderr) = process.output().ok_or_else(|| std::io::Error::other("its output can't be read"))?;
        let (mut stdout, mut stderr) = (Lines::new(stdout), Lines::new(stderr));
        let mut states = self.state.subscribe();
        loop {
            tokio::select! {
                biased;
                () = stdout.read(), if !stdout.ended => self.hear(stdout.take()),
                () = stderr.read(), if !stderr.ended => self.hear(stderr.take()),
                _ = states.wait_for(|state| !state.phase.serves()) => break,
                how = process.exit() => {
                    tracing::warn!(function = self.function.name, "cargo lambda watch exited {how}; it is started again");
                    break;
                }
                () = self.around.closing.cancelled() => break,
            }
        }
        self.fail(number, "with error: signal: killed");
        self.pid.send_replace(0);
        process.terminate();
        if tokio::time::timeout(GRACE, process.exit()).await.is_err() {
            process.kill();
            process.exit().await;
        }
        tokio::task::spawn_blocking(move || leftovers::kill_all(&mark)).await.map_err(std::io::Error::other)
    }

    /// A line: for the log, and for what it tells.
    fn hear(&self, line: Option<String>) {
        let Some(text) = line else { return };
        let (news, source) = output::read(&text);
        self.show(&LogLine { function: &self.function.name, request_id: None, source, text: &text });
        let phase = match news {
            Some(News::Building) => Phase::Building,
            Some(News::Running) => {
                self.broken.lock().unwrap_or_else(PoisonError::into_inner).take();
                Phase::Running
            }
            Some(News::Broken(words)) => {
                *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), words.clone()));
                Phase::Broken(words)
            }
            Some(News::Ended(how)) => Phase::Crashed(how),
            None => return,
        };
        self.state.send_if_modified(|state| {
            let differs = state.phase.serves() && state.phase != phase;
            if differs {
                state.phase = phase;
            }
            differs
        });
    }

    fn show(&self, line: &LogLine<'_>) {
        let sink: Option<&LogSink> = self.around.options.log_sink.as_ref();
        match sink {
            Some(sink) => sink(line),
            None => tracing::info!(target: "function", function = line.function, "{}", line.text),
        }
    }

    fn command(&self, port: u16, mark: &str) -> std::io::Result<tokio::process::Command> {
        let around = &self.around;
        let (options, workspace) = (&around.options, &around.workspace);
        let program = options.binaries.join(&self.binary);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut function = environment::build(&self.function, &options.region, &program, address, &options.environment);
        // cargo-lambda's own to set.
        function.remove("AWS_LAMBDA_RUNTIME_API");
        // What it would overwrite, or take for itself, goes to the function by a file.
        let by_file = ["AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "RUST_LOG"];
        let lines = by_file.iter().filter_map(|name| Some(format!("{name}='{}'\n", function.remove(*name)?)));
        let file = around.watch.folder.canonicalize()?.join(format!("{}.env", self.function.logical_id));
        std::fs::write(&file, lines.collect::<String>())?;

        let mut command = around.spawner.command(&around.watch.program);
        command.args(["lambda", "watch", "--invoke-address", "127.0.0.1", "--color", "never"]);
        command.args(["--invoke-port", &port.to_string(), "--concurrency", &self.concurrency.max(1).to_string()]);
        command.args(["--bin", &self.binary]).arg("--env-file").arg(file).current_dir(workspace);
        // Cargo needs its own surroundings; an account of ours in AWS is none of the function's business.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.env_remove("RUST_LOG").envs(function).env(leftovers::MARK, mark);
        command.env("CARGO_LAMBDA_IGNORE_FILE", &around.ignore);
        Ok(command)
    }
}
