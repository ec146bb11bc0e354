//! The new lists of a batch: item models are read for many lists at once, every person's list is made once.

use freshet_engine::{Blend, Inputs, ItemId, List, ListEntry, Person, Prediction, Strategy};
use freshet_store::{Bridges, Models, StoreError};

use crate::context::{Context, Shared};
use crate::intake::Placed;
use crate::observe::Observed;

/// Items of a stored list: enough to filter by category and leave some.
const LIST_ITEMS: usize = 20;

/// Lists that are made from one reading of item models: what bounds the memory of a large batch.
const LISTS_AT_ONCE: usize = 250;

/// Puts a new list into every person who is due one.
pub(crate) async fn renew(
    context: &Context,
    shared: &Shared,
    observed: &mut [Observed],
    last_event: impl Fn(&str) -> Option<(String, u64)>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut prediction = Prediction::default();
    let mut due: Vec<&mut Observed> = observed.iter_mut().filter(|observed| observed.new_list).collect();
    let from = bridges(due.len());
    for due in due.chunks_mut(LISTS_AT_ONCE) {
        let persons = due.iter().map(|observed| (&observed.person.value, shared.split.strategy_of(&observed.user_id)));
        let models = context.items.for_lists(&context.store, &context.engine, persons, from, now_ms).await?;
        for observed in due {
            let Some((event_id, list_id)) = last_event(&observed.user_id) else { continue };
            let strategy = shared.split.strategy_of(&observed.user_id);
            let blend = shared.blends.blends.of(strategy);
            let made = Made { context, shared, models: &models, strategy, blend };
            let list = made.list(&observed.person.value, now_ms, &mut prediction);
            observed.person.value.list = Some(List { caused_by: event_id, recommendation_id: list_id, ..list });
        }
    }
    Ok(())
}

/// A batch of more lists than are made at once is a backlog: it reads no bridges.
pub(crate) fn bridges(lists: usize) -> Bridges {
    if lists > LISTS_AT_ONCE { Bridges::InMemory } else { Bridges::Read }
}

/// What lists are made from, beside the person.
pub(crate) struct Made<'a> {
    pub(crate) context: &'a Context,
    pub(crate) shared: &'a Shared,
    pub(crate) models: &'a Models,
    pub(crate) strategy: Strategy,
    pub(crate) blend: &'a Blend,
}

impl Made<'_> {
    /// The list of a person as of `at_ms`; `prediction` is what the blend learns from when the person's next event is known.
    pub(crate) fn list(&self, person: &Person, at_ms: i64, prediction: &mut Prediction) -> List {
        let lookup = |id: &ItemId| self.models.get(id);
        let inputs = Inputs {
            items: &lookup,
            popularity: &self.shared.popularity,
            catalogue: &self.shared.catalogue.index,
            blend: self.blend,
            strategy: self.strategy,
            now_ms: at_ms,
            limit: LIST_ITEMS,
            new_only: false,
        };
        let entries = self.context.engine.recommend(person, &inputs, prediction);
        List {
            entries: entries.into_iter().map(ListEntry::from).collect(),
            generated_at_ms: at_ms,
            strategy: self.strategy,
            recommendation_id: 0,
            caused_by: String::new(),
        }
    }
}

/// Names a list: the same event makes the same name, however often it is delivered.
pub(crate) fn list_id(event: &Placed) -> u64 {
    let at = &event.interaction;
    freshet_engine::event_hash(&format!("{}/{}/{}", at.source.generation, at.source.partition, at.offset))
}
