//! The processes of one function: spawned on demand up to its concurrency, kept while idle, replaced when they die.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::environment;
use super::error::failure;
use super::executable;
use super::invocation::new_request_id;
use super::log::{Log, LogSink, Output};
use super::memory::MemoryWatch;
use super::process::{Control, Process, Spawner};
use super::runtime_api::RuntimeApi;
use super::worker::{Console, Invocation, Ran, Worker};
use super::{Call, Completed, Outcome};
use crate::account;
use crate::template::model::Function;

/// Callers that may wait for a process of one function; more are throttled at once.
const MAX_WAITING: usize = 1000;
/// Background attempts to replace a dead process; after that the next caller tries.
const MAX_RESPAWNS: u32 = 5;
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MOST: Duration = Duration::from_secs(10);

/// A function's processes as they are now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionStatus {
    /// Logical id in the template.
    pub logical_id: String,
    /// Physical name.
    pub name: String,
    /// Process ids, idle, busy and starting.
    pub pids: Vec<u32>,
    /// The most processes at one time.
    pub concurrency: usize,
    /// Invocations that run now.
    pub running: usize,
    /// Invocations so far.
    pub invocations: u64,
    /// Of them, those that ended in a function error.
    pub errors: u64,
    /// Processes that ended without being asked to, after they had been ready.
    pub restarts: u64,
    /// Why the last start failed, while none has succeeded since.
    pub init_error: Option<String>,
}

/// What all pools share.
pub(crate) struct Surroundings {
    pub(crate) spawner: Spawner,
    pub(crate) memory: MemoryWatch,
    pub(crate) region: String,
    pub(crate) account_id: String,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) wait: Duration,
    pub(crate) sink: Option<LogSink>,
    pub(crate) closing: CancellationToken,
}

#[derive(Default)]
struct State {
    idle: Vec<Worker>,
    processes: BTreeMap<u32, Control>,
    failures: u32,
    blocked_until: Option<Instant>,
    init_error: Option<String>,
    restarts: u64,
    starting: usize,
    running: usize,
    waiting: usize,
    invocations: u64,
    errors: u64,
}

pub(crate) struct Pool {
    function: Function,
    program: PathBuf,
    concurrency: usize,
    permits: Arc<Semaphore>,
    state: Mutex<State>,
    /// A process is being started in the background: a caller waits for it rather than start another beside it.
    warming: watch::Sender<bool>,
    around: Arc<Surroundings>,
}

impl Pool {
    pub(crate) fn new(function: Function, program: PathBuf, concurrency: u32, around: Arc<Surroundings>) -> Arc<Self> {
        let concurrency = usize::try_from(concurrency).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            function,
            program,
            concurrency,
            permits: Arc::new(Semaphore::new(concurrency)),
            state: Mutex::default(),
            warming: watch::Sender::new(false),
            around,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn name(&self) -> &str {
        &self.function.name
    }

    pub(crate) fn controls(&self) -> Vec<Control> {
        self.state().processes.values().cloned().collect()
    }

    pub(crate) fn status(&self) -> FunctionStatus {
        let state = self.state();
        FunctionStatus {
            logical_id: self.function.logical_id.clone(),
            name: self.function.name.clone(),
            pids: state.processes.keys().copied().collect(),
            concurrency: self.concurrency,
            running: state.running,
            invocations: state.invocations,
            errors: state.errors,
            restarts: state.restarts,
            init_error: state.init_error.clone(),
        }
    }

    /// One of the places for running invocations. A reserved concurrency throttles at once, as Lambda does; the limit that
    /// is this machine's alone makes callers wait for a while.
    pub(crate) async fn place(&self) -> Result<OwnedSemaphorePermit, Outcome> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        // A process that is being started in the background holds a place that is free as soon as it is ready.
        if self.warmed().await
            && let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned()
        {
            return Ok(permit);
        }
        let busy = || Outcome::Throttled(format!("{}: all {} places are taken", self.function.name, self.concurrency));
        if self.function.reserved_concurrency.is_some() || self.permits.is_closed() {
            return Err(busy());
        }
        let Some(_waiting) = Waiting::begin(self) else { return Err(busy()) };
        match tokio::time::timeout(self.around.wait, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(busy()),
        }
    }

    /// Runs one invocation on an idle process or a new one.
    pub(crate) async fn run(self: Arc<Self>, call: Call, permit: OwnedSemaphorePermit) -> Completed {
        {
            let mut state = self.state();
            state.running += 1;
            state.invocations += 1;
        }
        let invocation = self.invocation(call);
        let (outcome, log_tail) = self.attempt(&invocation).await;
        {
            let mut state = self.state();
            state.running -= 1;
            state.errors += u64::from(matches!(outcome, Outcome::FunctionError(_)));
        }
        // After the process went back among the idle ones: the next caller finds it there.
        drop(permit);
        Completed { request_id: invocation.request_id, outcome, log_tail }
    }

    fn invocation(&self, call: Call) -> Invocation {
        let random = uuid::Uuid::new_v4().simple().to_string();
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (root, parent) = (&random[..24], &random[16..]);
        Invocation {
            request_id: call.request_id.unwrap_or_else(new_request_id),
            trace_id: format!("Root=1-{seconds:08x}-{root};Parent={parent};Sampled=0"),
            arn: account::function_arn(&self.around.region, &self.around.account_id, &self.function.name),
            client_context: call.client_context,
            payload: call.payload,
            timeout_s: self.function.timeout_s,
            memory_mb: self.function.memory_mb,
        }
    }

