//! The documents' invariants, over random streams of events.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use freshet_engine::{
    Blend, Catalogue, Config, Engine, EventKind, Inputs, Interaction, Item, ItemId, List, ListEntry, ObserveOutcome,
    Person, Popularity, PopularityShard, Prediction, Signal, Source, Strategy,
};
use proptest::prelude::*;

const SOURCE: Source = Source { generation: 7, partition: 3 };

fn event(item: u8, kind: u8, at_ms: i64, offset: u64, id: u64) -> Interaction {
    const KINDS: [&str; 6] =
        ["product_view", "add_to_cart", "remove_from_cart", "purchase", "recommendation_click", "recommendation_view"];
    Interaction {
        item: format!("item{item}").as_str().into(),
        kind: EventKind::parse(KINDS[usize::from(kind) % KINDS.len()]).unwrap(),
        at_ms,
        event_hash: freshet_engine::event_hash(&id.to_string()),
        source: SOURCE,
        offset,
    }
}

prop_compose! {
    fn stream()(steps in proptest::collection::vec((0_u8..30, 0_u8..12, 0_i64..4_000_000_000), 1..120)) -> Vec<Interaction> {
        let mut at = 1_700_000_000_000_i64;
        steps.into_iter().enumerate().map(|(n, (item, kind, gap))| {
            // Most steps are seconds apart, a few weeks, a few arrive late.
            at += if gap % 10 == 0 { gap } else { gap % 60_000 };
            let late = if gap % 13 == 0 { gap % 5_000_000 } else { 0 };
            event(item, kind, at - late, n as u64, n as u64)
        }).collect()
    }
}

fn signals(engine: &Engine, person: &mut Person, events: &[Interaction]) -> Vec<Signal> {
    events.iter().flat_map(|event| engine.observe(person, event).signals).collect()
}

