//! The order of a list: by score, but not all of one category without need, and now and then something that nobody knows yet.

use crate::item_id::Key;

/// So many times the list's length are looked at for variety.
const REACH: usize = 3;

/// Scored candidates.
pub(crate) struct Ranked<'r> {
    pub(crate) scores: &'r [f32],
    pub(crate) keys: &'r [Key],
    /// The category of a candidate.
    pub(crate) categories: &'r dyn Fn(usize) -> Option<u32>,
}

impl Ranked<'_> {
    /// The best candidates, best first; of equals the lesser key. `diversity`: what a candidate's score loses for the second of
    /// its category in the list, and again for the fourth, the eighth, … (maximal marginal relevance, Carbonell and Goldstein,
    /// SIGIR 1998, with the category as likeness); 0: by score alone.
    pub(crate) fn best(&self, limit: usize, diversity: f32) -> Vec<usize> {
        let reach = if diversity > 0.0 { limit.saturating_mul(REACH) } else { limit };
        let mut order: Vec<usize> = (0..self.scores.len()).collect();
        let better = |a: &usize, b: &usize| {
            self.scores[*b].total_cmp(&self.scores[*a]).then_with(|| self.keys[*a].cmp(&self.keys[*b]))
        };
        if order.len() > reach && reach > 0 {
            order.select_nth_unstable_by(reach - 1, better);
        }
        order.truncate(reach);
        order.sort_unstable_by(better);
        if diversity > 0.0 {
            order = self.varied(order, limit, diversity);
        }
        order
    }

    fn varied(&self, mut order: Vec<usize>, limit: usize, diversity: f32) -> Vec<usize> {
        let categories: Vec<Option<u32>> = order.iter().map(|at| (self.categories)(*at)).collect();
        if categories.iter().all(Option::is_none) {
            order.truncate(limit);
            return order;
        }
        let mut left: Vec<(usize, Option<u32>)> = order.into_iter().zip(categories).collect();
        let mut taken: Vec<(u32, u32)> = Vec::new();
        let mut list = Vec::with_capacity(limit);
        while list.len() < limit && !left.is_empty() {
            let worth = |(at, category): &(usize, Option<u32>)| {
                let of_it = category.and_then(|category| taken.iter().find(|(known, _)| *known == category));
                self.scores[*at] - diversity * of_it.map_or(0.0, |(_, count)| (1.0 + *count as f32).log2())
            };
            // The first of equals: they are in the order of the score.
            let mut best = (0, f32::NEG_INFINITY);
            for (place, candidate) in left.iter().enumerate() {
                let worth = worth(candidate);
                if worth > best.1 {
                    best = (place, worth);
                }
            }
            let (at, category) = left.remove(best.0);
            list.push(at);
            if let Some(category) = category {
                match taken.iter_mut().find(|(known, _)| *known == category) {
                    Some((_, count)) => *count += 1,
                    None => taken.push((category, 1)),
                }
            }
        }
        list
    }

    /// Gives the last place of a full list, in the share `explore` of all lists, to the best candidate that nobody has had to
    /// do with yet. Which lists: by a hash of what is in it, so that the same input gives the same list.
    pub(crate) fn explore(&self, list: &mut [usize], limit: usize, explore: f32, is_unknown: impl Fn(usize) -> bool) {
        if explore <= 0.0 || list.len() < limit || limit < 2 {
            return;
        }
        let hash = list.iter().fold(0_u64, |hash, at| (hash ^ self.keys[*at]).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if (hash >> 40) as f32 / (1_u32 << 24) as f32 >= explore || list.iter().any(|at| is_unknown(*at)) {
            return;
        }
        let unknown = (0..self.scores.len()).filter(|at| is_unknown(*at));
        let best = unknown.reduce(|best, at| if self.scores[at] > self.scores[best] { at } else { best });
        if let (Some(best), Some(last)) = (best, list.last_mut()) {
            *last = best;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [Key; 6] = [10, 11, 12, 13, 14, 15];

    fn ranked<'r>(scores: &'r [f32], categories: &'r dyn Fn(usize) -> Option<u32>) -> Ranked<'r> {
        Ranked { scores, keys: &KEYS[..scores.len()], categories }
    }

    #[test]
    fn another_category_gets_its_place_unless_the_evidence_is_strong() {
        let categories = |at: usize| Some(u32::from(at == 5));
        let close = [3.0, 2.9, 2.8, 2.7, 2.6, 2.5];
        assert_eq!(ranked(&close, &categories).best(3, 0.0), [0, 1, 2]);
        assert_eq!(ranked(&close, &categories).best(3, 0.5), [0, 5, 1]);
        let clear = [9.0, 8.9, 8.8, 8.7, 8.6, 2.5];
        assert_eq!(ranked(&clear, &categories).best(3, 0.5), [0, 1, 2]);
        let nothing = |_: usize| None;
        assert_eq!(ranked(&close, &nothing).best(3, 0.5), [0, 1, 2]);
    }

    #[test]
    fn a_new_item_is_shown_now_and_then_in_the_last_place_and_only_there() {
        let (scores, nothing) = ([3.0, 2.9, 2.8, 2.7, 2.6, 2.5], |_: usize| None);
        let ranked = ranked(&scores, &nothing);
        let explored = |share: f32| {
            let mut list = ranked.best(3, 0.0);
            ranked.explore(&mut list, 3, share, |at| at == 5);
            list
        };
        assert_eq!((explored(0.0), explored(1.0)), (vec![0, 1, 2], vec![0, 1, 5]));
        let mut known = ranked.best(3, 0.0);
        ranked.explore(&mut known, 3, 1.0, |_| false);
        assert_eq!(known, [0, 1, 2]);
    }
}
