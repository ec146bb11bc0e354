//! Products that go with a product, and those that most want: lists that are nobody's own.

use crate::catalogue::Catalogue;
use crate::engine::Engine;
use crate::item::Item;
use crate::item_id::ItemId;
use crate::popularity::Popularity;
use crate::reason::{Because, Reason};
use crate::recommend::Recommendation;

/// Over which time demand counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    /// Of late: halved every [`Config::trend_half_life_ms`](crate::Config).
    Day,
    /// Over weeks: halved every [`Config::half_life_ms`](crate::Config).
    #[default]
    Month,
}

impl Engine {
    /// What people want in the same visit as `id`, whichever comes first: the item's neighbours by their share of both
    /// directions, best first. A cart or a purchase weighs more than a view, as everywhere.
    pub fn wanted_together(
        &self,
        id: &ItemId,
        item: &Item,
        catalogue: &Catalogue,
        limit: usize,
    ) -> Vec<Recommendation> {
        let total = (item.totals.forward as f32 + item.totals.backward as f32).max(1.0);
        let share = |neighbour: &crate::item::Neighbour| {
            (neighbour.sums.forward as f32 + neighbour.sums.backward as f32) / total
        };
        let neighbours = item.neighbours.iter().filter(|neighbour| neighbour.item != *id);
        let mut scored: Vec<(f32, &ItemId)> = neighbours
            .filter(|neighbour| catalogue.available(&neighbour.item))
            .map(|neighbour| (share(neighbour), &neighbour.item))
            .filter(|(share, _)| *share > 0.0)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        scored.truncate(limit);
        // Shares of many companions are small numbers: the root spreads them out and keeps the order.
        let shown = |(share, item): (f32, &ItemId)| listed(item, share.sqrt(), Because::BoughtTogether, id);
        scored.into_iter().map(shown).collect()
    }

    /// What most want, in all or in a category, best first; the score is the demand beside the first one's.
    pub fn popular(
        &self,
        popularity: &Popularity,
        catalogue: &Catalogue,
        category: Option<&str>,
        window: Window,
        limit: usize,
    ) -> Vec<Recommendation> {
        let because = if category.is_some() { Because::PopularInCategory } else { Because::Trending };
        let is_wanted = |item: &&ItemId| {
            catalogue.available(item) && category.is_none_or(|wanted| catalogue.category(item) == Some(wanted))
        };
        let items: Vec<&ItemId> = match window {
            Window::Day => popularity.trending(usize::MAX).filter(is_wanted).take(limit).collect(),
            Window::Month => popularity.top(usize::MAX).filter(is_wanted).take(limit).collect(),
        };
        let share = |item: &ItemId| {
            let shares = popularity.shares(item).unwrap_or_default();
            if window == Window::Day { shares.fast } else { shares.slow }
        };
        let most = items.first().map_or(0.0, |item| share(item)).max(f32::MIN_POSITIVE);
        let shown = |item: &ItemId| Recommendation {
            item: item.clone(),
            score: (share(item) / most).clamp(0.0, 1.0),
            reason: Reason { because, item: None },
        };
        items.into_iter().map(shown).collect()
    }

    /// Products like `id`, best first.
    pub fn similar(&self, id: &ItemId, catalogue: &Catalogue, limit: usize) -> Vec<Recommendation> {
        let alike = catalogue.similar(id, limit);
        alike.into_iter().map(|(item, likeness)| listed(item, likeness, Because::Similar, id)).collect()
    }
}

fn listed(item: &ItemId, score: f32, because: Because, cause: &ItemId) -> Recommendation {
    let reason = Reason { because, item: Some(cause.clone()) };
    Recommendation { item: item.clone(), score: score.clamp(0.0, 1.0), reason }
}
