//! What products are: an index that finds those that are alike.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::facets::{self, Kinds};
use crate::item_id::{ItemId, KeyMap};

/// Words that more products than this have say nothing of likeness, and would cost time.
const MAX_POSTINGS: usize = 2_000;
/// Longest word that is indexed, in bytes.
const MAX_WORD: usize = 40;

/// Products that are kept as the most like another.
const MOST_ALIKE: usize = 20;
/// Products whose most alike are kept once they were asked for: 20 MB at the most.
const MAX_KEPT: usize = 50_000;

/// A product, as the engine sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// Its id.
    pub id: ItemId,
    /// Display name.
    pub name: String,
    /// Category.
    pub category: Option<String>,
    /// Price in whatever currency the shop has.
    pub price: Option<f64>,
    /// Free attributes as texts.
    pub attributes: Vec<(String, String)>,
    /// May it be recommended?
    pub available: bool,
}

/// All products, indexed by id, category and words.
#[derive(Debug, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
    by_key: KeyMap<usize>,
    /// By number.
    categories: Vec<String>,
    /// Entries of a category, by its number.
    by_category: Vec<Vec<usize>>,
    /// Entries that have a word, with its weight there.
    postings: Vec<Vec<(usize, f32)>>,
    /// A number for each facet; 0 where there are fewer.
    facets: Kinds,
    /// Entries whose most alike are kept.
    kept: AtomicUsize,
}

/// An entry's place, and how like it is, 0 to 1.
pub(crate) type Alike = (usize, f32);

#[derive(Debug)]
struct Entry {
    id: ItemId,
    /// By number.
    category: Option<u32>,
    price: Option<f64>,
    available: bool,
    /// Words by number with their weights: a vector of length 1.
    words: Vec<(usize, f32)>,
    kinds: Kinds,
    /// The most alike, once they were asked for.
    alike: OnceLock<Vec<Alike>>,
}

impl Catalogue {
    /// Indexes products; of two with one id the last one counts.
    pub fn new(mut products: Vec<Product>) -> Self {
        products.sort_by(|a, b| a.id.cmp(&b.id));
        products.reverse();
        products.dedup_by(|a, b| a.id == b.id);
        products.reverse();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut frequency: Vec<f32> = Vec::new();
        let texts: Vec<Vec<(usize, f32)>> = products
            .iter()
            .map(|product| {
                let mut words: Vec<(usize, f32)> = Vec::new();
                for (word, weight) in words_of(product) {
                    let next = numbers.len();
                    let number = *numbers.entry(word).or_insert(next);
                    if number == frequency.len() {
                        frequency.push(0.0);
                    }
                    if !words.iter().any(|(known, _)| *known == number) {
                        frequency[number] += 1.0;
                        words.push((number, weight));
                    }
                }
                words
            })
            .collect();
        let mut catalogue = Self { postings: vec![Vec::new(); frequency.len()], ..Self::default() };
        let mut category_numbers: HashMap<String, u32> = HashMap::new();
        let (facets, kinds) = facets::kinds(&products);
        catalogue.facets = facets;
        let count = products.len() as f32;
        for ((product, words), kinds) in products.into_iter().zip(texts).zip(kinds) {
            let words =
                unit(words.into_iter().map(|(word, w)| (word, w * (1.0 + count / frequency[word]).ln())).collect());
            let at = catalogue.entries.len();
            words.iter().for_each(|(word, weight)| catalogue.postings[*word].push((at, *weight)));
            catalogue.by_key.insert(product.id.key(), at);
            let Product { id, category, price, available, .. } = product;
            let category = category.map(|name| {
                let next = catalogue.categories.len() as u32;
                let number = *category_numbers.entry(name.clone()).or_insert(next);
                if number == next {
                    catalogue.categories.push(name);
                    catalogue.by_category.push(Vec::new());
                }
                catalogue.by_category[number as usize].push(at);
                number
            });
            let alike = OnceLock::new();
            catalogue.entries.push(Entry { id, category, price, available, words, kinds, alike });
        }
        catalogue
    }

