//! Lets the blend learn: what a person did next, beside what had been foretold.
//!
//! The prediction is made again from the person as stored, as of the moment of the list, and from item models read before this
//! batch's own signals go out, so that it can't know the answer. Each partition teaches a copy of the blend; what it has learned
//! is sent to the board now and then and read by all. What is not sent yet is lost with its process and costs some learning,
//! nothing else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use freshet_engine::{Blend, Engine, Learner, Person, Prediction, Source, Strategy};
use freshet_events::EventType;
use freshet_store::{Fetched, StoreError};
use freshet_telemetry::Event;

use crate::context::{Context, Shared};
use crate::handler::FUNCTION;
use crate::intake::Placed;
use crate::lists;

/// Persons of one batch that the blend learns from: a large batch has enough of them.
const MAX_LESSONS: usize = 200;
/// Between two writes of what a partition has learned, milliseconds, once it is old.
const PUBLISH_EVERY_MS: i64 = 10_000;
/// And while it has learned from fewer lessons than this.
const YOUNG_STEPS: u64 = 2_000;
const PUBLISH_YOUNG_EVERY_MS: i64 = 1_000;

/// What this process learns, by strategy and partition of user-events.
#[derive(Debug, Default)]
pub(crate) struct Teacher {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    copies: HashMap<(Strategy, u32), Copy>,
    /// The last offset that was taught: what is delivered again teaches nothing.
    taught: HashMap<Source, u64>,
}

#[derive(Debug, Default)]
struct Copy {
    learner: Learner,
    published_at_ms: i64,
    published_steps: u64,
    /// When what the others have learned was last taken in.
    renewed_at_ms: i64,
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
    let lessons = context.teacher.lessons(&context.engine, by_person, people);
    if lessons.is_empty() {
        return Ok(());
    }
    let persons = lessons.iter().map(|lesson| (lesson.person, shared.split.strategy_of(lesson.user_id)));
    let models = context
        .items
        .for_lists(&context.store, &context.engine, persons, lists::bridges(by_person.len()), now_ms)
        .await?;
    let mut prediction = Prediction::default();
    {
        let State { copies, taught } = &mut *context.teacher.state.lock().unwrap_or_else(PoisonError::into_inner);
        for Lesson { user_id, person, next } in lessons {
            let (source, strategy) = (next.interaction.source, shared.split.strategy_of(user_id));
            let copy = copies.entry((strategy, source.partition)).or_default();
            if copy.renewed_at_ms != shared.blends.read_at_ms {
                copy.renewed_at_ms = shared.blends.read_at_ms;
                shared.blends.blends.renew(&mut copy.learner, strategy, source.partition);
            }
            let at_ms = person.list.as_ref().map_or(now_ms, |list| list.generated_at_ms);
            let made = lists::Made { context, shared, models: &models, strategy, blend: copy.learner.blend() };
            made.list(person, at_ms, &mut prediction);
            prediction.teach(&mut copy.learner, &next.interaction.item, context.engine.config().learning_rate);
            let last = taught.entry(source).or_insert(next.interaction.offset);
            *last = next.interaction.offset.max(*last);
        }
    }
    publish(context, now_ms).await;
    Ok(())
}

impl Teacher {
    /// By offset within each partition; of too many, some that a hash picks.
    fn lessons<'a>(
        &self,
        engine: &Engine,
        by_person: &'a BTreeMap<String, Vec<Placed>>,
        people: &'a Fetched<Person>,
    ) -> Vec<Lesson<'a>> {
        let taught = &self.state.lock().unwrap_or_else(PoisonError::into_inner).taught;
        let is_untaught = |lesson: &Lesson| {
            let at = &lesson.next.interaction;
            taught.get(&at.source).is_none_or(|last| at.offset > *last)
        };
        let mut lessons: Vec<Lesson> = by_person
            .iter()
            .filter_map(|(user_id, events)| lesson(engine, user_id, events, people))
            .filter(is_untaught)
            .collect();
        lessons.sort_by_key(|lesson| lesson.next.interaction.event_hash);
        lessons.truncate(MAX_LESSONS);
        lessons.sort_by_key(|lesson| (lesson.next.interaction.source.partition, lesson.next.interaction.offset));
        lessons
    }
}

/// The first event that the stored list foretold, if it chooses a product and is not one that was applied before.
fn lesson<'a>(
    engine: &Engine,
    user_id: &'a str,
    events: &'a [Placed],
    people: &'a Fetched<Person>,
) -> Option<Lesson<'a>> {
    let person = &people.found.get(user_id)?.value;
    let foretold = |event: &&Placed| {
        event.event_type != EventType::RecommendationView && engine.is_new(person, &event.interaction)
    };
    let next = events.iter().find(foretold)?;
    (person.has_history() && engine.is_choice(next.interaction.kind)).then_some(Lesson { user_id, person, next })
}

/// Sends what is due to the board. What fails is sent with the next batch that teaches.
async fn publish(context: &Context, now_ms: i64) {
    let due: Vec<((Strategy, u32), Blend)> = {
        let state = context.teacher.state.lock().unwrap_or_else(PoisonError::into_inner);
        let due = state.copies.iter().filter(|(_, copy)| copy.is_due(now_ms));
        due.map(|(place, copy)| (*place, copy.learner.own().clone())).collect()
    };
    for (place, learned) in due {
        let sent = context.store.put_blend(place.0, place.1, &learned).await;
        let mut state = context.teacher.state.lock().unwrap_or_else(PoisonError::into_inner);
        match (sent, state.copies.get_mut(&place)) {
            (Ok(()), Some(copy)) => (copy.published_at_ms, copy.published_steps) = (now_ms, learned.steps()),
            (Ok(()), None) => {}
            (Err(error), _) => {
                Event::Dependency { function: FUNCTION, dependency: "DynamoDB", error: &error.to_string() }.emit();
            }
        }
    }
}

impl Copy {
    fn is_due(&self, now_ms: i64) -> bool {
        let steps = self.learner.own().steps();
        let every = if steps < YOUNG_STEPS { PUBLISH_YOUNG_EVERY_MS } else { PUBLISH_EVERY_MS };
        steps > self.published_steps && now_ms.saturating_sub(self.published_at_ms) >= every
    }
}
