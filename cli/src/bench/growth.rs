//! What an event costs while a shop grows: the engine with its documents as the bytes that DynamoDB would hold, from bytes to
//! bytes. What it takes to fetch and to keep them is DynamoDB's and not counted.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use freshet_engine::{
    Blend, Catalogue, Config, Engine, EventKind, Inputs, Interaction, Item, ItemId, Person, Popularity,
    PopularityShard, Prediction, Source, Strategy,
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::interleave::Interleave;
use super::invented;
use super::memory::{self, Peak};
use crate::args::GrowthArgs;
use crate::output::{self, thousands};
use crate::simulate::dataset::Visit;
use crate::style::{BOLD, WARN, paint};

/// Sessions at a time.
const SESSIONS: usize = 1_000;
/// Milliseconds from one event to the next.
const STEP_MS: i64 = 100;
/// The top lists are merged anew after so many events.
const MERGE_EVERY: u64 = 5_000;
/// Products that the shop opens with.
const FIRST_PRODUCTS: u32 = 1_000;
/// Where costs are compared from.
const BASE: u64 = 100_000;
const TOP: usize = 20;

/// What events cost on the way to a number of events.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stage {
    /// Events so far.
    events: u64,
    people: u64,
    items: u64,
    /// Of one event on the way here: its documents read, changed and written.
    learn_us: f64,
    /// Of one list on the way here: the person and all item models read from their bytes, and the list made.
    list_us: f64,
    /// Documents of items read for a list, and their bytes.
    list_documents: f64,
    list_bytes: f64,
    /// Documents of items written an event, and their bytes, each event by itself.
    documents: f64,
    bytes: f64,
    /// Learning and a list together, by what they cost in the stage that ends at 100,000 events.
    ratio: Option<f64>,
}

/// The result.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Growth {
    products: u32,
    interrupted: bool,
    stages: Vec<Stage>,
    peak: Peak,
}

/// What was counted since the last stage.
#[derive(Debug, Default)]
struct Counted {
    events: u64,
    learning: Duration,
    lists: u64,
    listing: Duration,
    documents: u64,
    bytes: u64,
    list_documents: u64,
    list_bytes: u64,
}

/// Runs the command.
///
/// # Errors
/// A document that was written can't be read.
pub(super) fn run(args: &GrowthArgs, json: bool, stop: &CancellationToken) -> anyhow::Result<()> {
    let result = tokio::task::block_in_place(|| measure(args, stop))?;
    output::result(&result, json)
}

fn measure(args: &GrowthArgs, stop: &CancellationToken) -> anyhow::Result<Growth> {
    let mut shop = Shop::new();
    let mut stages: Vec<Stage> = Vec::new();
    let bar = output::bar(Some(args.events), "events");
    let ends = ends(args.events);
    let mut counted = Counted::default();
    // As many views a product at the end as on the way there.
    let products = |views: u64| {
        let share = views as f64 / args.events as f64;
        ((f64::from(args.items) * share) as u32).clamp(args.items.min(FIRST_PRODUCTS), args.items)
    };
    let visits = Interleave::new(invented::growing(products).map(Ok), SESSIONS);
    for (visit, number) in visits.zip(1..=args.events) {
        let visit = visit.map_err(|error| anyhow::anyhow!("{error}"))?;
        if number.is_multiple_of(args.list_every) {
            shop.list(&visit, &mut counted)?;
        }
        shop.learn(&visit, &mut counted)?;
        if number.is_multiple_of(1_000) {
            bar.set_position(number);
            if stop.is_cancelled() {
                break;
            }
        }
        if ends.contains(&number) {
            let base = stages.iter().find(|stage| stage.events == BASE);
            let stage = shop.stage(&std::mem::take(&mut counted), base);
            stages.push(stage);
        }
    }
    bar.finish_and_clear();
    let peak = memory::peak("all of it", std::process::id());
    Ok(Growth { products: args.items, interrupted: stop.is_cancelled(), stages, peak })
}