    /// How it ended, and the end of its log.
    async fn attempt(self: &Arc<Self>, invocation: &Invocation) -> (Outcome, Vec<u8>) {
        // A process may die between two invocations: the event goes to the next one, which has not seen it either.
        for _ in 0..3 {
            let worker = match self.idle().await {
                Some(worker) => worker,
                None => match self.start().await {
                    Ok(worker) => worker,
                    Err(words) => {
                        return (failure("Runtime.InitError", &format!("{}: {words}", self.function.name)), Vec::new());
                    }
                },
            };
            match worker.run(invocation).await {
                Ran::Answered(outcome) => {
                    let tail = worker.log_tail();
                    self.keep(worker);
                    return (outcome, tail);
                }
                Ran::Dead(outcome) => return (outcome, worker.log_tail()),
                Ran::NotTaken => {}
            }
        }
        let words = format!("{}: its processes ended before they took the event", self.function.name);
        (failure("Runtime.ExitError", &words), Vec::new())
    }

    /// An idle process, also one that the background is just starting.
    async fn idle(&self) -> Option<Worker> {
        let idle = self.state().idle.pop();
        if idle.is_none() && self.warmed().await { self.state().idle.pop() } else { idle }
    }

    /// Waits until the background has started its process; at once, and false, where it starts none.
    async fn warmed(&self) -> bool {
        let mut warming = self.warming.subscribe();
        let starts = *warming.borrow();
        starts && warming.wait_for(|warming| !warming).await.is_ok()
    }

    fn keep(&self, worker: Worker) {
        let mut state = self.state();
        if !worker.process.has_exited() && !self.around.closing.is_cancelled() {
            state.idle.push(worker);
        }
    }

    /// Starts a process and waits until it is ready.
    async fn start(self: &Arc<Self>) -> Result<Worker, String> {
        {
            let mut state = self.state();
            if self.around.closing.is_cancelled() {
                return Err("it is being stopped".to_owned());
            }
            if let (Some(until), Some(error)) = (state.blocked_until, &state.init_error)
                && until > Instant::now()
            {
                return Err(error.clone());
            }
            state.starting += 1;
        }
        let started = self.spawn().await;
        let mut state = self.state();
        state.starting -= 1;
        match started {
            Ok(worker) => {
                if state.init_error.take().is_some() {
                    tracing::info!(function = self.function.name, "starts again");
                }
                state.failures = 0;
                state.blocked_until = None;
                Ok(worker)
            }
            Err(words) => {
                let factor = 2u32.saturating_pow(state.failures.min(16));
                state.failures = state.failures.saturating_add(1);
                state.blocked_until = Some(Instant::now() + BACKOFF_FIRST.saturating_mul(factor).min(BACKOFF_MOST));
                // Said once, however often it is tried.
                if state.init_error.as_ref() != Some(&words) && !self.around.closing.is_cancelled() {
                    tracing::error!(function = self.function.name, "does not start: {words}");
                }
                state.init_error = Some(words.clone());
                Err(words)
            }
        }
    }

    async fn spawn(self: &Arc<Self>) -> Result<Worker, String> {
        if let Some(words) = executable::refused(&self.program) {
            return Err(format!("{}: {words}", self.program.display()));
        }
        let api = RuntimeApi::start().await.map_err(|error| format!("no port for its Runtime API: {error}"))?;
        let around = &self.around;
        let environment =
            environment::build(&self.function, &around.region, &self.program, api.address, &around.environment);
        let mut process = Process::spawn(&around.spawner, &self.program, &environment)
            .await
            .map_err(|error| format!("{} can't be run: {error}", self.program.display()))?;
        let (pid, control) = (process.pid, process.control());
        self.state().processes.insert(pid, control.clone());
        let meter = around.memory.watch(pid, self.function.memory_mb, control.clone());
        let log = Log::new(&self.function.name, around.sink.clone());
        let (stdout, stderr) = process.output().ok_or("its output can't be read")?;
        let output = Output::forward(Arc::clone(&log), stdout, stderr);
        let ready = Worker::ready(process, api, Console { log, output, meter }).await;
        let pool = Arc::clone(self);
        let was_ready = ready.is_ok();
        tokio::spawn(async move {
            control.exit().await;
            pool.ended(pid, was_ready);
        });
        ready
    }

    fn ended(self: Arc<Self>, pid: u32, was_ready: bool) {
        let mut state = self.state();
        state.processes.remove(&pid);
        state.idle.retain(|worker| worker.process.pid != pid);
        if self.around.closing.is_cancelled() || !was_ready {
            return;
        }
        state.restarts += 1;
        drop(state);
        tokio::spawn(self.warm());
    }

    /// Sees to it that one process is ready; gives up after a few failures.
    pub(crate) async fn warm(self: Arc<Self>) {
        for _ in 0..MAX_RESPAWNS {
            let permit = {
                let state = self.state();
                if self.around.closing.is_cancelled() || state.starting > 0 || !state.processes.is_empty() {
                    return;
                }
                // Holding a place keeps the processes within the limit; with none free, a caller is starting one.
                let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else { return };
                self.warming.send_replace(true);
                permit
            };
            let started = self.start().await.map(|worker| self.keep(worker));
            drop(permit);
            self.warming.send_replace(false);
            if started.is_ok() {
                return;
            }
            let until = self.state().blocked_until;
            if let Some(until) = until {
                tokio::select! {
                    () = tokio::time::sleep_until(until.into()) => {}
                    () = self.around.closing.cancelled() => return,
                }
            }
        }
    }

    /// Takes nothing more.
    pub(crate) fn close(&self) {
        self.permits.close();
    }
}

/// Counts a waiting caller, also when it gives up.
struct Waiting<'a>(&'a Pool);

impl<'a> Waiting<'a> {
    fn begin(pool: &'a Pool) -> Option<Self> {
        let mut state = pool.state();
        if state.waiting >= MAX_WAITING {
            return None;
        }
        state.waiting += 1;
        drop(state);
        Some(Self(pool))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}