    /// Number of products.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Without products?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// False for a product that the catalogue knows as unavailable.
    pub fn available(&self, id: &ItemId) -> bool {
        self.entry(id).is_none_or(|entry| entry.available)
    }

    /// A product's category.
    pub fn category(&self, id: &ItemId) -> Option<&str> {
        self.category_name(self.entry(id)?.category?)
    }

    /// A product's place.
    pub(crate) fn place(&self, id: &ItemId) -> Option<usize> {
        self.by_key.get(&id.key()).copied()
    }

    /// May the product at `place` be recommended?
    pub(crate) fn available_at(&self, place: usize) -> bool {
        self.entries[place].available
    }

    /// Do attributes sort the products into kinds?
    pub(crate) fn has_facets(&self) -> bool {
        self.facets[0] != 0
    }

    /// A number for each facet; 0 where there are fewer.
    pub(crate) fn facets(&self) -> &Kinds {
        &self.facets
    }

    /// The kinds of a product.
    pub(crate) fn kinds_at(&self, place: usize) -> &Kinds {
        &self.entries[place].kinds
    }

    /// The number of a product's category.
    pub(crate) fn category_at(&self, place: usize) -> Option<u32> {
        self.entries[place].category
    }

    /// The category's name.
    pub(crate) fn category_name(&self, number: u32) -> Option<&str> {
        self.categories.get(number as usize).map(String::as_str)
    }

    /// The products of a category, by id.
    pub(crate) fn in_category(&self, number: u32) -> impl Iterator<Item = &ItemId> {
        self.by_category.get(number as usize).into_iter().flatten().map(|at| &self.entries[*at].id)
    }

    /// All products, by id.
    pub fn ids(&self) -> impl Iterator<Item = &ItemId> {
        self.entries.iter().map(|entry| &entry.id)
    }

    /// The available products most like `id`, best first, with their likeness 0 to 1.
    pub fn similar(&self, id: &ItemId, count: usize) -> Vec<(&ItemId, f32)> {
        let Some(own) = self.place(id) else { return Vec::new() };
        let alike = if count > MOST_ALIKE { Cow::Owned(self.find_alike(own, count)) } else { self.most_alike(own) };
        alike.iter().take(count).map(|(at, likeness)| (&self.entries[*at].id, *likeness)).collect()
    }

    /// The id of the product at `place`.
    pub(crate) fn id_at(&self, place: usize) -> &ItemId {
        &self.entries[place].id
    }

    /// The [`MOST_ALIKE`] products to the one at `place`: every list with it in its context asks for them.
    pub(crate) fn most_alike(&self, place: usize) -> Cow<'_, [Alike]> {
        let kept = &self.entries[place].alike;
        if let Some(alike) = kept.get() {
            return Cow::Borrowed(alike);
        }
        if self.kept.load(Ordering::Relaxed) >= MAX_KEPT {
            return Cow::Owned(self.find_alike(place, MOST_ALIKE));
        }
        self.kept.fetch_add(1, Ordering::Relaxed);
        Cow::Borrowed(kept.get_or_init(|| self.find_alike(place, MOST_ALIKE)))
    }

    fn find_alike(&self, own: usize, count: usize) -> Vec<Alike> {
        let mut likeness: HashMap<usize, f32> = HashMap::new();
        for (word, weight) in &self.entries[own].words {
            let postings = &self.postings[*word];
            if postings.len() <= MAX_POSTINGS {
                for (other, theirs) in postings {
                    *likeness.entry(*other).or_default() += weight * theirs;
                }
            }
        }
        likeness.remove(&own);
        let closeness = |at: usize| price_closeness(self.entries[own].price, self.entries[at].price);
        let mut alike: Vec<Alike> = likeness
            .into_iter()
            .filter(|(at, _)| self.entries[*at].available)
            .map(|(at, cosine)| (at, (cosine * closeness(at)).clamp(0.0, 1.0)))
            .collect();
        // Entries are in the order of their ids.
        let better = |a: &Alike, b: &Alike| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if alike.len() > count && count > 0 {
            alike.select_nth_unstable_by(count - 1, better);
        }
        alike.truncate(count);
        alike.sort_unstable_by(better);
        alike
    }

    fn entry(&self, id: &ItemId) -> Option<&Entry> {
        self.place(id).map(|at| &self.entries[at])
    }

    /// Adds what the product at `place` is, times `weight`, to a profile.
    pub(crate) fn add_to(&self, profile: &mut Profile, place: usize, weight: f32) {
        if profile.words.len() < self.postings.len() {
            profile.words.resize(self.postings.len(), 0.0);
        }
        for (word, theirs) in &self.entries[place].words {
            profile.words[*word] += weight * theirs;
            profile.touched.push(*word);
        }
    }

    /// The likeness of the product at `place` to a profile: the sum of the cosines with what was added, by their weights.
    pub(crate) fn likeness(&self, profile: &Profile, place: usize) -> f32 {
        let words = self.entries[place].words.iter();
        words.map(|(word, weight)| weight * profile.words.get(*word).copied().unwrap_or(0.0)).sum()
    }
}

