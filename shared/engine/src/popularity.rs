//! What most want: bounded top lists, kept by partition of item-signals and merged by readers.

use std::collections::{BTreeMap, HashMap};

use crate::codec::{DecodeError, Reader, Writer};
use crate::item_id::{ItemId, KeyMap};

/// The version of the bytes.
const VERSION: u8 = 2;
/// Items kept over all categories, of each speed.
const MAX_OVERALL: usize = 200;
/// Items kept of one category.
const MAX_IN_CATEGORY: usize = 50;
/// Entries kept in all: with the longest ids and categories 220 KB, of the 400 KB that a document may have.
const MAX_KEPT: usize = 1_000;
/// Entries over that before it is trimmed, so that not every newcomer sorts all of it.
const SLACK: usize = 200;
/// A longer name of a category, in bytes, is none here.
const MAX_CATEGORY: usize = 64;
/// Entries the bytes may hold.
const MAX_ENTRIES: u64 = 100_000;
/// A change of demand under this (log2) is not worth a write: 5%.
const WORTH_A_WRITE: f64 = 0.07;

/// The demand for an item, comparable between items and at any time: log2 of its decayed interest, on a scale that rises by
/// 1 with every half-life.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// Over weeks.
    pub slow: f64,
    /// Over hours.
    pub fast: f64,
}

/// One partition's most wanted items. Holds the items' own demand, assigned and not added: feeding it twice changes nothing.
#[derive(Debug, Clone, Default)]
pub struct PopularityShard {
    entries: BTreeMap<ItemId, Entry>,
    /// What a newcomer must beat to be kept; unknown until it is needed.
    floors: Option<Floors>,
}

/// The least demand of what is kept.
#[derive(Debug, Clone)]
struct Floors {
    slow: f64,
    fast: f64,
    /// Of categories that hold as many as they may.
    by_category: HashMap<String, f64>,
    /// Of an item of another category.
    any_category: f64,
}

impl Floors {
    fn admits(&self, category: Option<&str>, demand: Demand) -> bool {
        let of_category = |name: &str| self.by_category.get(name).copied().unwrap_or(self.any_category);
        demand.slow > self.slow
            || demand.fast > self.fast
            || category.is_some_and(|name| demand.slow > of_category(name))
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    category: Option<String>,
    demand: Demand,
}

impl PopularityShard {
    /// Sets an item's demand ([`crate::Engine::demand`]); true: the shard changed by something worth writing.
    pub fn update(&mut self, item: &ItemId, category: Option<&str>, demand: Demand) -> bool {
        if !demand.slow.is_finite() || !demand.fast.is_finite() {
            return false;
        }
        let category = category.filter(|name| name.len() <= MAX_CATEGORY);
        if let Some(known) = self.entries.get_mut(item) {
            let moved = (known.demand.slow - demand.slow).abs().max((known.demand.fast - demand.fast).abs());
            let worth = moved >= WORTH_A_WRITE || known.category.as_deref() != category;
            if worth {
                *known = Entry { category: category.map(str::to_owned), demand };
            }
            return worth;
        }
        // As it was read: what it keeps says what it asks of a newcomer.
        if self.floors.is_none() && self.entries.len() >= 2 * MAX_OVERALL {
            self.trim();
        }
        if self.floors.as_ref().is_some_and(|floors| !floors.admits(category, demand)) {
            return false;
        }
        self.entries.insert(item.clone(), Entry { category: category.map(str::to_owned), demand });
        if self.entries.len() > MAX_KEPT + SLACK {
            self.trim();
        }
        self.entries.contains_key(item)
    }

