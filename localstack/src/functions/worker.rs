//! One process with its Runtime API: begins, takes one invocation at a time, ends.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::Outcome;
use super::error::{exited, failure, timed_out};
use super::process::Process;
use super::runtime_api::{Job, Phase, RuntimeApi};

/// Lambda gives a function's init phase 10 s.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// A process that takes invocations. Dropping it kills the process.
pub(crate) struct Worker {
    pub(crate) process: Process,
    api: RuntimeApi,
}

/// What came of an invocation, and whether the process can take another.
pub(crate) enum Ran {
    /// Answered; the process goes on.
    Answered(Outcome),
    /// Answered for it; the process is dead.
    Dead(Outcome),
    /// The process died before it took the event: another may have it.
    NotTaken(Invocation),
}

/// One event with its identity.
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) arn: String,
    pub(crate) payload: Bytes,
    pub(crate) timeout_s: u32,
}

impl Worker {
    /// Waits until the process asks for its first event.
    ///
    /// # Errors
    /// Why the init phase failed, in the function's words where it said any.
    pub(crate) async fn ready(process: Process, api: RuntimeApi) -> Result<Self, String> {
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
                Phase::Init | Phase::Ready => return Ok(Self { process, api }),
            },
            how = process.exit() => format!("it exited {how} before it asked for its first event; its last lines say why"),
            () = tokio::time::sleep(INIT_LIMIT) => {
                format!("it did not ask for its first event within {} s", INIT_LIMIT.as_secs())
            }
        };
        process.kill();
        Err(failed)
    }

    /// Runs one invocation to its end.
    pub(crate) async fn run(&self, invocation: Invocation) -> Ran {
        let (taken, was_taken) = oneshot::channel();
        let (answer, mut answered) = oneshot::channel();
        let timeout = Duration::from_secs(u64::from(invocation.timeout_s));
        let job = Job {
            request_id: invocation.request_id.clone(),
            trace_id: invocation.trace_id.clone(),
            arn: invocation.arn.clone(),
            payload: invocation.payload.clone(),
            timeout,
            taken,
            answer,
        };
        if self.process.has_exited() || self.api.jobs.try_send(job).is_err() {
            self.process.kill();
            return Ran::NotTaken(invocation);
        }
        // A process that has answered is back at /next at once, unless it hangs behind its answer.
        let deadline = tokio::select! {
            biased;
            deadline = was_taken => deadline.unwrap_or_else(|_| Instant::now() + timeout),
            _ = self.process.exit() => return Ran::NotTaken(invocation),
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
                return Ran::Dead(answered.try_recv().unwrap_or_else(|_| exited(&invocation.request_id, &how)));
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
}
