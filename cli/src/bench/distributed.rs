//! Hits of the running functions, beside the same engine in one process on the same events in the same order: once with lists
//! made when the functions make them, after each event of their person, and once with lists made at the very moment of the next
//! event, which know of all that others did meanwhile.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use freshet_engine::{Config, EventKind, Strategy};
use freshet_evaluation::{Dataset, Event, Freshet, Happened, Recommender, Request};
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Own, OwnOptions, sessions, throughput};
use crate::args::{DistributedArgs, Protocol};
use crate::judge::{self, Manner};
use crate::output::{self, thousands};
use crate::simulate::dataset::Visit;
use crate::simulate::summary::Tally;
use crate::simulate::{Pace, event_id, kafka};
use crate::style::{BOLD, WARN, paint};

/// Hits among the choices that a list had been made for.
#[derive(Debug, Clone, Copy, Serialize)]
struct Hits {
    choices: u64,
    hit: u64,
    hr20: f64,
}

impl Hits {
    fn new(choices: u64, hit: u64) -> Self {
        Self { choices, hit, hr20: hit as f64 / choices.max(1) as f64 }
    }
}

/// The result.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Distributed {
    source: String,
    events: u64,
    partitions: u32,
    interleaved_sessions: u32,
    /// As it was asked for, and as it came out.
    rate: f64,
    events_per_second: f64,
    interrupted: bool,
    functions: Hits,
    /// With lists made after each event, as the functions make them.
    one_process: Hits,
    /// With lists made at the next event.
    one_process_at_the_next_event: Hits,
    /// What the distance costs, HR@20.
    loss: f64,
}

/// Makes a person's list after each event and keeps it until the next.
struct Ahead<'d> {
    engine: Freshet<'d>,
    lists: HashMap<u32, (Vec<u32>, usize)>,
}

impl Recommender for Ahead<'_> {
    fn name(&self) -> &str {
        self.engine.name()
    }

    fn recommend(&mut self, request: &Request, list: &mut Vec<u32>) -> usize {
        let Some((kept, fallback)) = self.lists.get(&request.user) else { return 0 };
        list.extend(kept);
        *fallback
    }

    fn reflect(&mut self, event: &Event) {
        self.engine.reflect(event);
    }

    fn learn(&mut self, event: &Event) {
        self.engine.learn(event);
        let (kept, fallback) = self.lists.entry(event.user).or_default();
        kept.clear();
        let request = Request { user: event.user, at_ms: event.at_ms, new_only: false };
        *fallback = self.engine.recommend(&request, kept);
    }

    fn follow(&mut self, event: &Event) {
        self.engine.follow(event);
    }
}

/// Runs the command.
///
/// # Errors
/// What could not be started, read or measured.
pub(super) async fn run(args: DistributedArgs, json: bool, stop: &CancellationToken) -> anyhow::Result<()> {
    // Mistakes in the arguments show before anything is started.
    let events: Vec<Visit> = sessions::visits(&args.sessions, args.events)?.collect::<Result<_, _>>()?;
    ensure!(!events.is_empty(), "there are no events");
    let options =
        OwnOptions { partitions: args.partitions, ..OwnOptions::new(args.template.clone(), args.binaries.clone()) };
    let Some(own) = Own::start(options, stop).await? else { return Ok(()) };
    let lived = live(&own, &args, &events, stop).await;
    own.stop().await;
    let (functions, events_per_second, sent) = lived?;
    let (one_process, at_the_next) = tokio::task::block_in_place(|| alone(&args, &events[..sent], stop))?;
    let result = Distributed {
        source: sessions::source(&args.sessions),
        events: sent as u64,
        partitions: args.partitions,
        interleaved_sessions: args.sessions.interleave,
        rate: args.rate,
        events_per_second,
        interrupted: stop.is_cancelled(),
        functions,
        one_process,
        one_process_at_the_next_event: at_the_next,
        loss: one_process.hr20 - functions.hr20,
    };
    output::result(&result, json)
}

