//! Freshet's own engine, judged: the engine that the functions use, with documents bounded as in DynamoDB.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use freshet_engine::{
    Because, Blends, Catalogue, Config, Engine, Inputs, Interaction, Item, ItemId, Learner, Person, Popularity,
    PopularityShard, Prediction, Signal, Source, Strategy,
};

use crate::recommender::{Bytes, Request, Typical};
use crate::{Dataset, Event, Recommender, TOP};

/// The top lists are merged anew after so many events.
const MERGE_EVERY: u64 = 100;
/// One event in so many sends its documents through their bytes: what DynamoDB would not keep is lost.
const THROUGH_BYTES_EVERY: u64 = 16;

/// Passes on the number that an [`ItemId`] hashes to: it is a hash already.
#[derive(Default)]
struct PassThrough(u64);

impl Hasher for PassThrough {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// An item's document, and the last batch that wrote it.
#[derive(Default)]
struct Kept {
    item: Item,
    batch: Option<u64>,
}

/// Events of a batch, of those whose writes are counted.
const BATCH: u64 = 100;

type ItemMap<V> = HashMap<ItemId, V, BuildHasherDefault<PassThrough>>;

/// How far the parts of the system are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distance {
    /// Partitions of `user-events`: each learns a copy of the blend, and goes on from the mean of all now and then.
    pub partitions: u32,
    /// Events until what an item learned of one is seen.
    pub late: usize,
}

impl Distance {
    /// One process, no delay.
    pub const NONE: Self = Self { partitions: 1, late: 0 };
}

/// Events until what one partition has learned is known to the others: those of a young shop are shared sooner, as the function does it.
const SHARE_EVERY: u64 = 1_000;
const SHARE_YOUNG_EVERY: u64 = 100;
const YOUNG: u64 = 20_000;

/// The engine with all that it keeps.
pub struct Freshet<'d> {
    dataset: &'d Dataset,
    name: String,
    engine: Engine,
    strategy: Strategy,
    numbers: ItemMap<u32>,
    catalogue: Catalogue,
    people: Vec<Person>,
    items: ItemMap<Kept>,
    /// Documents of items written, each once a batch.
    writes: u64,
    shard: PopularityShard,
    popularity: Popularity,
    distance: Distance,
    /// Signals that are on their way to their items, with the number of their event.
    under_way: VecDeque<(u64, Signal)>,
    /// One a partition.
    learners: Vec<Learner>,
    prediction: Prediction,
    /// Whose next event `prediction` foretells, and whether it leaves out what the person had.
    predicted: Option<(u32, bool)>,
    learned: u64,
    /// Whose event was the last, and with which item.
    last: Option<(u32, u32)>,
}

impl<'d> Freshet<'d> {
    /// An empty shop with the products of `dataset`.
    pub fn new(dataset: &'d Dataset, config: Config, strategy: Strategy) -> Self {
        Self::apart(dataset, config, strategy, Distance::NONE)
    }

    /// The same, spread over partitions and with delay.
    pub fn apart(dataset: &'d Dataset, config: Config, strategy: Strategy, distance: Distance) -> Self {
        Self {
            dataset,
            name: format!("freshet {}", strategy.as_str()),
            engine: Engine::new(config),
            strategy,
            numbers: dataset.items.iter().cloned().zip(0..).collect(),
            catalogue: Catalogue::new(dataset.products.clone()),
            people: vec![Person::default(); dataset.users.len()],
            items: ItemMap::default(),
            writes: 0,
            shard: PopularityShard::default(),
            popularity: Popularity::default(),
            distance,
            under_way: VecDeque::new(),
            learners: vec![Learner::default(); distance.partitions.max(1) as usize],
            prediction: Prediction::default(),
            predicted: None,
            learned: 0,
            last: None,
        }
    }

    fn interaction(&self, event: &Event) -> Interaction {
        Interaction {
            item: self.dataset.items[event.item as usize].clone(),
            kind: event.kind,
            at_ms: event.at_ms,
            event_hash: self.learned.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            source: Source { generation: 0, partition: 0 },
            offset: self.learned,
        }
    }