proptest! {
    #[test]
    fn going_through_bytes_between_any_two_steps_changes_nothing(events in stream()) {
        let engine = Engine::new(Config::default());
        let (mut kept, mut stored) = (Person::default(), Person::default());
        let (mut item, mut bytes) = (Item::default(), Item::default().encode());
        for event in &events {
            let made = engine.observe(&mut kept, event);
            stored = Person::decode(&stored.encode()).unwrap();
            prop_assert_eq!(&made, &engine.observe(&mut stored, event));
            for signal in &made.signals {
                let mut read = Item::decode(&bytes).unwrap();
                prop_assert_eq!(engine.learn(&mut item, signal), engine.learn(&mut read, signal));
                bytes = read.encode();
            }
        }
        prop_assert_eq!(kept.encode(), stored.encode());
        prop_assert_eq!(item.encode(), bytes);
    }

    #[test]
    fn what_is_delivered_again_changes_nothing(events in stream(), from in 0_usize..100) {
        let engine = Engine::new(Config::default());
        let mut person = Person::default();
        let signals = signals(&engine, &mut person, &events);
        // One item's signals, at most one an event, as learn sees them.
        let own: Vec<&Signal> = signals.iter().filter(|signal| signal.item.as_ref() == "item1").collect();
        let mut item = Item::default();
        for signal in &own {
            engine.learn(&mut item, signal);
        }
        let (before, model) = (person.encode(), item.encode());
        for event in events.iter().skip(from) {
            prop_assert_eq!(engine.observe(&mut person, event).outcome, ObserveOutcome::AlreadyApplied);
        }
        for signal in own.iter().skip(from) {
            prop_assert!(!engine.learn(&mut item, signal));
        }
        prop_assert_eq!(person.encode(), before);
        prop_assert_eq!(item.encode(), model);
    }

    #[test]
    fn an_event_makes_at_most_one_signal_an_item_and_never_a_neighbour_of_itself_behind(events in stream()) {
        let engine = Engine::new(Config::default());
        let mut person = Person::default();
        for event in &events {
            let made = engine.observe(&mut person, event).signals;
            let mut items: Vec<_> = made.iter().map(|signal| signal.item.clone()).collect();
            items.sort();
            items.dedup();
            prop_assert_eq!(items.len(), made.len());
            prop_assert!(made.len() <= 1 + engine.config().context_steps);
        }
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Person::decode(&bytes);
        let _ = Item::decode(&bytes);
        let _ = PopularityShard::decode(&bytes);
    }

    #[test]
    fn broken_bytes_of_a_document_make_no_decoder_panic(events in stream(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let engine = Engine::new(Config::default());
        let mut person = Person::default();
        let mut item = Item::default();
        for signal in signals(&engine, &mut person, &events) {
            engine.learn(&mut item, &signal);
        }
        for mut bytes in [person.encode(), item.encode()] {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Person::decode(&bytes);
            let _ = Item::decode(&bytes);
            let _ = Person::decode(&bytes[..at]);
        }
    }

    #[test]
    fn lists_are_sorted_bounded_without_doubles_and_the_same_every_time(events in stream(), limit in 1_usize..30) {
        let engine = Engine::new(Config::default());
        let mut person = Person::default();
        let mut items: HashMap<ItemId, Item> = HashMap::new();
        for signal in signals(&engine, &mut person, &events) {
            engine.learn(items.entry(signal.item.clone()).or_default(), &signal);
        }
        let (popularity, catalogue) = (Popularity::default(), Catalogue::default());
        for strategy in Strategy::ALL {
            let lookup = |id: &ItemId| items.get(id);
            let now_ms = 1_800_000_000_000;
            let inputs = Inputs {
                items: &lookup,
                popularity: &popularity,
                catalogue: &catalogue,
                blend: &Blend::default(),
                strategy,
                now_ms,
                limit,
                new_only: false,
            };
            let list = engine.recommend(&person, &inputs, &mut Prediction::default());
            prop_assert!(list.len() <= limit);
            prop_assert!(list.windows(2).all(|pair| pair[0].score >= pair[1].score && pair[0].item != pair[1].item));
            prop_assert!(list.iter().all(|entry| (0.0..=1.0).contains(&entry.score)));
            prop_assert_eq!(&list, &engine.recommend(&person, &inputs, &mut Prediction::default()));
            let entries = list.into_iter().map(ListEntry::from).collect();
            person.list = Some(List { entries, generated_at_ms: now_ms, strategy, recommendation_id: 9, caused_by: "e".into() });
            prop_assert_eq!(Person::decode(&person.encode()).unwrap(), person.clone());
        }
    }
}

#[test]
fn the_same_event_id_twice_counts_once() {
    let engine = Engine::new(Config::default());
    let mut person = Person::default();
    assert_eq!(engine.observe(&mut person, &event(1, 0, 1_000_000, 0, 42)).outcome, ObserveOutcome::Applied);
    let again = engine.observe(&mut person, &event(1, 0, 2_000_000, 1, 42));
    assert_eq!((again.outcome, again.signals.len(), person.history().len()), (ObserveOutcome::Duplicate, 0, 1));
}

#[test]
fn what_follows_comes_first_and_says_why() {
    let engine = Engine::new(Config::default());
    let mut items: HashMap<ItemId, Item> = HashMap::new();
    let mut offset = 0_u64;
    let mut walk = |steps: &[u8], person: &mut Person| {
        for item in steps {
            offset += 1;
            let observed = engine
                .observe(person, &event(*item, 0, 1_790_000_000_000 + offset.cast_signed() * 1_000, offset, offset));
            for signal in observed.signals {
                engine.learn(items.entry(signal.item.clone()).or_default(), &signal);
            }
        }
    };
    for _ in 0..20 {
        walk(&[1, 2], &mut Person::default());
    }
    walk(&[1, 3], &mut Person::default());
    let mut visitor = Person::default();
    walk(&[1], &mut visitor);
    let (popularity, catalogue) = (Popularity::default(), Catalogue::default());
    let lookup = |id: &ItemId| items.get(id);
    let inputs = Inputs {
        items: &lookup,
        popularity: &popularity,
        catalogue: &catalogue,
        blend: &Blend::default(),
        strategy: Strategy::Collaborative,
        now_ms: 1_790_000_100_000,
        limit: 5,
        new_only: false,
    };
    let list = engine.recommend(&visitor, &inputs, &mut Prediction::default());
    let place = |id: &str| list.iter().position(|entry| entry.item.as_ref() == id);
    assert!(place("item2") < place("item3"), "{list:?}");
    let reason = &list[place("item2").unwrap()].reason;
    assert_eq!((reason.because.as_str(), reason.item.as_deref()), ("viewed", Some("item1")));
    assert_eq!(reason.sentence(|_| Some("Lamp".into())), "Because you viewed Lamp");
}

#[test]
fn a_person_and_an_item_of_fifty_neighbours_fit_into_a_write_unit() {
    let engine = Engine::new(Config::default());
    let mut person = Person::default();
    let mut item = Item::default();
    for n in 0..400_u64 {
        let mut view = event(0, 0, 1_790_000_000_000 + n.cast_signed() * 40_000, n, n);
        view.item = format!("{}", 214_000_000 + (n * 7) % 50).as_str().into();
        for signal in engine.observe(&mut person, &view).signals {
            let source = Source { generation: 7, partition: (n % 4) as u32 };
            engine.learn(&mut item, &Signal { source, ..signal });
        }
    }
    assert_eq!(item.neighbours().len(), 50);
    assert!(item.encode().len() <= 1_024, "item: {} bytes", item.encode().len());
    assert!(person.encode().len() <= 1_024, "person without list: {} bytes", person.encode().len());
}