    /// Keeps what is at the top over all, at either speed, or in its category.
    fn trim(&mut self) {
        let mut kept: BTreeMap<ItemId, Entry> = BTreeMap::new();
        let least = |ranked: &[(&ItemId, &Entry)], speed: fn(Demand) -> f64| {
            ranked.get(MAX_OVERALL - 1).map_or(f64::NEG_INFINITY, |(_, entry)| speed(entry.demand))
        };
        let mut ranked: Vec<(&ItemId, &Entry)> = self.entries.iter().collect();
        ranked.sort_by(|a, b| b.1.demand.fast.total_cmp(&a.1.demand.fast).then_with(|| a.0.cmp(b.0)));
        let fast = least(&ranked, |demand| demand.fast);
        kept.extend(ranked.iter().take(MAX_OVERALL).map(|(item, entry)| ((*item).clone(), (*entry).clone())));
        ranked.sort_by(|a, b| b.1.demand.slow.total_cmp(&a.1.demand.slow).then_with(|| a.0.cmp(b.0)));
        let slow = least(&ranked, |demand| demand.slow);
        let mut floors = Floors { slow, fast, by_category: HashMap::new(), any_category: f64::NEG_INFINITY };
        let mut in_category: HashMap<&str, usize> = HashMap::new();
        for (rank, (item, entry)) in ranked.into_iter().enumerate() {
            let category_rank = entry.category.as_deref().map(|category| {
                let count = in_category.entry(category).or_default();
                *count += 1;
                *count
            });
            let wanted = rank < MAX_OVERALL || category_rank.is_some_and(|rank| rank <= MAX_IN_CATEGORY);
            if category_rank == Some(MAX_IN_CATEGORY) {
                floors.by_category.extend(entry.category.clone().map(|name| (name, entry.demand.slow)));
            }
            if wanted && kept.len() < MAX_KEPT {
                kept.insert(item.clone(), entry.clone());
            } else if wanted {
                floors.any_category = floors.any_category.max(entry.demand.slow);
            }
        }
        (self.entries, self.floors) = (kept, Some(floors));
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.byte(VERSION);
        let categories: Vec<&str> = {
            let mut names: Vec<&str> = self.entries.values().filter_map(|entry| entry.category.as_deref()).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        writer.unsigned(categories.len() as u64);
        categories.iter().for_each(|name| writer.text(name));
        writer.unsigned(self.entries.len() as u64);
        for (item, entry) in &self.entries {
            writer.text(item);
            let number = entry.category.as_deref().and_then(|name| categories.binary_search(&name).ok());
            writer.unsigned(number.map_or(0, |at| at as u64 + 1));
            writer.u64(entry.demand.slow.to_bits());
            writer.u64(entry.demand.fast.to_bits());
        }
        writer.into_bytes()
    }

    /// Reads its bytes.
    ///
    /// # Errors
    /// They are no shard of a version that this program knows.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(VERSION)?;
        let count = reader.count(MAX_ENTRIES)?;
        let categories = (0..count).map(|_| reader.text().map(str::to_owned)).collect::<Result<Vec<_>, _>>()?;
        let count = reader.count(MAX_ENTRIES)?;
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let item = reader.item()?;
            let category = match reader.unsigned()? {
                0 => None,
                number => Some(categories.get(number as usize - 1).cloned().ok_or(DecodeError::OutOfRange)?),
            };
            let demand = Demand { slow: f64::from_bits(reader.u64()?), fast: f64::from_bits(reader.u64()?) };
            if !demand.slow.is_finite() || !demand.fast.is_finite() {
                return Err(DecodeError::OutOfRange);
            }
            entries.insert(item, Entry { category, demand });
        }
        reader.end()?;
        Ok(Self { entries, floors: None })
    }
}

/// How much an item is wanted, as a share of what all listed items are wanted, 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Shares {
    pub(crate) slow: f32,
    pub(crate) fast: f32,
    /// Of its category.
    pub(crate) in_category: f32,
    /// It is among those that are wanted most of late.
    pub(crate) is_trending: bool,
}

/// The most wanted items, as readers see them.
#[derive(Debug, Clone, Default)]
pub struct Popularity {
    /// Most wanted first.
    ranked: Vec<ItemId>,
    /// Most wanted of late first.
    trending: Vec<ItemId>,
    by_category: HashMap<String, Vec<ItemId>>,
    shares: KeyMap<Shares>,
}

/// Items that count as trending.
const TRENDING: usize = 60;

impl Popularity {
    /// All partitions together. An item in two shards (the topic was recreated) counts where it is wanted most.
    pub fn merge(shards: &[PopularityShard]) -> Self {
        let mut places: KeyMap<usize> = KeyMap::default();
        let mut ranked: Vec<(&ItemId, &Entry)> = Vec::new();
        for (item, entry) in shards.iter().flat_map(|shard| &shard.entries) {
            let place = *places.entry(item.key()).or_insert(ranked.len());
            match ranked.get_mut(place) {
                Some((_, known)) if entry.demand.slow > known.demand.slow => *known = entry,
                Some(_) => {}
                None => ranked.push((item, entry)),
            }
        }
        let mut popularity = Self::default();
        ranked.sort_unstable_by(|a, b| b.1.demand.fast.total_cmp(&a.1.demand.fast).then_with(|| a.0.cmp(b.0)));
        let fast = shares(&ranked, |demand| demand.fast);
        for (at, ((item, _), fast)) in ranked.iter().zip(fast).enumerate() {
            let is_trending = at < TRENDING;
            popularity.shares.insert(item.key(), Shares { fast, is_trending, ..Shares::default() });
            popularity.trending.extend((at < MAX_OVERALL).then(|| (*item).clone()));
        }
        ranked.sort_unstable_by(|a, b| b.1.demand.slow.total_cmp(&a.1.demand.slow).then_with(|| a.0.cmp(b.0)));
        let slow = shares(&ranked, |demand| demand.slow);
        let mut by_category: HashMap<&str, f32> = HashMap::new();
        for ((_, entry), slow) in ranked.iter().zip(&slow) {
            *by_category.entry(entry.category.as_deref().unwrap_or_default()).or_default() += slow;
        }
        for ((item, entry), slow) in ranked.into_iter().zip(slow) {
            if let Some(shares) = popularity.shares.get_mut(&item.key()) {
                shares.slow = slow;
                let total = entry.category.as_deref().and_then(|name| by_category.get(name)).copied();
                shares.in_category = total.map_or(0.0, |total| slow / total.max(f32::MIN_POSITIVE));
            }
            popularity.ranked.push(item.clone());
            if let Some(category) = &entry.category {
                popularity.by_category.entry(category.clone()).or_default().push(item.clone());
            }
        }
        popularity
    }

