//! One process with its Runtime API: begins, takes one invocation at a time, ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Mutex as AsyncMutex, oneshot};

use super::Outcome;
use super::error::{exited, failure, out_of_memory, timed_out};
use super::log::{Log, Output, Report};
use super::memory::Meter;
use super::process::Process;
use super::runtime_api::{Job, Phase, RuntimeApi};

/// Lambda gives a function's init phase 10 s.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// The end of its log, in characters, that a failed init phase is told with.
const LAST_WORDS: usize = 600;

/// A process that takes invocations. Dropping it kills the process.
pub(crate) struct Worker {
    pub(crate) process: Process,
    api: RuntimeApi,
    console: Console,
    /// How long its init phase took, until its first invocation has reported it.
    init: AsyncMutex<Option<Duration>>,
}

/// What is known of a process beside its answers.
pub(crate) struct Console {
    pub(crate) log: Arc<Log>,
    pub(crate) output: Output,
    pub(crate) meter: Arc<Meter>,
}

/// What came of an invocation, and whether the process can take another.
pub(crate) enum Ran {
    /// Answered; the process goes on.
    Answered(Outcome),
    /// Answered for it; the process is dead.
    Dead(Outcome),
    /// The process died before it took the event: another may have it.
    NotTaken,
}

/// One event with its identity.
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) arn: String,
    pub(crate) client_context: Option<String>,
    pub(crate) payload: Bytes,
    pub(crate) timeout_s: u32,
    pub(crate) memory_mb: u32,
}

impl Worker {
    /// Waits until the process asks for its first event.
    ///
    /// # Errors
    /// Why the init phase failed, in the function's words where it said any.
    pub(crate) async fn ready(process: Process, api: RuntimeApi, console: Console) -> Result<Self, String> {
        let began = Instant::now();
        let mut phase = api.phase.clone();
        let reached = async {
            match phase.wait_for(|phase| *phase != Phase::Init).await {
                Ok(phase) => phase.clone(),
                Err(_) => Phase::Failed("its Runtime API ended".to_owned()),
            }
        };
        let failed = tokio::select! {
            biased;
            phase = reached => match phase {
                Phase::Failed(words) => words,
                Phase::Init | Phase::Ready => {
                    console.meter.busy(false);
                    return Ok(Self { process, api, console, init: AsyncMutex::new(Some(began.elapsed())) });
                }
            },
            how = process.exit() => {
                if console.meter.exceeded() {
                    "it was killed in its init phase: it held more memory than its MemorySize".to_owned()
                } else {
                    format!("it exited {how} before it asked for its first event{}", console.last_words().await)
                }
            }
            () = tokio::time::sleep(INIT_LIMIT) => {
                let words = console.last_words().await;
                format!("it did not ask for its first event within {} s{words}", INIT_LIMIT.as_secs())
            }
        };
        process.kill();
        Err(failed)
    }

    /// Runs one invocation to its end, and logs it.
    pub(crate) async fn run(&self, invocation: &Invocation) -> Ran {
        self.console.log.begin(&invocation.request_id);
        self.console.meter.busy(true);
        let began = Instant::now();
        let ran = self.attempt(invocation).await;
        let duration = began.elapsed();
        self.console.meter.busy(false);
        let (Ran::Answered(outcome) | Ran::Dead(outcome)) = &ran else { return ran };
        // Between its answer and its next event nothing of it can be taken for another's.
        self.console.output.flush().await;
        self.console.log.end(&Report {
            request_id: &invocation.request_id,
            duration,
            init: self.init.lock().await.take(),
            memory_mb: invocation.memory_mb,
            used_mb: self.console.meter.peak_mb(),
            outcome,
        });
        ran
    }

    /// The end of the log of the invocation that ran last.
    pub(crate) fn log_tail(&self) -> Vec<u8> {
        self.console.log.tail()
    }

    async fn attempt(&self, invocation: &Invocation) -> Ran {
        let (taken, was_taken) = oneshot::channel();
        let (answer, mut answered) = oneshot::channel();
        let timeout = Duration::from_secs(u64::from(invocation.timeout_s));
        let job = Job {
            request_id: invocation.request_id.clone(),
            trace_id: invocation.trace_id.clone(),
            arn: invocation.arn.clone(),
            client_context: invocation.client_context.clone(),
            payload: invocation.payload.clone(),
            timeout,
            taken,
            answer,
        };
        if self.process.has_exited() || self.api.jobs.try_send(job).is_err() {
            self.process.kill();
            return Ran::NotTaken;
        }
        // A process that has answered is back at /next at once, unless it hangs behind its answer.
        let deadline = tokio::select! {
            biased;
            deadline = was_taken => deadline.unwrap_or_else(|_| Instant::now() + timeout),
            _ = self.process.exit() => return Ran::NotTaken,
            () = tokio::time::sleep(timeout.max(INIT_LIMIT)) => {
                self.process.kill();
                return Ran::Dead(timed_out(&invocation.request_id, invocation.timeout_s));
            }
        };
        let outcome = tokio::select! {
            biased;
            answered = &mut answered => answered.ok(),
            how = self.process.exit() => {
                // The answer may have come in with the last breath.
                return Ran::Dead(answered.try_recv().unwrap_or_else(|_| self.ended(&invocation.request_id, &how)));
            }
            () = tokio::time::sleep_until(deadline.into()) => {
                self.api.abandon();
                self.process.kill();
                self.process.exit().await;
                return Ran::Dead(timed_out(&invocation.request_id, invocation.timeout_s));
            }
        };
        if let Some(outcome) = outcome {
            return Ran::Answered(outcome);
        }
        self.process.kill();
        Ran::Dead(failure("Runtime.Unknown", "the function asked for another event without an answer"))
    }

    fn ended(&self, request_id: &str, how: &str) -> Outcome {
        if self.console.meter.exceeded() { out_of_memory(request_id) } else { exited(request_id, how) }
    }
}

impl Console {
    /// What the process said at its end, for who is told that it does not start.
    async fn last_words(&self) -> String {
        self.output.flush().await;
        let tail = self.log.tail();
        let said = String::from_utf8_lossy(&tail);
        let said = said.trim();
        let from = said.char_indices().rev().nth(LAST_WORDS - 1).map_or(0, |(at, _)| at);
        if said.is_empty() { String::new() } else { format!("; its last words: {}", &said[from..]) }
    }
}
