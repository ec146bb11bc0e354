//! What the functions do with the engine, one step at a time, on the state of a shop of RetailRocket's size:
//! `cargo bench -p freshet-engine`. With `FRESHET_DATA` (a folder with `retailrocket_sessions.csv.gz`) on its sessions, else on
//! invented ones, always the same.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench")]

use std::collections::HashMap;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use freshet_engine::{
    Catalogue, Config, Engine, EventKind, Inputs, Interaction, Item, ItemId, Learner, Person, Popularity,
    PopularityShard, Prediction, Product, Signal, Source, Strategy,
};

/// Events that the state is made of, and so few where it is only seen whether the benches run (`cargo test`).
const EVENTS: (usize, usize) = (100_000, 2_000);
/// Invented items, and categories of theirs.
const ITEMS: u64 = 35_000;
const CATEGORIES: usize = 200;
/// Milliseconds between two events.
const STEP_MS: i64 = 10_000;
/// One event in so many is kept to be measured with what the state is after the last one.
const KEEP: usize = 50;
/// Places of a list.
const LIMIT: usize = 20;

/// Who does something with which item.
type Step = (u64, String);

/// A stream of numbers, always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// An item by Zipf's law with exponent 1: rank r about as often as 1/r.
    fn item(&mut self) -> u64 {
        let share = self.below(1 << 24) as f64 / f64::from(1 << 24);
        ((ITEMS as f64).powf(share) - 1.0) as u64
    }
}

/// Sessions of about four steps, twenty at a time, that walk among an item's neighbours.
fn invented(count: usize) -> Vec<Step> {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut sessions: Vec<(u64, u64)> = (0..20).map(|user| (user, numbers.item())).collect();
    let mut next_user = 20;
    (0..count)
        .map(|_| {
            let at = numbers.below(20) as usize;
            let (user, item) = sessions[at];
            let next = match numbers.below(8) {
                0 | 1 => {
                    next_user += 1;
                    // Every third session is somebody's who was there before
                    (if next_user % 3 == 0 { numbers.below(next_user) } else { next_user }, numbers.item())
                }
                2 => (user, numbers.item()),
                _ => (user, (item + numbers.below(6)) % ITEMS),
            };
            sessions[at] = next;
            (user, item.to_string())
        })
        .collect()
}

/// The first sessions of RetailRocket.
fn recorded(file: &Path, count: usize) -> Vec<Step> {
    let mut people: HashMap<String, u64> = HashMap::new();
    let lines = BufReader::new(flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap())).lines().skip(1);
    let steps = lines.take(count).map(|line| {
        let line = line.unwrap();
        let mut fields = line.split(',');
        let (user, item) = (fields.next().unwrap(), fields.next().unwrap());
        let next = people.len() as u64;
        (*people.entry(user.to_owned()).or_insert(next), item.to_owned())
    });
    steps.collect()
}

/// A shop after its events.
struct Shop {
    engine: Engine,
    people: HashMap<u64, Person>,
    items: HashMap<ItemId, Item>,
    catalogue: Catalogue,
    popularity: Popularity,
    learner: Learner,
    now_ms: i64,
    /// Some who did something, and what they learned items with.
    active: Vec<u64>,
    signals: Vec<Signal>,
}

impl Shop {
    fn new(steps: &[Step]) -> Self {
        let engine = Engine::new(Config::default());
        let (mut shard, mut prediction) = (PopularityShard::default(), Prediction::default());
        let mut shop = Self {
            catalogue: catalogue(steps),
            engine,
            people: HashMap::new(),
            items: HashMap::new(),
            popularity: Popularity::default(),
            learner: Learner::default(),
            now_ms: 1_700_000_000_000,
            active: Vec::new(),
            signals: Vec::new(),
        };
        for (n, (user, item)) in steps.iter().enumerate() {
            shop.now_ms += STEP_MS;
            let event = Interaction {
                item: item.as_str().into(),
                kind: EventKind::ProductView,
                at_ms: shop.now_ms,
                event_hash: (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15),
                source: Source { generation: 1, partition: 0 },
                offset: n as u64,
            };
            // The blend is young for so long that it is worth teaching it on one event in ten
            if n % 10 == 0 && shop.people.contains_key(user) {
                shop.recommend(*user, Strategy::Hybrid, &mut prediction);
                prediction.teach(&mut shop.learner, &event.item, shop.engine.config().learning_rate);
            }
            let person = shop.people.entry(*user).or_default();
            for signal in shop.engine.observe(person, &event).signals {
                let model = shop.items.entry(signal.item.clone()).or_default();
                shop.engine.learn(model, &signal);
                if signal.interest > 0.0 {
                    let demand = shop.engine.demand(model);
                    shard.update(&signal.item, shop.catalogue.category(&signal.item), demand);
                }
                if n % KEEP == 0 {
                    shop.signals.push(signal);
                }
            }
            if n % KEEP == 0 {
                shop.active.push(*user);
            }
            if n % 1_000 == 0 {
                shop.popularity = Popularity::merge(std::slice::from_ref(&shard));
            }
        }
        shop
    }

