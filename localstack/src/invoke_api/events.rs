//! Asynchronous invocations, as Lambda does them: a function error is tried twice more, a throttled one again and again for
//! up to six hours. The queue is in memory and bounded, and is lost with this process.
//!
//! Source: AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation".

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::functions::{Call, Completed, Invoke, Outcome};

/// An event waits for this long at the most.
const MAX_AGE: Duration = Duration::from_hours(6);
/// Between two attempts of a throttled event, doubled up to [`BACKOFF_MOST`].
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MOST: Duration = Duration::from_mins(5);
/// The queue's bound is counted in pieces of this size; every event takes one at least.
const PIECE: usize = 16 * 1024;
/// 64 MB, or 4,096 small events.
const PIECES: usize = 4096;

/// The queue takes no more.
#[derive(Debug, thiserror::Error)]
#[error("{} MB of events wait to be tried, as many as the local cloud keeps", PIECES * PIECE / 1024 / 1024)]
pub(crate) struct Full;

/// All events that wait or run.
pub(crate) struct Events {
    invoke: Arc<dyn Invoke>,
    retry_after: [Duration; 2],
    room: Arc<Semaphore>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Events {
    pub(crate) fn new(invoke: Arc<dyn Invoke>, retry_after: [Duration; 2]) -> Self {
        let (room, tasks) = (Arc::new(Semaphore::new(PIECES)), TaskTracker::new());
        Self { invoke, retry_after, room, tasks, closing: CancellationToken::new() }
    }

    /// Takes an event; what becomes of it is logged.
    ///
    /// # Errors
    /// [`Full`].
    pub(crate) fn accept(&self, function: &str, call: Call) -> Result<(), Full> {
        let pieces = u32::try_from(call.payload.len().div_ceil(PIECE).max(1)).map_err(|_| Full)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(pieces).map_err(|_| Full)?;
        let event = Event {
            invoke: Arc::clone(&self.invoke),
            function: function.to_owned(),
            call,
            retry_after: self.retry_after,
        };
        let closing = self.closing.clone();
        self.tasks.spawn(async move {
            let _room = room;
            closing.run_until_cancelled_owned(event.run()).await;
        });
        Ok(())
    }

    /// Gives up what waits.
    pub(crate) fn stop(&self) {
        let left = self.tasks.len();
        if left > 0 {
            tracing::warn!(left, "asynchronous invocations had not ended and are given up");
        }
        self.closing.cancel();
    }
}

struct Event {
    invoke: Arc<dyn Invoke>,
    function: String,
    call: Call,
    retry_after: [Duration; 2],
}

impl Event {
    async fn run(self) {
        let accepted = Instant::now();
        let mut retries = self.retry_after.iter();
        let mut backoff = BACKOFF_FIRST;
        loop {
            let Completed { request_id, outcome, .. } = self.invoke.call(&self.function, self.call.clone()).await;
            let (wait, why) = match outcome {
                Outcome::Response(_) => return,
                Outcome::FunctionError(error) => {
                    let error = String::from_utf8_lossy(&error).chars().take(300).collect::<String>();
                    (retries.next().copied(), error)
                }
                Outcome::Throttled(why) => {
                    let wait = backoff;
                    backoff = (backoff * 2).min(BACKOFF_MOST);
                    (Some(wait), why)
                }
            };
            let function = &self.function;
            match wait {
                Some(wait) if accepted.elapsed() + wait <= MAX_AGE => {
                    tracing::info!(function, request_id, why, "an asynchronous invocation is tried again");
                    tokio::time::sleep(wait).await;
                }
                _ => {
                    tracing::warn!(function, request_id, why, "an asynchronous invocation is given up");
                    return;
                }
            }
        }
    }
}
