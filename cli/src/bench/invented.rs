//! A stream of the shape of RetailRocket's sessions, for those who have no data set at hand.
//!
//! As measured on the public data set (710,586 views): sessions of three and more views (mean 5.4), one after the other;
//! 37,000 products of which the first thousand get a fifth of the views; three views in ten look at a product again.

use freshet_events::EventType;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::simulate::dataset::Visit;

/// Products.
const ITEMS: u32 = 37_000;
/// How much the first products are preferred: place = items · u^`SKEW` with u even.
const SKEW: f64 = 2.3;
/// Views of the shortest session.
const SHORTEST: u32 = 3;
/// Chance of one more view.
const GOES_ON: f64 = 0.7;
/// Views of the longest session.
const LONGEST: u32 = 200;
/// Chance to look at a product again.
const AGAIN: f64 = 0.35;
/// Chance that the next product is a neighbour of the last.
const NEIGHBOUR: f64 = 0.5;
/// Neighbours of a product.
const NEIGHBOURS: u32 = 5;

/// Endless; always the same.
pub(super) fn visits() -> impl Iterator<Item = Visit> + Send {
    growing(|_| ITEMS)
}

/// The same in a shop that has so many products after so many views.
pub(super) fn growing(products: impl Fn(u64) -> u32 + Send) -> impl Iterator<Item = Visit> + Send {
    let mut random = StdRng::seed_from_u64(2008);
    let mut views = 0;
    (0_u64..).flat_map(move |session| {
        let mut seen: Vec<u32> = Vec::new();
        let items = products(views).max(1);
        while seen.len() < LONGEST as usize && (seen.len() < SHORTEST as usize || random.random_bool(GOES_ON)) {
            seen.push(next_item(&seen, items, &mut random));
        }
        views += seen.len() as u64;
        seen.into_iter().map(move |item| Visit {
            user: session.to_string(),
            item: item.to_string(),
            event_type: EventType::ProductView,
        })
    })
}

fn next_item(seen: &[u32], items: u32, random: &mut StdRng) -> u32 {
    match seen.last() {
        Some(_) if random.random_bool(AGAIN) => seen[random.random_range(0..seen.len())],
        Some(last) if random.random_bool(NEIGHBOUR) => (last + random.random_range(1..=NEIGHBOURS)) % items,
        _ => ((f64::from(items) * random.random::<f64>().powf(SKEW)) as u32).min(items - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    #[test]
    fn the_stream_has_the_shape_it_claims() {
        let visits: Vec<Visit> = visits().take(100_000).collect();
        let users: HashSet<&str> = visits.iter().map(|visit| visit.user.as_str()).collect();
        let pairs: HashSet<(&str, &str)> = visits.iter().map(|v| (v.user.as_str(), v.item.as_str())).collect();
        let mut items: HashMap<&str, u32> = HashMap::new();
        visits.iter().for_each(|visit| *items.entry(visit.item.as_str()).or_default() += 1);
        let mut counts: Vec<u32> = items.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let mean = visits.len() as f64 / users.len() as f64;
        let again = 1.0 - pairs.len() as f64 / visits.len() as f64;
        let top = f64::from(counts.iter().take(1_000).sum::<u32>()) / visits.len() as f64;
        assert!((4.8..6.0).contains(&mean), "mean session {mean}");
        assert!((0.22..0.38).contains(&again), "seen again {again}");
        assert!((0.15..0.30).contains(&top), "top 1000 {top}");
    }
}