    fn recommend(&self, user: u64, strategy: Strategy, prediction: &mut Prediction) -> usize {
        let lookup = |id: &ItemId| self.items.get(id);
        let inputs = Inputs {
            items: &lookup,
            popularity: &self.popularity,
            catalogue: &self.catalogue,
            blend: self.learner.blend(),
            strategy,
            now_ms: self.now_ms,
            limit: LIMIT,
            new_only: false,
        };
        self.engine.recommend(&self.people[&user], &inputs, prediction).len()
    }
}

/// A product for every item, in one of the categories, with a colour.
fn catalogue(steps: &[Step]) -> Catalogue {
    let colours = ["red", "green", "blue", "black", "white"];
    let product = |(n, (_, item)): (usize, &Step)| Product {
        id: item.as_str().into(),
        name: format!("Product {item}"),
        category: Some(format!("category {}", n % CATEGORIES)),
        price: Some((n % 90) as f64 + 10.0),
        attributes: vec![("colour".to_owned(), colours[n % colours.len()].to_owned())],
        available: true,
    };
    Catalogue::new(steps.iter().enumerate().map(product).collect())
}

fn benches(criterion: &mut Criterion) {
    // Given by `cargo test` and `cargo bench -- --test`: each bench runs once
    let trial = !std::env::args().any(|arg| arg == "--bench") || std::env::args().any(|arg| arg == "--test");
    let events = if trial { EVENTS.1 } else { EVENTS.0 };
    let file = std::env::var_os("FRESHET_DATA").map(|folder| Path::new(&folder).join("retailrocket_sessions.csv.gz"));
    let file = file.filter(|file| file.exists());
    let steps = file.map_or_else(|| invented(events), |file| recorded(&file, events));
    let shop = Shop::new(&steps);

    let mut users = shop.active.iter().copied().cycle();
    let mut prediction = Prediction::default();
    for strategy in Strategy::ALL {
        criterion.bench_function(&format!("recommend/{}", strategy.as_str()), |bench| {
            bench.iter_batched(
                || users.next().unwrap(),
                |user| shop.recommend(user, strategy, &mut prediction),
                BatchSize::SmallInput,
            );
        });
    }
    let mut signals = shop.signals.iter().cycle();
    criterion.bench_function("learn", |bench| {
        let make = || {
            let signal = signals.next().unwrap();
            // A later offset: what is under the watermark would teach nothing
            (shop.items[&signal.item].clone(), Signal { offset: u64::MAX / 2, at_ms: shop.now_ms, ..signal.clone() })
        };
        bench.iter_batched_ref(make, |(item, signal)| shop.engine.learn(item, signal), BatchSize::SmallInput);
    });
    documents(criterion, &shop);
}

/// The bytes of both documents, there and back.
fn documents(criterion: &mut Criterion, shop: &Shop) {
    let items: Vec<&Item> = shop.signals.iter().map(|signal| &shop.items[&signal.item]).collect();
    let people: Vec<&Person> = shop.active.iter().map(|user| &shop.people[user]).collect();
    let (mut item, mut person) = (items.iter().cycle(), people.iter().cycle());
    let next = BatchSize::SmallInput;
    criterion.bench_function("encode/item", |bench| {
        bench.iter_batched(|| *item.next().unwrap(), |item| black_box(item.encode()), next);
    });
    criterion.bench_function("encode/person", |bench| {
        bench.iter_batched(|| *person.next().unwrap(), |person| black_box(person.encode()), next);
    });
    criterion.bench_function("decode/item", |bench| {
        bench.iter_batched(|| item.next().unwrap().encode(), |bytes| Item::decode(&bytes), next);
    });
    criterion.bench_function("decode/person", |bench| {
        bench.iter_batched(|| person.next().unwrap().encode(), |bytes| Person::decode(&bytes), next);
    });
}

criterion_group!(all, benches);
criterion_main!(all);
