//! `freshet simulate`: shoppers.
//!
//! | module | what |
//! |---|---|
//! | [`crowd`] | invented shoppers who have tastes |
//! | [`dataset`] | the sessions of a CSV file |
//! | [`sender`] | through the API: paced, retried, each shopper's events in order |
//! | [`kafka`] | straight into the topic |
//! | [`summary`] | what came of it |

pub(crate) mod crowd;
pub(crate) mod dataset;
pub(crate) mod kafka;
mod sender;
pub(crate) mod summary;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use freshet_events::EventType;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::api_client::ApiClient;
use crate::args::SimulateArgs;
use crate::output;
use crate::stop::INTERRUPTED;
use sender::ApiSender;
use summary::Tally;

/// An event to send.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planned {
    /// Unique, and the same for the same seed and place: safe to send again.
    pub(crate) event_id: String,
    /// Who.
    pub(crate) user_id: String,
    /// Does what.
    pub(crate) event_type: EventType,
    /// With which product.
    pub(crate) product_id: String,
    /// Name, category and price, where they are known.
    pub(crate) metadata: Map<String, Value>,
    /// Rather click in the list that is shown, where one is: at this part of its length, 0 (best) to 1.
    pub(crate) click: Option<f64>,
}

/// The id of event number `index` of a run.
pub(crate) fn event_id(seed: u64, index: u64) -> String {
    format!("sim-{seed:016x}-{index}")
}

/// When events go out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace(Option<Duration>);

impl Pace {
    /// As fast as it goes.
    pub(crate) const FREE: Self = Self(None);

    fn new(args: &SimulateArgs) -> Self {
        let interval = args.rate.map_or(args.interval, |rate| 1.0 / rate);
        Self((interval > 0.0).then(|| Duration::from_secs_f64(interval)))
    }

    /// Waits for the turn of event number `index`.
    pub(crate) async fn turn(self, started: tokio::time::Instant, index: u64) {
        if let Some(interval) = self.0 {
            tokio::time::sleep_until(started + interval.mul_f64(index as f64)).await;
        }
    }
}

/// Runs the command.
///
/// # Errors
/// The file, the API or Kafka can't be read from the start.
pub(crate) async fn run(args: SimulateArgs, json: bool, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let seed = args.seed.unwrap_or_else(rand::random);
    let api = ApiClient::new(&args.api)?;
    let (events, total): (Box<dyn Iterator<Item = anyhow::Result<Planned>> + Send>, Option<u64>) = match &args.from {
        Some(file) => {
            let visits = dataset::Dataset::open(file)?;
            let limit = args.limit.unwrap_or(u64::MAX);
            let events = visits.take(usize::try_from(limit).unwrap_or(usize::MAX)).zip(0_u64..);
            (Box::new(events.map(move |(visit, index)| Ok(visit?.planned(event_id(seed, index))))), args.limit)
        }
        None => {
            let products = api.products().await.context("the invented shoppers walk through the catalogue")?;
            let crowd = crowd::Crowd::new(products, args.users, seed)?;
            let events = usize::try_from(args.events).unwrap_or(usize::MAX);
            (Box::new(crowd.take(events).map(Ok)), Some(args.events))
        }
    };
    let bar = output::bar(total, "events");
    let pace = Pace::new(&args);
    let mut tally = Tally::new()?;
    let ended = match &args.to_kafka {
        Some(brokers) => kafka::send(brokers, Some(&api), events, pace, &mut tally, &bar, &stop).await,
        None => {
            ApiSender { api: &api, concurrency: usize::from(args.concurrency) }
                .send(events, pace, &mut tally, &bar, &stop)
                .await
        }
    };
    bar.finish_and_clear();
    let summary = tally.summary(seed, stop.is_cancelled());
    // A file may break off: what was sent up to there is said first.
    if ended.is_ok() || !summary.is_empty() {
        output::result(&summary, json)?;
    }
    ended?;
    Ok(match (stop.is_cancelled(), summary.all_acknowledged()) {
        (true, _) => ExitCode::from(INTERRUPTED),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}
