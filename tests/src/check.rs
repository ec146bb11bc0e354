//! Nothing lost, nothing doubled: the state in DynamoDB against the engine run alone on what is in the log.
//!
//! Persons: the engine is fed `user-events` in the order of each partition; every profile must be equal to the byte.
//! Items: the signals that the engine makes of those events must stand in `item-signals`, each at least once and with the same
//! content; applied in that topic's order, doubles dropped, every item model must be equal to the byte.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, bail, ensure};
use freshet_engine::{
    Config, Direction, Edge, Engine, EventKind, Interaction, Item, ObserveOutcome, Person, Signal, Source,
};
use freshet_events::{ItemSignal, UserEvent};
use freshet_stream::generation_number;

use crate::log;
use crate::world::Client;

/// What was compared.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Records in `user-events`, client's doubles included.
    pub records: usize,
    /// Events by different `eventId`.
    pub events: usize,
    /// Profiles that are equal to the engine's.
    pub people: usize,
    /// Records in `item-signals`, redelivered ones included.
    pub signal_records: usize,
    /// Item models that are equal to the engine's.
    pub items: usize,
}

type SignalKey = (String, u32, u64);

/// Compares everything; the error says what differs first.
///
/// # Errors
/// Something was lost, doubled or changed; or the system can't be read.
pub async fn check(world: &Client) -> anyhow::Result<Report> {
    let engine = Engine::new(Config::default());
    let bootstrap = world.bootstrap_servers();
    let events = tokio::task::spawn_blocking({
        let bootstrap = bootstrap.clone();
        move || log::read(&bootstrap, "user-events")
    })
    .await??;
    let mut report = Report { records: events.len(), ..Report::default() };
    let generation = generation_number(world.topic_generation());
    let (people, expected) = replay(&engine, generation, &events, &mut report);
    compare_people(world, &people, &mut report).await?;

    let signals = tokio::task::spawn_blocking(move || log::read(&bootstrap, "item-signals")).await??;
    report.signal_records = signals.len();
    let items = apply(&engine, &signals, &expected)?;
    compare_items(world, &items, &mut report).await?;

    let live = world.store().live().await?;
    ensure!(
        live.total.events == report.events as u64,
        "the live figures count {} events, the log has {}",
        live.total.events,
        report.events
    );
    Ok(report)
}

/// The engine alone on the log: persons, and the signals their events make.
fn replay(
    engine: &Engine,
    generation: u32,
    events: &[log::LogRecord],
    report: &mut Report,
) -> (BTreeMap<String, Person>, BTreeMap<SignalKey, Signal>) {
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    let mut expected = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for record in events {
        // Poison is in the dead-letter topic, which its own test reads.
        let Ok((event, at_ms)) = UserEvent::parse(&record.value) else { continue };
        ids.insert(event.event_id.clone());
        let interaction = Interaction {
            item: event.product_id.as_str().into(),
            kind: EventKind::parse(event.event_type.as_str()).unwrap_or(EventKind::ProductView),
            at_ms,
            event_hash: freshet_engine::event_hash(&event.event_id),
            source: Source { generation, partition: record.partition },
            offset: record.offset,
        };
        let person = people.entry(event.user_id).or_default();
        let observed = engine.observe(person, &interaction);
        if observed.outcome == ObserveOutcome::Applied {
            for signal in observed.signals {
                expected.insert((signal.item.to_string(), signal.source.partition, signal.offset), signal);
            }
        }
    }
    report.events = ids.len();
    (people, expected)
}

async fn compare_people(world: &Client, people: &BTreeMap<String, Person>, report: &mut Report) -> anyhow::Result<()> {
    let ids: Vec<String> = people.keys().cloned().collect();
    let mut stored = world.store().get::<Person>(&ids).await?;
    ensure!(stored.corrupt.is_empty(), "unreadable persons: {:?}", stored.corrupt);
    for (user_id, person) in people {
        let found = stored.found.remove(user_id).with_context(|| format!("person {user_id} is missing"))?.value;
        if found.encode_profile() != person.encode_profile() {
            bail!("person {user_id} differs:\nstored {found:?}\nengine {person:?}");
        }
        report.people += 1;
    }
    Ok(())
}

/// Applies the topic's signals as `learn` does; each must be one that the engine makes, and none may be missing.
fn apply(
    engine: &Engine,
    signals: &[log::LogRecord],
    expected: &BTreeMap<SignalKey, Signal>,
) -> anyhow::Result<HashMap<String, Item>> {
    let mut items: HashMap<String, Item> = HashMap::new();
    let mut seen = BTreeSet::new();
    for record in signals {
        let wire: ItemSignal = serde_json::from_slice(&record.value)?;
        let key = (wire.product_id.clone(), wire.source.partition, wire.source.offset);
        let ours = expected.get(&key).with_context(|| format!("a signal that no event makes: {key:?}"))?;
        let read = from_wire(&wire)?;
        ensure!(&read == ours, "the signal {key:?} differs:\ntopic  {read:?}\nengine {ours:?}");
        engine.learn(items.entry(wire.product_id).or_default(), ours);
        seen.insert(key);
    }
    let lost = expected.keys().filter(|key| !seen.contains(*key)).count();
    ensure!(lost == 0, "{lost} of {} signals are not in the topic", expected.len());
    Ok(items)
}

async fn compare_items(world: &Client, items: &HashMap<String, Item>, report: &mut Report) -> anyhow::Result<()> {
    let ids: Vec<String> = items.keys().cloned().collect();
    let mut stored = world.store().get::<Item>(&ids).await?;
    ensure!(stored.corrupt.is_empty(), "unreadable items: {:?}", stored.corrupt);
    for (id, item) in items {
        let found = stored.found.remove(id).with_context(|| format!("item {id} is missing"))?.value;
        ensure!(found.encode() == item.encode(), "item {id} differs:\nstored {found:?}\nengine {item:?}");
        report.items += 1;
    }
    Ok(())
}

fn from_wire(wire: &ItemSignal) -> anyhow::Result<Signal> {
    let edge = |edge: &freshet_events::signal::SignalEdge| Edge {
        other: edge.other.as_str().into(),
        direction: if edge.forward { Direction::Forward } else { Direction::Backward },
        step: edge.step,
        weight: edge.weight,
    };
    Ok(Signal {
        item: wire.product_id.as_str().into(),
        at_ms: wire.at,
        source: Source { generation: wire.source.generation, partition: wire.source.partition },
        offset: wire.source.offset,
        kind: EventKind::parse(wire.event_type.as_str()).context("an unknown kind")?,
        interest: wire.interest,
        edges: wire.edges.iter().map(edge).collect(),
    })
}

/// Everything acknowledged is in the log, and what is in the log is in the state once. Prints what was compared.
///
/// # Errors
/// As [`check`]; or an acknowledged event is not in the log.
pub async fn nothing_lost_nothing_doubled(client: &Client, acknowledged: &BTreeSet<String>) -> anyhow::Result<()> {
    client.settle().await?;
    let report = check(client).await?;
    let bootstrap = client.bootstrap_servers();
    let records = tokio::task::spawn_blocking(move || log::read(&bootstrap, "user-events")).await??;
    let ids = records.iter().map(|record| Ok(UserEvent::parse(&record.value)?.0.event_id));
    let ids: BTreeSet<String> = ids.collect::<anyhow::Result<_>>()?;
    let lost = acknowledged.difference(&ids).count();
    println!("acknowledged {}, lost {lost}, doubled 0: {report:?}", acknowledged.len());
    ensure!(lost == 0, "{lost} acknowledged events are not in the log");
    Ok(())
}
