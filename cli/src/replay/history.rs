//! Records as events: in one order, each once, without what is no choice.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use freshet_engine::{EventKind, Product, event_hash};
use freshet_evaluation::{Dataset, Happened};
use freshet_events::UserEvent;
use serde::Serialize;

use super::catalogue;
use crate::output::thousands;

/// Where a record stands among all: by time, then partition, then offset.
type Standing = (i64, i32, i64);

/// What was left out, and the time that the rest is from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// Records that are no events.
    pub(super) unreadable: u64,
    /// Events that came before with the same `eventId`, of the same person: they count once.
    pub(super) doubles: u64,
    /// Lists that were on a screen: nobody chose anything.
    pub(super) exposures: u64,
    /// Times of the first record and of the last one, milliseconds since the epoch.
    #[serde(skip)]
    pub(super) span_ms: Option<(i64, i64)>,
}

impl Counts {
    /// In words.
    pub(super) fn left_out(self) -> String {
        let (unreadable, exposures) = (thousands(self.unreadable), thousands(self.exposures));
        format!("{unreadable} records that are no events, {} doubles, {exposures} exposures", thousands(self.doubles))
    }
}

/// Texts by number.
#[derive(Debug, Default)]
struct Ids {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Ids {
    fn number(&mut self, text: String) -> u32 {
        match self.numbers.entry(text) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
                self.texts.push(new.key().clone());
                *new.insert(number)
            }
        }
    }
}

#[derive(Debug)]
struct Record {
    standing: Standing,
    user: u32,
    item: u32,
    at_ms: i64,
    kind: EventKind,
}

/// What happened, as far as it is read.
#[derive(Debug, Default)]
pub(super) struct History {
    users: Ids,
    items: Ids,
    records: Vec<Record>,
    /// The latest time of each partition: its records stay in their order, whatever their clocks said.
    latest: HashMap<i32, i64>,
    seen: HashSet<(u32, u64)>,
    /// What events said of products, the latest of each.
    products: HashMap<u32, (Standing, Product)>,
    counts: Counts,
}

impl History {
    /// Takes a record in; those of one partition come in their order. `time_ms` is the record's own.
    pub(super) fn take(&mut self, partition: i32, offset: i64, time_ms: i64, value: Option<&[u8]>) {
        let latest = self.latest.entry(partition).or_insert(time_ms);
        *latest = time_ms.max(*latest);
        let standing = (*latest, partition, offset);
        let parsed = value.and_then(|value| UserEvent::parse(value).ok());
        let kind = parsed.as_ref().and_then(|(event, _)| EventKind::parse(event.event_type.as_str()));
        let (Some((event, at_ms)), Some(kind)) = (parsed, kind) else {
            self.counts.unreadable += 1;
            return;
        };
        let product = catalogue::seen(&event);
        let (user, hash) = (self.users.number(event.user_id), event_hash(&event.event_id));
        if !self.seen.insert((user, hash)) {
            self.counts.doubles += 1;
            return;
        }
        let item = self.items.number(event.product_id);
        if let Some(product) = product
            && self.products.get(&item).is_none_or(|(known, _)| *known < standing)
        {
            self.products.insert(item, (standing, product));
        }
        if kind == EventKind::RecommendationView {
            self.counts.exposures += 1;
            return;
        }
        self.records.push(Record { standing, user, item, at_ms, kind });
    }