/// What several products are, by words: reusable.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    /// By word's number; all 0 between two uses.
    words: Vec<f32>,
    touched: Vec<usize>,
}

impl Profile {
    pub(crate) fn clear(&mut self) {
        for word in self.touched.drain(..) {
            self.words[word] = 0.0;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }
}

/// 1 for the same price, 0.7 for prices far apart; 0.85 where one is unknown.
fn price_closeness(a: Option<f64>, b: Option<f64>) -> f32 {
    match (a, b) {
        (Some(a), Some(b)) if a > 0.0 && b > 0.0 => (0.7 + 0.3 * (-(a / b).ln().abs()).exp()) as f32,
        _ => 0.85,
    }
}

/// The words of a product with their weights: its category and short attributes as wholes, long texts by word.
fn words_of(product: &Product) -> Vec<(String, f32)> {
    let mut words: Vec<(String, f32)> = Vec::new();
    if let Some(category) = &product.category {
        words.push((format!("category={}", category.to_lowercase()), 1.0));
    }
    words.extend(split(&product.name).map(|word| (word, 1.0)));
    for (name, value) in &product.attributes {
        if value.len() <= MAX_WORD && value.split_whitespace().count() <= 3 {
            words.push((format!("{name}={}", value.to_lowercase()), 1.0));
        } else {
            words.extend(split(value).map(|word| (word, 0.4)));
        }
    }
    words
}

fn split(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|word| word.chars().count() > 2 && word.len() <= MAX_WORD)
}

fn unit(mut words: Vec<(usize, f32)>) -> Vec<(usize, f32)> {
    let norm = words.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
    if norm > 0.0 {
        words.iter_mut().for_each(|(_, weight)| *weight /= norm);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(id: &str, name: &str, category: &str, tags: &[&str]) -> Product {
        Product {
            id: id.into(),
            name: name.into(),
            category: Some(category.into()),
            price: Some(100.0),
            attributes: tags.iter().map(|tag| ("tags".to_owned(), (*tag).to_owned())).collect(),
            available: true,
        }
    }

    #[test]
    fn alike_products_are_found_across_categories() {
        let mut sold_out = product("4", "Red garden lamp", "Light", &["red", "garden"]);
        sold_out.available = false;
        let catalogue = Catalogue::new(vec![
            product("1", "Red lamp", "Light", &["red"]),
            product("2", "Blue lamp", "Light", &["blue"]),
            product("3", "Red chair", "Seats", &["red"]),
            product("5", "Green table", "Tables", &["green"]),
            sold_out,
        ]);
        let alike: Vec<String> = catalogue.similar(&"1".into(), 5).into_iter().map(|(id, _)| id.to_string()).collect();
        assert_eq!(alike.len(), 2, "neither the unavailable nor the unlike: {alike:?}");
        assert!(alike.contains(&"2".to_owned()) && alike.contains(&"3".to_owned()));
        assert!(catalogue.similar(&"unknown".into(), 5).is_empty());
    }
}
