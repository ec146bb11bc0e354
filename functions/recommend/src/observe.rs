//! Feeds a person's events to the engine: profile, signals for the items, outcomes for the figures.

use freshet_engine::{Direction, Engine, ObserveOutcome, Person, Signal, Strategy};
use freshet_events::metrics::{DOUBLE, Listed, Outcome, strategy_code};
use freshet_events::signal::{SignalEdge, SignalSource};
use freshet_events::{EventType, ItemSignal};
use freshet_store::Stored;
use freshet_store::catalogue::Snapshot;
use freshet_stream::Message;

use crate::intake::Placed;

/// A person after the batch.
pub(crate) struct Observed {
    pub(crate) user_id: String,
    pub(crate) person: Stored<Person>,
    /// The watermarks or the profile moved: the person must be written.
    pub(crate) moved: bool,
    /// The profile changed: a new list is due.
    pub(crate) new_list: bool,
    /// Everything was applied before and this is the newest: its list may not have been sent.
    pub(crate) resend: bool,
    pub(crate) outcomes: Vec<(u32, Outcome)>,
    /// With the source partition and offset of each.
    pub(crate) signals: Vec<(u32, u64, Message)>,
    /// New events applied.
    pub(crate) applied: usize,
}

/// Applies `events` in order. Items learn of them by the returned signals. `own_strategy` is the one the person is dealt to.
pub(crate) fn observe(
    engine: &Engine,
    catalogue: &Snapshot,
    topic: &str,
    user_id: String,
    own_strategy: Strategy,
    person: Stored<Person>,
    events: &[Placed],
) -> Observed {
    let mut observed = Observed {
        user_id,
        person,
        moved: false,
        new_list: false,
        resend: false,
        outcomes: Vec::with_capacity(events.len()),
        signals: Vec::new(),
        applied: 0,
    };
    for event in events {
        let person = &mut observed.person.value;
        let had_list = person.list.is_some();
        let strategy = person.list.as_ref().map_or(own_strategy, |list| list.strategy);
        let strategy = strategy_code(strategy.as_str());
        let seen = engine.observe(person, &event.interaction);
        let mut outcome = Outcome {
            offset: event.interaction.offset,
            event_type: event_code(event.event_type),
            strategy,
            listed: Listed::Unknown,
            clicked: event.named_strategy,
        };
        match seen.outcome {
            ObserveOutcome::Applied => {
                observed.moved = true;
                observed.applied += 1;
                let choice = engine.is_choice(event.interaction.kind);
                observed.new_list |= event.event_type != EventType::RecommendationView;
                if had_list && choice {
                    outcome.listed = if seen.was_listed { Listed::Yes } else { Listed::No };
                }
                let own = event.interaction.item.as_ref();
                observed.signals.extend(seen.signals.iter().map(|signal| {
                    let product =
                        event.product.as_ref().filter(|_| signal.item.as_ref() == own && is_news(catalogue, event));
                    let at = &event.interaction;
                    (at.source.partition, at.offset, message(topic, signal, event.event_type, product.cloned()))
                }));
            }
            ObserveOutcome::Duplicate => {
                observed.moved = true;
                outcome.event_type = DOUBLE;
            }
            ObserveOutcome::AlreadyApplied => {
                observed.resend =
                    observed.person.value.watermarks.last(event.interaction.source) == Some(event.interaction.offset);
            }
        }
        observed.outcomes.push((event.interaction.source.partition, outcome));
    }
    observed
}

/// Says the website something of a product that the catalogue does not know better?
fn is_news(catalogue: &Snapshot, event: &Placed) -> bool {
    let (Some(said), known) = (&event.product, catalogue.products.get(event.interaction.item.as_ref())) else {
        return false;
    };
    known.is_none_or(|known| {
        !known.confirmed && (&known.name, &known.category, &known.price) != (&said.name, &said.category, &said.price)
    })
}

pub(crate) fn event_code(event_type: EventType) -> u8 {
    EventType::ALL.iter().position(|kind| *kind == event_type).unwrap_or(0) as u8
}

fn message(
    topic: &str,
    signal: &Signal,
    event_type: EventType,
    product: Option<freshet_events::signal::SeenProduct>,
) -> Message {
    let edge = |edge: &freshet_engine::Edge| SignalEdge {
        other: edge.other.to_string(),
        forward: edge.direction == Direction::Forward,
        step: edge.step,
        weight: edge.weight,
    };
    let wire = ItemSignal {
        product_id: signal.item.to_string(),
        source: SignalSource {
            generation: signal.source.generation,
            partition: signal.source.partition,
            offset: signal.offset,
        },
        at: signal.at_ms,
        event_type,
        interest: signal.interest,
        edges: signal.edges.iter().map(edge).collect(),
        product,
    };
    Message {
        topic: topic.to_owned(),
        key: wire.product_id.clone(),
        value: serde_json::to_vec(&wire).unwrap_or_default(),
    }
}
