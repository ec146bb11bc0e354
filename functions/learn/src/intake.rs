//! A batch of `item-signals`, sorted by item.

use std::collections::BTreeMap;

use freshet_engine::{Direction, Edge, EventKind, Signal, Source};
use freshet_events::signal::SeenProduct;
use freshet_events::{Invalid, ItemSignal};
use freshet_stream::{Batch, Record};

/// A signal with its place in `item-signals`.
pub(crate) struct Placed {
    pub(crate) partition: u32,
    pub(crate) offset: u64,
    pub(crate) signal: Signal,
    pub(crate) product: Option<SeenProduct>,
}

/// The signals of a batch by item, each item's in the order of its partition; and the records that are none.
#[derive(Default)]
pub(crate) struct Intake<'a> {
    pub(crate) by_item: BTreeMap<String, Vec<Placed>>,
    pub(crate) refused: Vec<(&'a Record, Invalid)>,
}

pub(crate) fn read(batch: &Batch) -> Intake<'_> {
    let mut intake = Intake::default();
    for record in batch.records.iter().flat_map(|partition| &partition.records) {
        match parse(record) {
            Ok(placed) => intake.by_item.entry(placed.signal.item.to_string()).or_default().push(placed),
            Err(why) => intake.refused.push((record, why)),
        }
    }
    intake
}

fn parse(record: &Record) -> Result<Placed, Invalid> {
    let value = record.value.as_deref().ok_or_else(|| Invalid::new("value", "an item signal", "nothing"))?;
    let wire: ItemSignal = serde_json::from_slice(value)
        .map_err(|error| Invalid::new("value", "an item signal", format!("{} bytes ({error})", value.len())))?;
    if !wire.interest.is_finite() || wire.edges.iter().any(|edge| !edge.weight.is_finite() || edge.step == 0) {
        return Err(Invalid::new("edges", "finite weights and steps from 1", "others"));
    }
    let edge = |edge: freshet_events::signal::SignalEdge| Edge {
        other: edge.other.as_str().into(),
        direction: if edge.forward { Direction::Forward } else { Direction::Backward },
        step: edge.step,
        weight: edge.weight,
    };
    let signal = Signal {
        item: wire.product_id.as_str().into(),
        at_ms: wire.at,
        source: Source { generation: wire.source.generation, partition: wire.source.partition },
        offset: wire.source.offset,
        kind: EventKind::parse(wire.event_type.as_str())
            .ok_or_else(|| Invalid::new("eventType", "a known type", wire.event_type.as_str()))?,
        interest: wire.interest,
        edges: wire.edges.into_iter().map(edge).collect(),
    };
    Ok(Placed { partition: record.partition, offset: record.offset, signal, product: wire.product })
}
