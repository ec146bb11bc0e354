//! Through the API: paced, retried, the events of each shopper in order.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future;
use indicatif::ProgressBar;
use rand::Rng as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::look::{Looked, look};
use super::summary::{Fate, Tally};
use super::{Pace, Planned};
use crate::api_client::ApiClient;

/// Events that wait for one worker at the most.
const QUEUE: usize = 16;
/// Attempts of one event.
const ATTEMPTS: u32 = 7;
/// Before the second attempt; doubled before each further one.
const BACKOFF: Duration = Duration::from_millis(100);

/// Sends through the API.
pub(crate) struct ApiSender<'a> {
    /// Where to.
    pub(crate) api: &'a ApiClient,
    /// Requests in flight.
    pub(crate) concurrency: usize,
    /// One event in so many is preceded by a look at the list.
    pub(crate) look_every: u64,
}

impl ApiSender<'_> {
    /// Sends all `events`, or until `stop`: what is on its way then is still awaited.
    ///
    /// # Errors
    /// The first event that can't be read; the ones before it are sent.
    pub(crate) async fn send(
        &self,
        events: impl Iterator<Item = anyhow::Result<Planned>>,
        pace: Pace,
        tally: &mut Tally,
        bar: &ProgressBar,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let (queues, workers): (Vec<_>, Vec<_>) = (0..self.concurrency.max(1)).map(|_| mpsc::channel(QUEUE)).unzip();
        let shared = Mutex::new(&mut *tally);
        let work = workers.into_iter().map(|queue| self.work(queue, &shared, bar, stop));
        let (ended, _) = future::join(deal(events, queues, pace, stop), future::join_all(work)).await;
        ended
    }

    async fn work(
        &self,
        mut queue: mpsc::Receiver<(u64, Planned)>,
        tally: &Mutex<&mut Tally>,
        bar: &ProgressBar,
        stop: &CancellationToken,
    ) {
        while let Some((index, planned)) = queue.recv().await {
            if stop.is_cancelled() {
                continue;
            }
            let Looked { planned, exposure, clicked, hit } =
                look(self.api, planned, index.is_multiple_of(self.look_every.max(1))).await;
            let mut exposed = false;
            if let Some(exposure) = exposure {
                exposed = self.track(&exposure, stop).await.0 == Fate::Acknowledged;
            }
            let (fate, time, retries) = self.track(&planned, stop).await;
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            if exposed {
                tally.count_exposure();
            }
            if clicked && fate == Fate::Acknowledged {
                tally.count_click();
            }
            if let Some(hit) = hit {
                tally.count_look(index, hit);
            }
            tally.count_retries(retries);
            tally.count(fate, time);
            bar.inc(1);
        }
    }

    /// Tries until it is answered for good; the same `eventId` makes that safe.
    pub(crate) async fn track(&self, planned: &Planned, stop: &CancellationToken) -> (Fate, Duration, u64) {
        let body = body(planned);
        let mut attempt = 0;
        loop {
            let started = Instant::now();
            let answer = self.api.post("/events/track", &body, None).await;
            let time = started.elapsed();
            let retries = u64::from(attempt);
            let reason = match answer {
                Ok(answer) if answer.is_ok() => return (Fate::Acknowledged, time, retries),
                Ok(answer) if answer.status < 500 && answer.status != 429 => {
                    return (Fate::Refused(answer.reason()), time, retries);
                }
                Ok(answer) => answer.reason(),
                Err(error) => format!("{error:#}"),
            };
            attempt += 1;
            if attempt == ATTEMPTS || stop.is_cancelled() {
                return (Fate::Unknown(reason), time, retries);
            }
            let wait = BACKOFF * 2_u32.pow(attempt - 1);
            let wait = wait.mul_f64(rand::rng().random_range(0.5..1.0));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return (Fate::Unknown(reason), time, retries),
            }
        }
    }
}

/// Gives each event to the worker of its shopper, when its turn has come.
async fn deal(
    events: impl Iterator<Item = anyhow::Result<Planned>>,
    queues: Vec<mpsc::Sender<(u64, Planned)>>,
    pace: Pace,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let started = tokio::time::Instant::now();
    for (event, index) in events.zip(0_u64..) {
        let event = event?;
        let mut hasher = DefaultHasher::new();
        event.user_id.hash(&mut hasher);
        let worker = &queues[(hasher.finish() % queues.len() as u64) as usize];
        let hand_over = async {
            pace.turn(started, index).await;
            worker.send((index, event)).await
        };
        tokio::select! {
            sent = hand_over => sent?,
            () = stop.cancelled() => break,
        }
    }
    Ok(())
}

fn body(planned: &Planned) -> Value {
    let mut body = json!({
        "eventId": planned.event_id,
        "userId": planned.user_id,
        "eventType": planned.event_type,
        "productId": planned.product_id,
    });
    if !planned.metadata.is_empty() {
        body["metadata"] = Value::Object(planned.metadata.clone());
    }
    body
}