    /// Its events in the order of their times, with `products` over what events said of them.
    pub(super) fn dataset(self, products: Vec<Product>) -> (Dataset, Counts) {
        let Self { users, items, mut records, products: seen, mut counts, .. } = self;
        records.sort_unstable_by_key(|record| record.standing);
        let time = |record: &Record| record.standing.0;
        counts.span_ms = records.first().map(time).zip(records.last().map(time));
        let events = records.iter().map(|record| Happened {
            user: &users.texts[record.user as usize],
            item: &items.texts[record.item as usize],
            at_ms: record.at_ms,
            kind: record.kind,
        });
        let mut seen: Vec<(Standing, Product)> = seen.into_values().collect();
        seen.sort_unstable_by_key(|(standing, _)| *standing);
        // Of two with one id the last one counts.
        let products = seen.into_iter().map(|(_, product)| product).chain(products).collect();
        (Dataset::from_events(events, products), counts)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(id: &str, user: &str, kind: &str, item: &str, metadata: &Value) -> Vec<u8> {
        let event = json!({"eventId": id, "userId": user, "eventType": kind, "productId": item,
            "timestamp": "2026-11-25T08:00:00.000Z", "metadata": metadata});
        event.to_string().into_bytes()
    }

    fn view(id: &str, user: &str, item: &str) -> Vec<u8> {
        event(id, user, "product_view", item, &json!({}))
    }

    #[test]
    fn partitions_are_merged_by_time_and_each_keeps_its_order() {
        let mut history = History::default();
        for (partition, offset, time, id) in
            [(1, 0, 20, "b"), (1, 1, 10, "c"), (0, 5, 15, "a"), (0, 6, 20, "z"), (2, 0, 99, "d")]
        {
            history.take(partition, offset, time, Some(&view(id, &format!("user{partition}"), id)));
        }
        let (dataset, counts) = history.dataset(Vec::new());
        let items: Vec<&str> = dataset.events.iter().map(|event| dataset.items[event.item as usize].as_ref()).collect();
        assert_eq!(items, ["a", "z", "b", "c", "d"], "at one time the first partition is first; c stays after b");
        assert_eq!(counts.span_ms, Some((15, 99)));
        assert_eq!(dataset.users.len(), 3);
    }

    #[test]
    fn what_is_no_event_no_choice_or_no_first_one_is_left_out_and_counted() {
        let mut history = History::default();
        let values = [
            Some(view("1", "ann", "a")),
            Some(view("1", "ann", "a")),
            Some(view("1", "bob", "a")),
            Some(event("2", "ann", "recommendation_view", "b", &json!({"algorithm": "hybrid"}))),
            Some(b"not JSON".to_vec()),
            Some(event("3", "ann", "sneeze", "b", &json!({}))),
            None,
        ];
        for (offset, value) in (0..).zip(&values) {
            history.take(0, offset, offset, value.as_deref());
        }
        let (dataset, counts) = history.dataset(Vec::new());
        assert_eq!((dataset.events.len(), dataset.items.len()), (2, 1));
        assert_eq!((counts.unreadable, counts.doubles, counts.exposures), (3, 1, 1));
        assert_eq!(counts.left_out(), "3 records that are no events, 1 doubles, 1 exposures");
    }

    #[test]
    fn the_catalogue_wins_over_what_events_say_and_the_latest_of_those_over_the_others() {
        let mut history = History::default();
        let says = |name: &str, price: Value| json!({"name": name, "category": "Lamps", "price": price});
        history.take(0, 0, 30, Some(&event("1", "ann", "product_view", "a", &says("Newest", json!("$1,299.99")))));
        history.take(1, 0, 10, Some(&event("2", "bob", "product_view", "a", &says("Older", json!(5)))));
        history.take(1, 1, 11, Some(&event("3", "bob", "product_view", "b", &says("Lamp", json!(5)))));
        history.take(1, 2, 12, Some(&event("4", "bob", "add_to_cart", "c", &json!({"category": "Lamps"}))));
        let shown = freshet_events::Product::from_value(
            None,
            &json!({"id": "b", "name": "Real", "price": "$7", "tags": ["x"]}),
        );
        let (dataset, _) = history.dataset(vec![freshet_store::catalogue::engine_product(&shown.unwrap())]);
        let mut known: Vec<_> = dataset
            .products
            .iter()
            .map(|product| (product.id.as_ref(), product.name.as_str(), product.price))
            .collect();
        known.sort_by_key(|(id, ..)| *id);
        assert_eq!(known, [("a", "Newest", Some(1_299.99)), ("b", "Real", Some(7.0))]);
    }
}