    /// The most wanted items, best first.
    pub fn top(&self, count: usize) -> impl Iterator<Item = &ItemId> {
        self.ranked.iter().take(count)
    }

    /// The items most wanted of late, best first.
    pub fn trending(&self, count: usize) -> impl Iterator<Item = &ItemId> {
        self.trending.iter().take(count)
    }

    /// The most wanted items of a category, best first.
    pub fn top_in_category(&self, category: &str, count: usize) -> impl Iterator<Item = &ItemId> {
        self.by_category.get(category).into_iter().flatten().take(count)
    }

    /// How much an item is wanted; nothing is known of one that is in no top list.
    pub(crate) fn shares(&self, item: &ItemId) -> Option<Shares> {
        self.shares.get(&item.key()).copied()
    }
}

/// Of demands that are logarithms, the shares of their sum.
fn shares(ranked: &[(&ItemId, &Entry)], speed: impl Fn(Demand) -> f64) -> Vec<f32> {
    let top = ranked.first().map_or(0.0, |(_, entry)| speed(entry.demand));
    let weights: Vec<f64> = ranked.iter().map(|(_, entry)| (speed(entry.demand) - top).exp2()).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| (weight / total.max(f64::MIN_POSITIVE)) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(slow: f64) -> Demand {
        Demand { slow, fast: -slow }
    }

    #[test]
    fn the_most_wanted_come_first_over_all_partitions_and_small_categories_keep_theirs() {
        let (mut one, mut two) = (PopularityShard::default(), PopularityShard::default());
        for n in 0..2_000_u32 {
            one.update(&format!("a{n}").into(), Some("big"), demand(f64::from(n)));
        }
        two.update(&"rare".into(), Some("small"), demand(1.0));
        assert!(one.entries.len() <= MAX_KEPT + SLACK);
        one.update(&"lone".into(), Some("tiny"), demand(0.5));
        let one = PopularityShard::decode(&one.encode()).unwrap();
        let merged = Popularity::merge(&[one, two]);
        assert_eq!(merged.top(2).map(AsRef::as_ref).collect::<Vec<&str>>(), ["a1999", "a1998"]);
        assert_eq!(merged.trending(1).map(AsRef::as_ref).collect::<Vec<&str>>(), ["a0"]);
        assert_eq!(merged.top_in_category("small", 5).count(), 1);
        assert_eq!(merged.top_in_category("tiny", 5).count(), 1);
        let share = |item: &str| merged.shares(&item.into()).unwrap();
        assert!((share("a1998").slow / share("a1999").slow - 0.5).abs() < 1e-6);
        assert!(share("a0").is_trending && !share("a1999").is_trending);
    }

    #[test]
    fn what_would_be_dropped_again_is_not_taken_in() {
        let mut shard = PopularityShard::default();
        let crowd = |n: u32| format!("a{n}").into();
        for n in 0..2_000_u32 {
            shard.update(&crowd(n), None, demand(f64::from(n)));
        }
        // Neither wanted for long nor of late, and the first of its category.
        assert!(!shard.update(&"x".into(), None, demand(1_000.5)));
        assert!(shard.update(&"x".into(), Some("small"), demand(1_000.5)));
        let mut read = PopularityShard::decode(&shard.encode()).unwrap();
        assert!(!read.update(&"y".into(), None, demand(1_000.5)));
        assert!(read.update(&"y".into(), None, demand(1_999.5)));
    }

    #[test]
    fn feeding_it_twice_changes_nothing() {
        let mut shard = PopularityShard::default();
        assert!(shard.update(&"x".into(), None, demand(3.0)));
        let before = shard.clone();
        assert!(!shard.update(&"x".into(), None, demand(3.01)));
        assert_eq!(shard.entries, before.entries);
    }
}
