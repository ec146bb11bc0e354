//! Settings, with the defaults that every shop starts with. Sources: the prototypes' measurements named beside each.

use crate::event::EventKind;

/// The engine's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Earlier items of the visit that an event is linked to. Each is one more item document to write per event; 3 is within
    /// .003 HR@20 of 30 on RetailRocket.
    pub context_steps: usize,
    /// Distinct items, newest first, whose models a list is made from.
    pub context_items: usize,
    /// Neighbours an item keeps. Of 64 and 100, HR@20 .6077 and .6081 on RetailRocket, .700 and .702 on the e-shop of 2008, where every item is full: 64 fit into one write unit, 100 do not.
    pub neighbours: usize,
    /// Sums halve in this event time, milliseconds.
    pub half_life_ms: i64,
    /// The sums of what is wanted of late halve in this event time, milliseconds.
    pub trend_half_life_ms: i64,
    /// The strongest candidates whose own neighbours are candidates as well.
    pub bridges: usize,
    /// What a candidate's score loses for being the second (fourth, eighth, …) of its category in a list; 0: nothing.
    pub diversity: f32,
    /// Share of lists whose last place goes to a product that nobody has had to do with yet.
    pub explore: f32,
    /// How fast the blend learns (AdaGrad's rate).
    pub learning_rate: f32,
    /// A visit ends after this long without an event, milliseconds.
    pub visit_gap_ms: i64,
    /// Interest shown by a view or a click on a recommendation.
    pub view_weight: f32,
    /// Interest shown by putting into the cart.
    pub cart_weight: f32,
    /// Interest shown by buying.
    pub purchase_weight: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            context_steps: 3,
            context_items: 10,
            neighbours: 64,
            half_life_ms: 30 * 24 * 3_600_000,
            trend_half_life_ms: 12 * 3_600_000,
            bridges: 8,
            diversity: 0.05,
            explore: 0.05,
            learning_rate: 0.1,
            visit_gap_ms: 30 * 60_000,
            view_weight: 1.0,
            cart_weight: 3.0,
            purchase_weight: 4.0,
        }
    }
}

impl Config {
    /// The interest an event shows; 0 for one that shows none.
    pub fn weight(&self, kind: EventKind) -> f32 {
        match kind {
            EventKind::ProductView | EventKind::RecommendationClick => self.view_weight,
            EventKind::AddToCart => self.cart_weight,
            EventKind::Purchase => self.purchase_weight,
            EventKind::RemoveFromCart | EventKind::RecommendationView => 0.0,
        }
    }
}
