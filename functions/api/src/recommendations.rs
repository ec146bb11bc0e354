//! `GET /api/recommendations/{userId}`: one read of the person, shown with the catalogue in memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use freshet_engine::{Inputs, ItemId, ListEntry, Person, Prediction, Strategy};
use freshet_events::event::id_field;
use freshet_events::list::DEFAULT_LIST_ITEMS;
use freshet_events::{Invalid, ListItem, iso8601};
use freshet_store::Bridges;
use freshet_store::catalogue::Snapshot;
use serde_json::{Value, json};

use crate::context::{Context, now_ms};
use crate::error::ApiError;

/// Items at the most.
const MAX_LIMIT: usize = 50;
/// A list older than this is stale, milliseconds.
const STALE_AFTER_MS: i64 = 5 * 60 * 1_000;
/// What a person without a list is told.
const NOTHING_YET: &str = "No recommendations available yet";

/// The query, checked.
struct Wanted {
    limit: usize,
    strategy: Option<Strategy>,
    category: Option<String>,
    exclude: HashSet<String>,
    fallback_popular: bool,
}

/// A list to show.
struct Shown {
    entries: Vec<ListEntry>,
    algorithm: &'static str,
    generated_at_ms: i64,
    recommendation_id: Option<u64>,
    caused_by: Option<String>,
}