/// 1,000, 3,000, 10,000 and so on, and the end.
fn ends(events: u64) -> Vec<u64> {
    let decades = (3..18).map(|power| 10_u64.pow(power));
    let mut ends: Vec<u64> = decades.flat_map(|decade| [decade, 3 * decade]).filter(|end| *end < events).collect();
    ends.push(events);
    ends
}

/// The state, as DynamoDB would hold it.
struct Shop {
    engine: Engine,
    people: HashMap<u64, Box<[u8]>>,
    items: HashMap<ItemId, Box<[u8]>>,
    shard: PopularityShard,
    popularity: Popularity,
    catalogue: Catalogue,
    blend: Blend,
    prediction: Prediction,
    events: u64,
}

impl Shop {
    fn new() -> Self {
        Self {
            engine: Engine::new(Config::default()),
            people: HashMap::new(),
            items: HashMap::new(),
            shard: PopularityShard::default(),
            popularity: Popularity::default(),
            catalogue: Catalogue::default(),
            blend: Blend::default(),
            prediction: Prediction::default(),
            events: 0,
        }
    }

    fn now_ms(&self) -> i64 {
        1_700_000_000_000 + self.events.cast_signed() * STEP_MS
    }

    /// The person's number and document, as it would come from DynamoDB.
    fn person(&self, visit: &Visit) -> anyhow::Result<(u64, Option<Box<[u8]>>)> {
        let number = visit.user.parse().context("an invented person")?;
        Ok((number, self.people.get(&number).cloned()))
    }

    /// The documents of items, as they would come from DynamoDB.
    fn fetch<'i>(&self, ids: impl Iterator<Item = &'i ItemId>) -> Vec<(ItemId, Option<Box<[u8]>>)> {
        ids.map(|id| (id.clone(), self.items.get(id).cloned())).collect()
    }

    /// The person's list before the event.
    fn list(&mut self, visit: &Visit, counted: &mut Counted) -> anyhow::Result<()> {
        let (_, Some(bytes)) = self.person(visit)? else { return Ok(()) };
        let now_ms = self.now_ms();
        let mut clock = Clock::start();
        let person = Person::decode(&bytes)?;
        let context = self.engine.context(&person);
        clock.stop();
        let fetched = self.fetch(context.iter());
        clock.go_on();
        let mut models: HashMap<ItemId, Item> = HashMap::new();
        read(fetched, &mut models, counted)?;
        let bridges = {
            let lookup = |id: &ItemId| models.get(id);
            self.engine.bridges(&person, Strategy::Hybrid, &lookup, now_ms, &mut self.prediction)
        };
        clock.stop();
        let fetched = self.fetch(bridges.iter().filter(|id| !models.contains_key(*id)));
        clock.go_on();
        read(fetched, &mut models, counted)?;
        let inputs = Inputs {
            items: &|id: &ItemId| models.get(id),
            popularity: &self.popularity,
            catalogue: &self.catalogue,
            blend: &self.blend,
            strategy: Strategy::Hybrid,
            now_ms,
            limit: TOP,
            new_only: false,
        };
        let list = self.engine.recommend(&person, &inputs, &mut self.prediction);
        counted.lists += u64::from(!list.is_empty());
        clock.stop();
        counted.listing += clock.total;
        Ok(())
    }

    fn learn(&mut self, visit: &Visit, counted: &mut Counted) -> anyhow::Result<()> {
        let (number, bytes) = self.person(visit)?;
        let event = Interaction {
            item: visit.item.as_str().into(),
            kind: EventKind::ProductView,
            at_ms: self.now_ms(),
            event_hash: self.events.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            source: Source { generation: 1, partition: 0 },
            offset: self.events,
        };
        let mut clock = Clock::start();
        let mut person = bytes.map(|bytes| Person::decode(&bytes)).transpose()?.unwrap_or_default();
        let signals = self.engine.observe(&mut person, &event).signals;
        let person = person.encode();
        clock.stop();
        self.people.insert(number, person.into_boxed_slice());
        let fetched = self.fetch(signals.iter().map(|signal| &signal.item));
        for (signal, (id, bytes)) in signals.iter().zip(fetched) {
            clock.go_on();
            let mut item = bytes.map(|bytes| Item::decode(&bytes)).transpose()?.unwrap_or_default();
            self.engine.learn(&mut item, signal);
            if signal.interest > 0.0 {
                self.shard.update(&id, None, self.engine.demand(&item));
            }
            let bytes = item.encode();
            clock.stop();
            counted.documents += 1;
            counted.bytes += bytes.len() as u64;
            self.items.insert(id, bytes.into_boxed_slice());
        }
        self.events += 1;
        clock.go_on();
        if self.events.is_multiple_of(MERGE_EVERY) {
            self.popularity = Popularity::merge(std::slice::from_ref(&self.shard));
        }
        clock.stop();
        counted.events += 1;
        counted.learning += clock.total;
        Ok(())
    }

    fn stage(&self, counted: &Counted, base: Option<&Stage>) -> Stage {
        let us = |time: Duration, count: u64| time.as_secs_f64() * 1e6 / count.max(1) as f64;
        let each = |sum: u64, count: u64| sum as f64 / count.max(1) as f64;
        let (learn_us, list_us) = (us(counted.learning, counted.events), us(counted.listing, counted.lists));
        Stage {
            events: self.events,
            people: self.people.len() as u64,
            items: self.items.len() as u64,
            learn_us,
            list_us,
            list_documents: each(counted.list_documents, counted.lists),
            list_bytes: each(counted.list_bytes, counted.lists),
            documents: each(counted.documents, counted.events),
            bytes: each(counted.bytes, counted.events),
            ratio: base.map(|base| (learn_us + list_us) / (base.learn_us + base.list_us)),
        }
    }
}

