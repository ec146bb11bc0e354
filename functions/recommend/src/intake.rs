//! A batch of `user-events`, sorted by person.

use std::collections::BTreeMap;

use freshet_engine::{EventKind, Interaction, Source};
use freshet_events::metrics::strategy_code;
use freshet_events::signal::SeenProduct;
use freshet_events::{EventType, Invalid, MAX_EVENT_BYTES, UserEvent};
use freshet_stream::{Batch, Record};

/// How far an event's time may be ahead of the broker's, milliseconds.
const AHEAD_MS: i64 = 60_000;

/// An event with its place in `user-events`, as the engine takes it.
pub(crate) struct Placed {
    pub(crate) interaction: Interaction,
    pub(crate) event_id: String,
    pub(crate) event_type: EventType,
    /// Code of the strategy that a click or an exposure names.
    pub(crate) named_strategy: u8,
    /// What the website said of the product.
    pub(crate) product: Option<SeenProduct>,
}

/// The events of a batch by person, each person's in the order of the partition; and the records that are none.
#[derive(Default)]
pub(crate) struct Intake<'a> {
    pub(crate) by_person: BTreeMap<String, Vec<Placed>>,
    pub(crate) refused: Vec<(&'a Record, Invalid)>,
}

pub(crate) fn read(batch: &Batch, generation: u32) -> Intake<'_> {
    let mut intake = Intake::default();
    for record in batch.records.iter().flat_map(|partition| &partition.records) {
        match parse(record, generation) {
            Ok((user_id, placed)) => intake.by_person.entry(user_id).or_default().push(placed),
            Err(why) => intake.refused.push((record, why)),
        }
    }
    intake
}

fn parse(record: &Record, generation: u32) -> Result<(String, Placed), Invalid> {
    let value = record.value.as_deref().ok_or_else(|| Invalid::new("value", "a JSON object", "nothing"))?;
    if value.len() > MAX_EVENT_BYTES {
        return Err(Invalid::new(
            "value",
            format!("at most {MAX_EVENT_BYTES} bytes"),
            format!("{} bytes", value.len()),
        ));
    }
    let (event, at_ms) = UserEvent::parse(value)?;
    // A clock that runs ahead must not fade what all others have taught: the broker's time is the latest there is.
    let at_ms = if record.timestamp > 0 { at_ms.min(record.timestamp.saturating_add(AHEAD_MS)) } else { at_ms };
    let interaction = Interaction {
        item: event.product_id.as_str().into(),
        kind: EventKind::parse(event.event_type.as_str())
            .ok_or_else(|| Invalid::new("eventType", "a known type", event.event_type.as_str()))?,
        at_ms,
        event_hash: freshet_engine::event_hash(&event.event_id),
        source: Source { generation, partition: record.partition },
        offset: record.offset,
    };
    let placed = Placed {
        interaction,
        event_type: event.event_type,
        named_strategy: strategy_code(event.metadata_str("algorithm").unwrap_or_default()),
        product: seen_product(&event),
        event_id: event.event_id,
    };
    Ok((event.user_id, placed))
}

fn seen_product(event: &UserEvent) -> Option<SeenProduct> {
    let text = |name: &str| event.metadata_str(name).filter(|text| !text.trim().is_empty() && text.len() <= 1_024);
    Some(SeenProduct {
        name: text("name")?.to_owned(),
        category: text("category").map(str::to_owned),
        price: text("price").map(str::to_owned).or_else(|| Some(event.metadata.get("price")?.as_number()?.to_string())),
    })
}