    /// The list as the person has it since the last event.
    fn predict(&mut self, user: u32, new_only: bool) -> Vec<freshet_engine::Recommendation> {
        let partition = self.partition(user);
        let person = &self.people[user as usize];
        let now_ms = person.history().last().map_or(0, |last| last.at_s * 1_000);
        let items = &self.items;
        let lookup = |id: &ItemId| items.get(id).map(|kept| &kept.item);
        let inputs = Inputs {
            items: &lookup,
            popularity: &self.popularity,
            catalogue: &self.catalogue,
            blend: self.learners[partition].blend(),
            strategy: self.strategy,
            now_ms,
            limit: TOP,
            new_only,
        };
        self.predicted = Some((user, new_only));
        self.engine.recommend(person, &inputs, &mut self.prediction)
    }

    fn partition(&self, user: u32) -> usize {
        user as usize % self.learners.len()
    }

    /// Lets the blend of the person's partition learn from what came.
    fn teach(&mut self, user: u32, next: &ItemId) {
        let (rate, partition) = (self.engine.config().learning_rate, self.partition(user));
        self.prediction.teach(&mut self.learners[partition], next, rate);
        let every = if self.learned < YOUNG { SHARE_YOUNG_EVERY } else { SHARE_EVERY };
        if self.learners.len() > 1 && self.learned.is_multiple_of(every) {
            let place = |(partition, learner): (u32, &Learner)| ((self.strategy, partition), learner.own().clone());
            let blends = Blends::new((0..).zip(&self.learners).map(place));
            for (partition, learner) in (0..).zip(&mut self.learners) {
                blends.renew(learner, self.strategy, partition);
            }
        }
    }

    /// Items learn of the events that are old enough.
    fn arrive(&mut self) {
        while let Some((_, signal)) = self
            .under_way
            .pop_front_if(|(number, _)| *number + self.distance.late as u64 <= self.learned.saturating_sub(1))
        {
            let Kept { item, batch } = self.items.entry(signal.item.clone()).or_default();
            self.engine.learn(item, &signal);
            let now = Some(self.learned / BATCH);
            self.writes += u64::from(*batch != now);
            *batch = now;
            if signal.interest > 0.0 {
                let category = self.catalogue.category(&signal.item);
                self.shard.update(&signal.item, category, self.engine.demand(item));
            }
        }
    }

    fn through_bytes(&mut self, user: u32, item: &ItemId) {
        let person = &mut self.people[user as usize];
        if let Ok(read) = Person::decode(&person.encode()) {
            *person = read;
        }
        if let Some(Kept { item, .. }) = self.items.get_mut(item)
            && let Ok(read) = Item::decode(&item.encode())
        {
            *item = read;
        }
    }
}

impl Recommender for Freshet<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn recommend(&mut self, request: &Request, list: &mut Vec<u32>) -> usize {
        let recommended = self.predict(request.user, request.new_only);
        list.extend(recommended.iter().filter_map(|entry| self.numbers.get(&entry.item)));
        recommended.iter().filter(|entry| entry.reason.because == Because::Trending).count()
    }

    fn reflect(&mut self, event: &Event) {
        if self.engine.is_choice(event.kind) && self.people[event.user as usize].has_history() {
            if self.predicted != Some((event.user, false)) {
                self.predict(event.user, false);
            }
            self.teach(event.user, &self.dataset.items[event.item as usize]);
        }
        self.predicted = None;
        // What readers read now and then.
        if self.learned.is_multiple_of(MERGE_EVERY) {
            self.popularity = Popularity::merge(std::slice::from_ref(&self.shard));
        }
        if self.learned.is_multiple_of(THROUGH_BYTES_EVERY)
            && let Some((user, item)) = self.last.take()
        {
            self.through_bytes(user, &self.dataset.items[item as usize]);
        }
    }

    fn learn(&mut self, event: &Event) {
        let interaction = self.interaction(event);
        let signals = self.engine.observe(&mut self.people[event.user as usize], &interaction).signals;
        self.under_way.extend(signals.into_iter().map(|signal| (self.learned, signal)));
        self.learned += 1;
        self.arrive();
        self.last = Some((event.user, event.item));
    }

    fn follow(&mut self, event: &Event) {
        let interaction = self.interaction(event);
        self.predicted = None;
        self.engine.observe(&mut self.people[event.user as usize], &interaction);
        self.learned += 1;
    }

    fn bytes(&self) -> Option<Bytes> {
        let people = self.people.iter().filter(|person| person.has_history());
        Some(Bytes {
            item: Typical::of(self.items.values().map(|kept| kept.item.encode().len() as u64).collect()),
            person: Typical::of(people.map(|person| person.encode().len() as u64).collect()),
        })
    }

    fn item_writes(&self) -> Option<f64> {
        (self.learned > 0).then(|| self.writes as f64 / self.learned as f64)
    }
}
