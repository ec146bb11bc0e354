//! From an event accepted to the changed list readable: an idle system, one event at a time.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use freshet_events::Product;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Own, OwnOptions};
use crate::api_client::ApiClient;
use crate::args::LatencyArgs;
use crate::output::{self, Percentiles, Times};
use crate::style::{BOLD, WARN, paint};

/// Events before the first that is measured: connections and caches.
const WARM_UP: u32 = 5;
/// Shoppers who take turns.
const USERS: u32 = 50;
/// Between two looks at the list.
const LOOK: Duration = Duration::from_millis(1);
/// How long a list may take before the event counts as missed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The result.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Latency {
    api: String,
    interrupted: bool,
    /// Event accepted → changed list readable.
    accepted_to_readable: Percentiles,
    /// The request that tracks the event.
    track: Percentiles,
    /// Events whose list never changed.
    missed: u64,
    /// Looks at a list until it had changed, on average.
    looks_per_event: f64,
}

/// Runs the command.
///
/// # Errors
/// The system does not start, or refuses an event.
pub(super) async fn run(args: LatencyArgs, json: bool, stop: &CancellationToken) -> anyhow::Result<()> {
    if let Some(url) = &args.api {
        let result = measure(&ApiClient::new(url)?, args.events, stop).await?;
        return output::result(&result, json);
    }
    let options = OwnOptions::new(args.template, args.binaries);
    let Some(own) = Own::start(options, stop).await? else { return Ok(()) };
    let result = match own.make_ready().await {
        Ok(()) => measure(&own.api, args.events, stop).await,
        Err(error) => Err(error),
    };
    own.stop().await;
    output::result(&result?, json)
}

async fn measure(api: &ApiClient, events: u32, stop: &CancellationToken) -> anyhow::Result<Latency> {
    let products = api.products().await?;
    ensure!(!products.is_empty(), "the catalogue at {} is empty", api.base());
    // Another run, other people: what a list reflected before does not count.
    let run = format!("{:08x}", rand::random::<u32>());
    let (mut readable, mut track) = (Times::new()?, Times::new()?);
    let (mut missed, mut looks) = (0, 0_u64);
    let bar: ProgressBar = output::bar(Some(u64::from(events)), "events");
    for number in 0..WARM_UP + events {
        if stop.is_cancelled() {
            break;
        }
        let event = event(&run, number, &products);
        let sent = Instant::now();
        let answer = api.post("/events/track", &event, None).await?;
        let accepted = Instant::now();
        if !answer.is_ok() {
            bail!("POST {}/events/track: {}", api.base(), answer.reason());
        }
        let found = until_listed(api, &event, accepted).await?;
        if number < WARM_UP {
            continue;
        }
        bar.inc(1);
        track.record(accepted - sent);
        match found {
            Some((time, count)) => {
                readable.record(time);
                looks += count;
            }
            None => missed += 1,
        }
    }
    bar.finish_and_clear();
    let accepted_to_readable = readable.percentiles();
    Ok(Latency {
        api: api.base().to_owned(),
        interrupted: stop.is_cancelled(),
        accepted_to_readable,
        track: track.percentiles(),
        missed,
        looks_per_event: looks as f64 / accepted_to_readable.n.max(1) as f64,
    })
}

fn event(run: &str, number: u32, products: &[Product]) -> Value {
    // A stride that meets every product and gives each shopper different ones.
    let product = &products[(number as usize).wrapping_mul(7) % products.len()];
    json!({
        "eventId": format!("bench-{run}-{number}"),
        "userId": format!("bench-{run}-{}", number % USERS),
        "eventType": "product_view",
        "productId": product.id,
        "metadata": {"name": product.name, "category": product.category, "price": product.price},
    })
}

/// Time from `accepted` to the list that this event caused, and the looks it took; `None`: it never came.
async fn until_listed(api: &ApiClient, event: &Value, accepted: Instant) -> anyhow::Result<Option<(Duration, u64)>> {
    let user = event["userId"].as_str().unwrap_or_default();
    let mut looks = 0;
    while accepted.elapsed() < PATIENCE {
        looks += 1;
        let answer = api.recommendations(user).await?;
        if answer.body["metadata"]["causedBy"] == event["eventId"] {
            return Ok(Some((accepted.elapsed(), looks)));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(None)
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.interrupted {
            writeln!(f, "{}", paint(WARN, "interrupted; so far:"))?;
        }
        writeln!(f, "{} {} events at {}", paint(BOLD, "latency"), self.accepted_to_readable.n, self.api)?;
        writeln!(f, "  accepted → changed list readable  {}", self.accepted_to_readable)?;
        write!(f, "  track request                     {}", self.track)?;
        if self.missed > 0 {
            write!(f, "\n  {}", paint(WARN, format!("missed: {} lists never changed", self.missed)))?;
        }
        Ok(())
    }
}
