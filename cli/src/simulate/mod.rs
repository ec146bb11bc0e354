//! `freshet simulate`: shoppers.
//!
//! | module | what |
//! |---|---|
//! | [`crowd`] | invented shoppers who have tastes |
//! | [`dataset`] | the sessions of a CSV file |
//! | [`pace`] | when events go out |
//! | [`sender`] | through the API: paced, retried, each shopper's events in order |
//! | [`look`] | the list a shopper sees just before, and what is clicked in it |
//! | [`interactive`], [`console`] | one shopper by hand |
//! | [`kafka`] | straight into the topic |
//! | [`summary`] | what came of it |

mod console;
mod crowd;
pub(crate) mod dataset;
mod interactive;
pub(crate) mod kafka;
mod look;
mod pace;
mod sender;
pub(crate) mod summary;

use std::process::ExitCode;

use anyhow::Context as _;
use freshet_events::EventType;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::api_client::ApiClient;
use crate::args::{Profile, SimulateArgs};
use crate::output;
use crate::stop::INTERRUPTED;
use crowd::{Crowd, Habits};
use sender::ApiSender;
use summary::Tally;

pub(crate) use pace::Pace;

/// Shoppers where nobody says how many, and of the day of the rush.
const USERS: (u32, u32) = (100, 10_000);
/// Their events, at the least.
const EVENTS: u64 = 1_000;
/// Rushes of black-friday.
const RUSHES: u64 = 3;
/// Requests in flight.
const CONCURRENCY: (u16, u16) = (32, 512);

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

/// Runs the command.
///
/// # Errors
/// The file, the API or Kafka can't be read from the start.
pub(crate) async fn run(args: SimulateArgs, json: bool, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let seed = args.seed.unwrap_or_else(rand::random);
    let api = ApiClient::new(&args.api)?;
    if args.interactive {
        return interactive::run(&api, seed, json, stop).await;
    }
    let rush = args.profile == Profile::BlackFriday;
    let users = args.users.unwrap_or(if rush { USERS.1 } else { USERS.0 });
    let (events, total): (Box<dyn Iterator<Item = anyhow::Result<Planned>> + Send>, Option<u64>) = match &args.from {
        Some(file) => {
            let visits = dataset::Dataset::open(file)?;
            let limit = args.limit.unwrap_or(u64::MAX);
            let events = visits.take(usize::try_from(limit).unwrap_or(usize::MAX)).zip(0_u64..);
            (Box::new(events.map(move |(visit, index)| Ok(visit?.planned(event_id(seed, index))))), args.limit)
        }
        None => {
            let products = api.products().await.context("the invented shoppers walk through the catalogue")?;
            let habits = if rush { Habits::BLACK_FRIDAY } else { Habits::USUAL };
            let asked = if rush { RUSHES * u64::from(users) } else { EVENTS.max(u64::from(users)) };
            let total = args.events.unwrap_or(asked);
            let crowd = Crowd::new(products, users, habits, total, seed)?;
            (Box::new(crowd.take(usize::try_from(total).unwrap_or(usize::MAX)).map(Ok)), Some(total))
        }
    };
    let bar = output::bar(total, "events");
    let pace = Pace::new(&args, users);
    let concurrency = usize::from(args.concurrency.unwrap_or(if rush { CONCURRENCY.1 } else { CONCURRENCY.0 }));
    let mut tally = Tally::new()?;
    let ended = match &args.to_kafka {
        Some(brokers) => kafka::send(brokers, Some(&api), events, pace, &mut tally, &bar, &stop).await,
        None => {
            let sender = ApiSender { api: &api, concurrency, look_every: look::every(total) };
            sender.send(events, pace, &mut tally, &bar, &stop).await
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
