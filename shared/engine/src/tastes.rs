//! The categories that a person likes.

use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::features::{Feature, Row, ln1};
use crate::history::History;

/// Categories of a person that are looked at.
const MAX_TASTES: usize = 8;

/// The categories of the history, by recency-weighted interest.
pub(crate) struct Tastes {
    /// Most liked first.
    pub(crate) weights: Vec<(u32, f32)>,
    total: f32,
    last: Option<u32>,
}

impl Tastes {
    pub(crate) fn new(history: &History<'_>, catalogue: &Catalogue, config: &Config) -> Self {
        let mut tastes = Self { weights: Vec::new(), total: 0.0, last: None };
        if catalogue.is_empty() {
            return tastes;
        }
        let mut fading = 1.0;
        for (position, (item, weight)) in history.newest_first(config).enumerate() {
            let category = catalogue.place(item).and_then(|place| catalogue.category_at(place));
            if let Some(category) = category {
                tastes.last = tastes.last.or((position == 0).then_some(category));
                match tastes.weights.iter_mut().find(|(known, _)| *known == category) {
                    Some((_, sum)) => *sum += weight * fading,
                    None => tastes.weights.push((category, weight * fading)),
                }
                tastes.total += weight * fading;
            }
            fading *= 0.9;
        }
        tastes.weights.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        tastes.weights.truncate(MAX_TASTES);
        tastes
    }

    /// Fills in what the person's tastes say of a category.
    pub(crate) fn fill(&self, category: Option<u32>, row: &mut Row) {
        let Some(category) = category else { return };
        row.set(Feature::SameCategory, f32::from(u8::from(self.last == Some(category))));
        if let Some((_, weight)) = self.weights.iter().find(|(known, _)| *known == category) {
            row.set(Feature::Taste, 0.5 * ln1(*weight, 0.1));
            row.set(Feature::ContextCategory, weight / self.total.max(f32::MIN_POSITIVE));
        }
    }
}