fn read(
    fetched: Vec<(ItemId, Option<Box<[u8]>>)>,
    models: &mut HashMap<ItemId, Item>,
    counted: &mut Counted,
) -> anyhow::Result<()> {
    for (id, bytes) in fetched {
        let Some(bytes) = bytes else { continue };
        counted.list_documents += 1;
        counted.list_bytes += bytes.len() as u64;
        models.insert(id, Item::decode(&bytes)?);
    }
    Ok(())
}

/// Time that can be interrupted.
struct Clock {
    since: Instant,
    total: Duration,
}

impl Clock {
    fn start() -> Self {
        Self { since: Instant::now(), total: Duration::ZERO }
    }

    fn stop(&mut self) {
        self.total += self.since.elapsed();
    }

    fn go_on(&mut self) {
        self.since = Instant::now();
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "a shop of {} products; costs on the way to so many events", thousands(u64::from(self.products)))?;
        let head = [
            ("events", 11),
            ("people", 11),
            ("items", 10),
            ("learn µs", 10),
            ("list µs", 9),
            ("ratio", 7),
            ("documents", 11),
            ("bytes written", 14),
            ("read", 6),
            ("bytes read", 11),
        ];
        let head = head.map(|(name, width)| format!("{name:>width$}")).concat();
        writeln!(f, "{}", paint(BOLD, head))?;
        for stage in &self.stages {
            let ratio = stage.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            writeln!(
                f,
                "{:>11}{:>11}{:>10}{:>10.2}{:>9.1}{ratio:>7}{:>11.2}{:>14.0}{:>6.1}{:>11.0}",
                thousands(stage.events),
                thousands(stage.people),
                thousands(stage.items),
                stage.learn_us,
                stage.list_us,
                stage.documents,
                stage.bytes,
                stage.list_documents,
                stage.list_bytes,
            )?;
        }
        write!(f, "peak memory  {}", self.peak)?;
        if self.interrupted {
            write!(f, "\n{}", paint(WARN, "stopped"))?;
        }
        Ok(())
    }
}