/// Through Kafka and the functions at the rate that was asked for; what they counted, how fast it was, and how many were sent.
async fn live(
    own: &Own,
    args: &DistributedArgs,
    events: &[Visit],
    stop: &CancellationToken,
) -> anyhow::Result<(Hits, f64, usize)> {
    let brokers = own.cloud.bootstrap_servers();
    let seed = rand::random();
    let planned = events.iter().cloned().zip(0_u64..).map(|(visit, at)| anyhow::Ok(visit.planned(event_id(seed, at))));
    let bar = output::bar(Some(events.len() as u64), "events");
    let mut tally = Tally::new()?;
    let started = std::time::Instant::now();
    let pace = Pace::Each(Duration::from_secs_f64(1.0 / args.rate));
    kafka::send(&brokers, None, planned, pace, &mut tally, &bar, stop).await?;
    let seconds = started.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let sent = tally.acknowledged();
    // What was sent before a Ctrl-C is followed to its end: a token of its own.
    throughput::follow(own, &brokers, sent, &CancellationToken::new()).await?;
    let answer = own.api.get("/recommendations/metrics/live").await?;
    ensure!(answer.is_ok(), "the live figures: {}", answer.reason());
    let count = |name: &str| -> anyhow::Result<u64> {
        let strategies =
            answer.body["data"]["strategies"].as_object().context("the live figures have no strategies")?;
        Ok(strategies.values().filter_map(|figures| figures[name].as_u64()).sum())
    };
    let total = answer.body["data"]["totalEvents"].as_u64();
    ensure!(total == Some(sent), "{sent} events were sent and {} counted", total.map_or(Value::Null, Value::from));
    Ok((Hits::new(count("choices")?, count("hits")?), sent as f64 / seconds, usize::try_from(sent)?))
}

/// In one process, each event as late as it was sent.
fn alone(args: &DistributedArgs, events: &[Visit], stop: &CancellationToken) -> anyhow::Result<(Hits, Hits)> {
    let now_ms = crate::kafka::now_ms();
    let happened = events.iter().zip(0_u64..).map(|(visit, at)| Happened {
        user: &visit.user,
        item: &visit.item,
        at_ms: now_ms + (at as f64 * 1_000.0 / args.rate) as i64,
        kind: EventKind::parse(visit.event_type.as_str()).unwrap_or(EventKind::ProductView),
    });
    let dataset = Dataset::from_events(happened, Vec::new());
    let engine = || Freshet::new(&dataset, Config::default(), Strategy::Hybrid);
    let ahead = Ahead { engine: engine(), lists: HashMap::new() };
    let contenders: [judge::Contender; 2] =
        [("after each event".to_owned(), Box::new(ahead)), ("at the next event".to_owned(), Box::new(engine()))];
    let manner = Manner { protocol: Protocol::Prequential, new_only: false };
    let judged = judge::judge(&dataset, contenders, manner, stop)?;
    let hits = judged.figures.iter().map(|(_, figures)| {
        Hits::new(figures.predictions, (figures.all.hr20 * figures.predictions as f64).round() as u64)
    });
    match hits.collect::<Vec<_>>()[..] {
        [ahead, at_the_next] => Ok((ahead, at_the_next)),
        _ => anyhow::bail!("stopped before the one process was measured"),
    }
}

impl fmt::Display for Distributed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, partitions, interleaved_sessions, rate, events_per_second, .. } = self;
        writeln!(
            f,
            "{} events of {}, {interleaved_sessions} sessions at a time, {partitions} partitions, {events_per_second:.0} a \
             second (asked for {rate:.0})",
            thousands(*events),
            self.source,
        )?;
        let line = |hits: &Hits| format!("{:.4}  ({} of {})", hits.hr20, thousands(hits.hit), thousands(hits.choices));
        writeln!(f, "HR@20 of the functions                      {}", paint(BOLD, line(&self.functions)))?;
        writeln!(f, "HR@20 of one process                        {}", line(&self.one_process))?;
        writeln!(f, "  with lists made only at the next event    {}", line(&self.one_process_at_the_next_event))?;
        write!(f, "loss                                        {:.4}", self.loss)?;
        if self.interrupted {
            write!(f, "\n{}", paint(WARN, "stopped: the figures are of what was sent"))?;
        }
        Ok(())
    }
}
