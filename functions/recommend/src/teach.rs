//! Lets the blend learn: what a person did next, beside what had been foretold.
//!
//! The prediction is made again from the person as stored and from item models read before this batch's own signals go out,
//! so that it can't know the answer. Every partition teaches a copy of its own, sends it to the board now and then, and goes
//! on from the mean that everybody reads. A copy that is lost with its process costs some learning and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use freshet_engine::{Blend, Blends, Engine, Person, Prediction, Strategy};
use freshet_events::EventType;
use freshet_store::{Fetched, StoreError};
use freshet_telemetry::Event;

use crate::context::{Context, Shared};
use crate::handler::FUNCTION;
use crate::intake::Placed;
use crate::lists;

/// Persons of one batch that the blend learns from: a large batch has enough of them.
const MAX_LESSONS: usize = 200;
/// Between two writes of one copy to the board, milliseconds, once it is old.
const PUBLISH_EVERY_MS: i64 = 10_000;
/// And while it has learned of fewer lessons than this.
const YOUNG_STEPS: u64 = 2_000;
const PUBLISH_YOUNG_EVERY_MS: i64 = 1_000;

/// The copies of the blends that this process teaches.
#[derive(Debug, Default)]
pub(crate) struct Teacher {
    copies: Mutex<HashMap<(Strategy, u32), Copy>>,
}

#[derive(Debug)]
struct Copy {
    blend: Blend,
    published_at_ms: i64,
    published_steps: u64,
    /// The mean that it went on from.
    mean_steps: u64,
}

/// What one person's next event teaches.
struct Lesson<'a> {
    user_id: &'a str,
    person: &'a Person,
    next: &'a Placed,
}

/// Teaches the first new choice of every person; at most [`MAX_LESSONS`] of them.
pub(crate) async fn teach(
    context: &Context,
    shared: &Shared,
    by_person: &BTreeMap<String, Vec<Placed>>,
    people: &Fetched<Person>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut lessons: Vec<Lesson> =
        by_person.iter().filter_map(|(user_id, events)| lesson(&context.engine, user_id, events, people)).collect();
    lessons.sort_by_key(|lesson| (lesson.next.interaction.source.partition, lesson.next.interaction.offset));
    lessons.truncate(MAX_LESSONS);
    if lessons.is_empty() {
        return Ok(());
    }
    let persons = lessons.iter().map(|lesson| (lesson.person, shared.split.strategy_of(lesson.user_id)));
    let models = context.items.for_lists(&context.store, &context.engine, persons, now_ms).await?;
    let mut prediction = Prediction::default();
    {
        let mut copies = context.teacher.copies.lock().unwrap_or_else(PoisonError::into_inner);
        for Lesson { user_id, person, next } in lessons {
            lists::list(context, shared, &models, user_id, person, now_ms, &mut prediction);
            let place = (shared.split.strategy_of(user_id), next.interaction.source.partition);
            let copy = copies.entry(place).or_insert_with(|| Copy::new(&shared.blends, place, now_ms));
            copy.follow(&shared.blends, place.0);
            prediction.teach(&mut copy.blend, &next.interaction.item, context.engine.config().learning_rate);
        }
    }
    publish(context, now_ms).await;
    Ok(())
}

/// The first event that the stored list foretold, if it chooses a product and was not applied before.
fn lesson<'a>(
    engine: &Engine,
    user_id: &'a str,
    events: &'a [Placed],
    people: &'a Fetched<Person>,
) -> Option<Lesson<'a>> {
    let person = &people.found.get(user_id)?.value;
    let next = events.iter().find(|event| event.event_type != EventType::RecommendationView)?;
    let is_new = !person.watermarks.covers(next.interaction.source, next.interaction.offset);
    let teaches = person.has_history() && is_new && engine.is_choice(next.interaction.kind);
    teaches.then_some(Lesson { user_id, person, next })
}

/// Sends the copies that are due to the board. A failure costs nothing that the next write does not make good.
async fn publish(context: &Context, now_ms: i64) {
    let due: Vec<((Strategy, u32), Blend)> = {
        let mut copies = context.teacher.copies.lock().unwrap_or_else(PoisonError::into_inner);
        copies
            .iter_mut()
            .filter(|(_, copy)| copy.is_due(now_ms))
            .map(|(place, copy)| (*place, copy.publish(now_ms)))
            .collect()
    };
    for ((strategy, partition), blend) in due {
        if let Err(error) = context.store.put_blend(strategy, partition, &blend).await {
            Event::Dependency { function: FUNCTION, dependency: "DynamoDB", error: &error.to_string() }.emit();
        }
    }
}

impl Copy {
    fn new(blends: &Blends, (strategy, partition): (Strategy, u32), now_ms: i64) -> Self {
        let blend = blends.copy_for(strategy, partition);
        let steps = blend.steps();
        Self { blend, published_at_ms: now_ms, published_steps: steps, mean_steps: blends.of(strategy).steps() }
    }

    /// Goes on from the mean, where that has moved since.
    fn follow(&mut self, blends: &Blends, strategy: Strategy) {
        let mean = blends.of(strategy);
        if mean.steps() != self.mean_steps {
            self.mean_steps = mean.steps();
            self.blend.follow(mean);
        }
    }

    fn is_due(&self, now_ms: i64) -> bool {
        let every = if self.blend.steps() < YOUNG_STEPS { PUBLISH_YOUNG_EVERY_MS } else { PUBLISH_EVERY_MS };
        self.blend.steps() > self.published_steps && now_ms.saturating_sub(self.published_at_ms) >= every
    }

    fn publish(&mut self, now_ms: i64) -> Blend {
        self.published_at_ms = now_ms;
        self.published_steps = self.blend.steps();
        self.blend.clone()
    }
}
