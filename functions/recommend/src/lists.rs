//! The new lists of a batch: every item model is read once, every person's list is made once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use freshet_engine::{Engine, Inputs, Item, List, ListEntry, Person};
use freshet_store::StoreError;

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
    let due = observed.iter().filter(|observed| observed.new_list);
    let ids: BTreeSet<String> =
        due.flat_map(|observed| context.engine.context(&observed.person.value)).map(|id| id.to_string()).collect();
    let models = context.items(ids.into_iter().collect(), now_ms).await?;
    for observed in observed.iter_mut().filter(|observed| observed.new_list) {
        let Some((event_id, list_id)) = last_event(&observed.user_id) else { continue };
        let list = list(&context.engine, shared, &models, &observed.user_id, &observed.person.value, now_ms);
        observed.person.value.list = Some(List { caused_by: event_id, recommendation_id: list_id, ..list });
    }
    Ok(())
}

fn list(
    engine: &Engine,
    shared: &Shared,
    models: &HashMap<String, Arc<Item>>,
    user_id: &str,
    person: &Person,
    now_ms: i64,
) -> List {
    let strategy = shared.split.strategy_of(user_id);
    let lookup = |id: &str| models.get(id).map(Arc::as_ref);
    let inputs = Inputs {
        items: &lookup,
        popularity: &shared.popularity,
        catalogue: &shared.catalogue.index,
        strategy,
        now_ms,
        limit: LIST_ITEMS,
    };
    let entries = engine.recommend(person, &inputs).into_iter().map(ListEntry::from).collect();
    List { entries, generated_at_ms: now_ms, strategy, recommendation_id: 0, caused_by: String::new() }
}

/// Names a list: the same event makes the same name, however often it is delivered.
pub(crate) fn list_id(event: &Placed) -> u64 {
    let at = &event.interaction;
    freshet_engine::event_hash(&format!("{}/{}/{}", at.source.generation, at.source.partition, at.offset))
}
