//! The new lists of a batch: every item model is read once, every person's list is made once.

use freshet_engine::{Inputs, ItemId, List, ListEntry, Person, Prediction};
use freshet_store::{Models, StoreError};

use crate::context::{Context, Shared};
use crate::intake::Placed;
use crate::observe::Observed;

/// Items of a stored list: enough to filter by category and leave some.
const LIST_ITEMS: usize = 20;

/// Puts a new list into every person who is due one.
pub(crate) async fn renew(
    context: &Context,
    shared: &Shared,
    observed: &mut [Observed],
    last_event: impl Fn(&str) -> Option<(String, u64)>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let due = observed
        .iter()
        .filter(|observed| observed.new_list)
        .map(|observed| (&observed.person.value, shared.split.strategy_of(&observed.user_id)));
    let models = context.items.for_lists(&context.store, &context.engine, due, now_ms).await?;
    let mut prediction = Prediction::default();
    for observed in observed.iter_mut().filter(|observed| observed.new_list) {
        let Some((event_id, list_id)) = last_event(&observed.user_id) else { continue };
        let person = &observed.person.value;
        let list = list(context, shared, &models, &observed.user_id, person, now_ms, &mut prediction);
        observed.person.value.list = Some(List { caused_by: event_id, recommendation_id: list_id, ..list });
    }
    Ok(())
}

/// The list of a person as of now; `prediction` is what the blend learns from when the person's next event is known.
pub(crate) fn list(
    context: &Context,
    shared: &Shared,
    models: &Models,
    user_id: &str,
    person: &Person,
    now_ms: i64,
    prediction: &mut Prediction,
) -> List {
    let strategy = shared.split.strategy_of(user_id);
    let lookup = |id: &ItemId| models.get(id);
    let inputs = Inputs {
        items: &lookup,
        popularity: &shared.popularity,
        catalogue: &shared.catalogue.index,
        blend: shared.blends.of(strategy),
        strategy,
        now_ms,
        limit: LIST_ITEMS,
        new_only: false,
    };
    let entries = context.engine.recommend(person, &inputs, prediction).into_iter().map(ListEntry::from).collect();
    List { entries, generated_at_ms: now_ms, strategy, recommendation_id: 0, caused_by: String::new() }
}

/// Names a list: the same event makes the same name, however often it is delivered.
pub(crate) fn list_id(event: &Placed) -> u64 {
    let at = &event.interaction;
    freshet_engine::event_hash(&format!("{}/{}/{}", at.source.generation, at.source.partition, at.offset))
}