pub(crate) async fn get(
    State(context): State<Arc<Context>>,
    Path(user_id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let user_id = id_field("userId", Some(&Value::String(user_id)))?;
    let wanted = Wanted::parse(&query)?;
    let now = now_ms();
    let (person, catalogue) =
        tokio::try_join!(context.store.get_one::<Person>(&user_id), context.catalogue.get(&context.store, now))?;
    let shown = match person.filter(Person::has_history) {
        Some(person) => known(&context, &catalogue, person, &wanted, now).await?,
        None if wanted.fallback_popular => Some(popular(&context, &catalogue, &wanted, now).await?),
        None => None,
    };
    let Some(shown) = shown else {
        return Ok(Json(json!({"success": true, "data": [], "message": NOTHING_YET})));
    };
    let data = present(&catalogue, &shown.entries, &wanted);
    if data.is_empty() && shown.recommendation_id.is_none() {
        return Ok(Json(json!({"success": true, "data": [], "message": NOTHING_YET})));
    }
    let mut metadata = json!({
        "userId": user_id,
        "generatedAt": iso8601(shown.generated_at_ms),
        "isStale": now - shown.generated_at_ms > STALE_AFTER_MS,
        "count": data.len(),
        "algorithm": shown.algorithm,
    });
    if let Some(id) = shown.recommendation_id {
        metadata["recommendationId"] = json!(format!("{id:016x}"));
    }
    if let Some(event_id) = shown.caused_by {
        metadata["causedBy"] = json!(event_id);
    }
    Ok(Json(json!({"success": true, "data": data, "metadata": metadata})))
}

/// The stored list, or one made on the spot where another strategy is asked for.
async fn known(
    context: &Context,
    catalogue: &Snapshot,
    person: Person,
    wanted: &Wanted,
    now: i64,
) -> Result<Option<Shown>, ApiError> {
    match (person.list.as_ref(), wanted.strategy) {
        (Some(list), strategy) if strategy.is_none_or(|strategy| strategy == list.strategy) => Ok(Some(Shown {
            entries: list.entries.clone(),
            algorithm: list.strategy.as_str(),
            generated_at_ms: list.generated_at_ms,
            recommendation_id: Some(list.recommendation_id),
            caused_by: Some(list.caused_by.clone()),
        })),
        (_, Some(strategy)) => Ok(Some(fresh(context, catalogue, &person, strategy, wanted, now).await?)),
        (_, None) => Ok(None),
    }
}

/// A list made now, by a strategy that is not the person's own.
async fn fresh(
    context: &Context,
    catalogue: &Snapshot,
    person: &Person,
    strategy: Strategy,
    wanted: &Wanted,
    now: i64,
) -> Result<Shown, ApiError> {
    let persons = std::iter::once((person, strategy));
    let (models, popularity, blends) = tokio::try_join!(
        context.items.for_lists(&context.store, &context.engine, persons, Bridges::Read, now),
        context.popularity(now),
        context.blends(now)
    )?;
    let lookup = |id: &ItemId| models.get(id);
    let inputs = Inputs {
        items: &lookup,
        popularity: &popularity,
        catalogue: &catalogue.index,
        blend: blends.of(strategy),
        strategy,
        now_ms: now,
        limit: MAX_LIMIT.max(wanted.limit),
        new_only: false,
    };
    let mut scratch = Prediction::default();
    let entries = context.engine.recommend(person, &inputs, &mut scratch).into_iter().map(ListEntry::from).collect();
    Ok(Shown { entries, algorithm: strategy.as_str(), generated_at_ms: now, recommendation_id: None, caused_by: None })
}

/// What most people want, for somebody of whom nothing is known.
async fn popular(context: &Context, catalogue: &Snapshot, wanted: &Wanted, now: i64) -> Result<Shown, ApiError> {
    let shown = fresh(context, catalogue, &Person::default(), Strategy::Hybrid, wanted, now).await?;
    Ok(Shown { algorithm: "popular", ..shown })
}

/// The rules of the moment: category, exclusions, availability, limit.
fn present(catalogue: &Snapshot, entries: &[ListEntry], wanted: &Wanted) -> Vec<ListItem> {
    let product = |entry: &ListEntry| catalogue.products.get(entry.item.as_ref());
    entries
        .iter()
        .filter(|entry| product(entry).is_none_or(|product| product.available))
        .filter(|entry| !wanted.exclude.contains(entry.item.as_ref()))
        .filter(|entry| {
            let category = product(entry).and_then(|product| product.category.as_deref());
            wanted.category.as_deref().is_none_or(|wanted| category == Some(wanted))
        })
        .take(wanted.limit)
        .map(|entry| catalogue.present(entry))
        .collect()
}

impl Wanted {
    fn parse(query: &HashMap<String, String>) -> Result<Self, Invalid> {
        let given = |name: &str| query.get(name).filter(|value| !value.is_empty());
        let limit = match given("limit") {
            None => DEFAULT_LIST_ITEMS,
            Some(text) => text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| {
                Invalid::new("limit", format!("a whole number from 1 to {MAX_LIMIT}"), format!("{text:?}"))
            })?,
        };
        let strategy = match given("strategy") {
            None => None,
            Some(name) => Some(name.parse().map_err(|_| {
                Invalid::new("strategy", "one of collaborative, content_based, hybrid", format!("{name:?}"))
            })?),
        };
        let fallback_popular = match given("fallback").map(String::as_str) {
            None => false,
            Some("popular") => true,
            Some(other) => return Err(Invalid::new("fallback", "popular", format!("{other:?}"))),
        };
        let exclude = given("exclude").map(|list| list.split(',').map(|id| id.trim().to_owned()).collect());
        Ok(Self {
            limit,
            strategy,
            category: given("category").cloned(),
            exclude: exclude.unwrap_or_default(),
            fallback_popular,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_query_names_its_field_and_what_was_expected() {
        for (name, value) in
            [("limit", "0"), ("limit", "51"), ("limit", "ten"), ("strategy", "magic"), ("fallback", "x")]
        {
            let query = HashMap::from([(name.to_owned(), value.to_owned())]);
            let error = Wanted::parse(&query).err().unwrap();
            assert_eq!(error.field, name);
            assert!(error.got.contains(value) && !error.expected.is_empty());
        }
        let wanted = Wanted::parse(&HashMap::from([("exclude".to_owned(), "1, 2".to_owned())])).unwrap();
        assert_eq!((wanted.limit, wanted.exclude.len()), (DEFAULT_LIST_ITEMS, 2));
    }
}
