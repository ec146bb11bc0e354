//! Facets: attributes that sort products into few kinds (category, colour, price class), so that it can be learned which kind
//! people go on to from which, long before every pair of products has been seen.

use std::collections::BTreeSet;

use crate::catalogue::Product;

/// Facets of a catalogue at the most, combinations included.
pub(crate) const MAX_FACETS: usize = 16;
/// An attribute with more values is no facet; a combination of two, no combination.
const MAX_VALUES: usize = 40;
/// Classes of a number that has many values: as many products in each.
const CLASSES: usize = 8;
/// An attribute that fewer products have (of 100) is no facet.
const LEAST_COVERED: usize = 50;

/// The kinds of one product: by facet, a number that stands for facet and value; 0 where it has none.
pub(crate) type Kinds = [u32; MAX_FACETS];

/// Finds the facets of `products`, a number for each, and the kinds of each product.
pub(crate) fn kinds(products: &[Product]) -> (Kinds, Vec<Kinds>) {
    let mut facets: Vec<(String, Vec<Option<String>>)> = Vec::new();
    let names: BTreeSet<&str> =
        products.iter().flat_map(|product| &product.attributes).map(|(name, _)| name.as_str()).collect();
    let categories = products.iter().map(|product| product.category.clone()).collect();
    let prices = products.iter().map(|product| product.price.map(|price| price.to_string())).collect();
    let attributes = names.into_iter().map(|name| (name.to_owned(), column(products, name)));
    for (name, values) in
        [("category".to_owned(), categories), ("price".to_owned(), prices)].into_iter().chain(attributes)
    {
        facets.extend(facet(values).map(|values| (name, values)));
    }
    // The coarsest tell the most of every pair, and make the most combinations.
    facets.sort_by_key(|(_, values)| distinct(values));
    facets.truncate(MAX_FACETS);
    for one in 0..facets.len() {
        for two in one + 1..facets.len() {
            if facets.len() < MAX_FACETS && distinct(&facets[one].1) * distinct(&facets[two].1) <= MAX_VALUES {
                let pair = |(one, two): (&Option<String>, &Option<String>)| {
                    Some(format!("{}\n{}", one.as_ref()?, two.as_ref()?))
                };
                let values = facets[one].1.iter().zip(&facets[two].1).map(pair).collect();
                facets.push((format!("{}\n{}", facets[one].0, facets[two].0), values));
            }
        }
    }
    let number = |text: &str| xxhash_rust::xxh3::xxh3_64(text.as_bytes()) as u32 | 1;
    let mut numbers = Kinds::default();
    let mut kinds = vec![[0; MAX_FACETS]; products.len()];
    for (at, (name, values)) in facets.iter().enumerate() {
        numbers[at] = number(name);
        for (kinds, value) in kinds.iter_mut().zip(values) {
            kinds[at] = value.as_ref().map_or(0, |value| number(&format!("{name}\0{value}")));
        }
    }
    (numbers, kinds)
}

/// An attribute's value by product, where a product has exactly one.
fn column(products: &[Product], name: &str) -> Vec<Option<String>> {
    let value = |product: &Product| {
        let mut values = product.attributes.iter().filter(|(known, _)| known == name);
        let value = values.next()?.1.clone();
        values.next().is_none().then_some(value)
    };
    products.iter().map(value).collect()
}

/// The values, as they are where they are few, by classes where they are numbers; `None`: no facet.
fn facet(values: Vec<Option<String>>) -> Option<Vec<Option<String>>> {
    let covered = values.iter().flatten().count();
    if covered * 100 < values.len() * LEAST_COVERED || covered == 0 {
        return None;
    }
    let count = distinct(&values);
    if (2..=MAX_VALUES / 2).contains(&count) {
        return Some(values);
    }
    let numbers: Vec<Option<f64>> =
        values.iter().map(|value| value.as_ref()?.parse().ok().filter(|number: &f64| number.is_finite())).collect();
    if count < 2 || numbers.iter().flatten().count() < covered {
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
