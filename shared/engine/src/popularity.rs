//! What most want: bounded top lists, kept by partition of item-signals and merged by readers.

use std::collections::{BTreeMap, HashMap};

use crate::ItemId;
use crate::codec::{DecodeError, Reader, Writer};

/// The version of the bytes.
const VERSION: u8 = 1;
/// Items kept over all categories.
const MAX_OVERALL: usize = 200;
/// Items kept of one category.
const MAX_IN_CATEGORY: usize = 20;
/// Entries the bytes may hold.
const MAX_ENTRIES: u64 = 100_000;
/// A change of demand under this (log2) is not worth a write: 5%.
const WORTH_A_WRITE: f64 = 0.07;

/// One partition's most wanted items. Holds the items' own demand, assigned and not added: feeding it twice changes nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PopularityShard {
    entries: BTreeMap<ItemId, Entry>,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    category: Option<String>,
    demand: f64,
}

impl PopularityShard {
    /// Sets an item's demand ([`crate::Engine::demand`]); true: the shard changed by something worth writing.
    pub fn update(&mut self, item: &ItemId, category: Option<&str>, demand: f64) -> bool {
        if !demand.is_finite() {
            return false;
        }
        let entry = Entry { category: category.map(str::to_owned), demand };
        if let Some(known) = self.entries.get_mut(item) {
            let worth = (known.demand - demand).abs() >= WORTH_A_WRITE || known.category != entry.category;
            if worth {
                *known = entry;
            }
            return worth;
        }
        self.entries.insert(item.clone(), entry);
        self.trim();
        self.entries.contains_key(item)
    }

    /// Keeps what is at the top over all, or in its category.
    fn trim(&mut self) {
        if self.entries.len() <= MAX_OVERALL {
            return;
        }
        let mut ranked: Vec<(&ItemId, &Entry)> = self.entries.iter().collect();
        ranked.sort_by(|a, b| b.1.demand.total_cmp(&a.1.demand).then_with(|| a.0.cmp(b.0)));
        let mut in_category: HashMap<&str, usize> = HashMap::new();
        let mut dropped = Vec::new();
        for (rank, (item, entry)) in ranked.into_iter().enumerate() {
            let category_rank = entry.category.as_deref().map(|category| {
                let count = in_category.entry(category).or_default();
                *count += 1;
                *count
            });
            if rank >= MAX_OVERALL && category_rank.is_none_or(|rank| rank > MAX_IN_CATEGORY) {
                dropped.push(item.clone());
            }
        }
        for item in dropped {
            self.entries.remove(&item);
        }
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
            writer.u64(entry.demand.to_bits());
        }
        writer.into_bytes()
    }

    /// Reads its bytes.
    ///
    /// # Errors
    /// They are no shard of a version that this program knows.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        match reader.byte()? {
            VERSION => {}
            other => return Err(DecodeError::Version(other)),
        }
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
            let demand = f64::from_bits(reader.u64()?);
            if !demand.is_finite() {
                return Err(DecodeError::OutOfRange);
            }
            entries.insert(item, Entry { category, demand });
        }
        reader.end()?;
        Ok(Self { entries })
    }
}

/// The most wanted items, as readers see them.
#[derive(Debug, Clone, Default)]
pub struct Popularity {
    /// Most wanted first, with the share of the best one's demand.
    ranked: Vec<(ItemId, f64)>,
    by_category: HashMap<String, Vec<ItemId>>,
    share: HashMap<ItemId, f64>,
}

impl Popularity {
    /// All partitions together. An item in two shards (the topic was recreated) counts where it is wanted most.
    pub fn merge(shards: &[PopularityShard]) -> Self {
        let mut best: BTreeMap<&ItemId, &Entry> = BTreeMap::new();
        for (item, entry) in shards.iter().flat_map(|shard| &shard.entries) {
            let known = best.entry(item).or_insert(entry);
            if entry.demand > known.demand {
                *known = entry;
            }
        }
        let mut ranked: Vec<(&ItemId, &Entry)> = best.into_iter().collect();
        ranked.sort_by(|a, b| b.1.demand.total_cmp(&a.1.demand).then_with(|| a.0.cmp(b.0)));
        let top = ranked.first().map_or(0.0, |(_, entry)| entry.demand);
        let mut popularity = Self::default();
        for (item, entry) in ranked {
            let share = (entry.demand - top).exp2();
            popularity.ranked.push((item.clone(), share));
            popularity.share.insert(item.clone(), share);
            if let Some(category) = &entry.category {
                popularity.by_category.entry(category.clone()).or_default().push(item.clone());
            }
        }
        popularity
    }

    /// The most wanted items, best first.
    pub fn top(&self, count: usize) -> impl Iterator<Item = &ItemId> {
        self.ranked.iter().take(count).map(|(item, _)| item)
    }

    /// The most wanted items of a category, best first.
    pub fn top_in_category(&self, category: &str, count: usize) -> impl Iterator<Item = &ItemId> {
        self.by_category.get(category).into_iter().flatten().take(count)
    }

    /// An item's demand as a share of the most wanted one's, 0 to 1; 0 for one that is in no top list.
    pub fn share(&self, item: &str) -> f64 {
        self.share.get(item).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_wanted_come_first_over_all_partitions_and_small_categories_keep_theirs() {
        let (mut one, mut two) = (PopularityShard::default(), PopularityShard::default());
        for n in 0..500_u32 {
            one.update(&format!("a{n}").as_str().into(), Some("big"), f64::from(n));
        }
        two.update(&"rare".into(), Some("small"), 1.0);
        assert!(one.entries.len() <= MAX_OVERALL + 1);
        one.update(&"lone".into(), Some("tiny"), 0.5);
        let one = PopularityShard::decode(&one.encode()).unwrap();
        let merged = Popularity::merge(&[one, two]);
        assert_eq!(merged.top(2).map(AsRef::as_ref).collect::<Vec<&str>>(), ["a499", "a498"]);
        assert_eq!(merged.top_in_category("small", 5).count(), 1);
        assert_eq!(merged.top_in_category("tiny", 5).count(), 1);
        assert!((merged.share("a498") - 0.5).abs() < 1e-9);
    }

    #[test]
    fn feeding_it_twice_changes_nothing() {
        let mut shard = PopularityShard::default();
        assert!(shard.update(&"x".into(), None, 3.0));
        let before = shard.clone();
        assert!(!shard.update(&"x".into(), None, 3.01));
        assert_eq!(shard, before);
    }
}
