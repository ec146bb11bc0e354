//! Facets: attributes that sort products into few kinds (category, colour, price class), so that it can be learned which kind
//! people go on to from which, long before every pair of products has been seen.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::Product;

/// Facets of a catalogue at the most, combinations included.
pub(crate) const MAX_FACETS: usize = 16;
/// Values of a combination of two attributes at the most; half as many of one alone: more are put into classes where they are
/// numbers, and make no facet where they are not.
const MAX_VALUES: usize = 40;
/// Attributes that are looked at.
const MAX_COLUMNS: usize = 64;
/// Classes of a number that has many values: as many products in each.
const CLASSES: usize = 8;
/// An attribute that fewer products have (of 100) is no facet.
const LEAST_COVERED: usize = 50;

/// The kinds of one product: by facet, a number that stands for facet and value; 0 where it has none.
pub(crate) type Kinds = [u32; MAX_FACETS];

/// Finds the facets of `products`, a number for each, and the kinds of each product.
pub(crate) fn kinds(products: &[Product]) -> (Kinds, Vec<Kinds>) {
    let categories = products.iter().map(|product| product.category.clone()).collect();
    let prices = products.iter().map(|product| product.price.map(|price| price.to_string())).collect();
    let named = [("category".to_owned(), categories), ("price".to_owned(), prices)];
    let mut facets: Vec<Facet> = named.into_iter().chain(columns(products)).filter_map(Facet::new).collect();
    // The coarsest tell the most of every pair, and make the most combinations.
    facets.sort_by_key(|facet| facet.distinct);
    facets.truncate(MAX_FACETS);
    let single = facets.len();
    for one in 0..single {
        for two in one + 1..single {
            if facets.len() < MAX_FACETS && facets[one].distinct * facets[two].distinct <= MAX_VALUES {
                facets.push(facets[one].with(&facets[two]));
            }
        }
    }
    let number = |text: &str| xxhash_rust::xxh3::xxh3_64(text.as_bytes()) as u32 | 1;
    let mut numbers = Kinds::default();
    let mut kinds = vec![[0; MAX_FACETS]; products.len()];
    for (at, Facet { name, values, .. }) in facets.iter().enumerate() {
        numbers[at] = number(name);
        for (kinds, value) in kinds.iter_mut().zip(values) {
            kinds[at] = value.as_ref().map_or(0, |value| number(&format!("{name}\0{value}")));
        }
    }
    (numbers, kinds)
}

/// The attributes that enough products have, with each product's value where it has exactly one.
fn columns(products: &[Product]) -> Vec<(String, Vec<Option<String>>)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, _) in products.iter().flat_map(|product| &product.attributes) {
        *counts.entry(name).or_default() += 1;
    }
    let enough = counts.into_iter().filter(|(_, count)| count * 100 >= products.len() * LEAST_COVERED);
    let column = |name: &str| {
        let value = |product: &Product| {
            let mut values = product.attributes.iter().filter(|(known, _)| known == name);
            let value = values.next()?.1.clone();
            values.next().is_none().then_some(value)
        };
        (name.to_owned(), products.iter().map(value).collect())
    };
    enough.take(MAX_COLUMNS).map(|(name, _)| column(name)).collect()
}

/// An attribute that sorts products into few kinds.
struct Facet {
    name: String,
    /// By product.
    values: Vec<Option<String>>,
    distinct: usize,
}

impl Facet {
    /// The values as they are where they are few, by classes where they are numbers; `None`: no facet.
    fn new((name, values): (String, Vec<Option<String>>)) -> Option<Self> {
        let covered = values.iter().flatten().count();
        if covered == 0 || covered * 100 < values.len() * LEAST_COVERED {
            return None;
        }
        match distinct(&values) {
            0 | 1 => None,
            count if count <= MAX_VALUES / 2 => Some(Self { name, values, distinct: count }),
            _ => {
                let values = classes(&values, covered)?;
                Some(Self { name, distinct: distinct(&values), values })
            }
        }
    }

    /// Both at once.
    fn with(&self, other: &Self) -> Self {
        let pair =
            |(one, two): (&Option<String>, &Option<String>)| Some(format!("{}\n{}", one.as_ref()?, two.as_ref()?));
        let values: Vec<Option<String>> = self.values.iter().zip(&other.values).map(pair).collect();
        Self { name: format!("{}\n{}", self.name, other.name), distinct: distinct(&values), values }
    }
}

/// Numbers by classes that as many products are in.
fn classes(values: &[Option<String>], covered: usize) -> Option<Vec<Option<String>>> {
    let numbers: Vec<Option<f64>> =
        values.iter().map(|value| value.as_ref()?.parse().ok().filter(|number: &f64| number.is_finite())).collect();
    if numbers.iter().flatten().count() < covered {
        return None;
    }
    let mut sorted: Vec<f64> = numbers.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let bounds: Vec<f64> = (1..CLASSES).map(|class| sorted[class * (sorted.len() - 1) / CLASSES]).collect();
    let class = |number: f64| bounds.iter().filter(|bound| number > **bound).count().to_string();
    Some(numbers.into_iter().map(|number| number.map(class)).collect())
}

fn distinct(values: &[Option<String>]) -> usize {
    values.iter().flatten().collect::<BTreeSet<_>>().len()
}
