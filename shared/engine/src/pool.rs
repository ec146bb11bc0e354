//! The candidates of a list, with what speaks for each.

use crate::item_id::ItemId;

/// Candidates at the most; what comes after is not looked at.
const MAX_CANDIDATES: usize = 1_500;
/// Places of the table: a power of two, at least twice the candidates.
const PLACES: usize = 4_096;
const FREE: u16 = u16::MAX;

/// What co-visitation and likeness say of a candidate. Shares are of an item's sums.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Evidence {
    /// From the last item: share of what came directly after, weight of all that came after.
    pub(crate) adjacent: f32,
    pub(crate) forward_weight: f32,
    /// From the item before the last.
    pub(crate) adjacent_second: f32,
    /// Over the context: after and before, by .5^position; in either direction, by .9^position.
    pub(crate) forward: f32,
    pub(crate) backward: f32,
    pub(crate) any: f32,
    /// After and before each context item by itself, logarithms: positions 0, 1, 2 and beyond.
    pub(crate) ahead: [f32; 4],
    pub(crate) behind: [f32; 4],
    /// In either direction, by .7^position, fading over days and over hours since the edge was seen.
    pub(crate) recent_days: f32,
    pub(crate) recent_hours: f32,
    /// The strongest single share in either direction.
    pub(crate) strongest: f32,
    /// Context items that know it; the same by .7^position.
    pub(crate) agreeing: u16,
    pub(crate) agreeing_near: f32,
    /// For an item of this visit: what is left when the visit's own edges are taken off.
    pub(crate) others_adjacent: f32,
    pub(crate) others_forward: f32,
    pub(crate) others_backward: f32,
    /// When the last item and when any of the context was last seen with it, seconds since the epoch.
    pub(crate) last_edge_s: u32,
    pub(crate) edge_s: u32,
    /// Over the bridges, in either direction.
    pub(crate) bridged: f32,
    pub(crate) bridges: u16,
    /// The context item that speaks loudest, and how loud.
    pub(crate) cause: u16,
    pub(crate) loudness: f32,
    /// The context item that it was found to be like.
    pub(crate) like_cause: Option<u16>,
}

/// How far a candidate is in the company of the context, and what of it is attended to; see [`crate::attention`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Company {
    /// Of the context, and of the last item.
    pub(crate) of_context: f32,
    pub(crate) of_last: f32,
    /// Over the documents of context and bridges: in either direction, by how like the context and the last item each is.
    pub(crate) attended: f32,
    pub(crate) attended_last: f32,
}

/// Finds a candidate by its key; reusable.
#[derive(Debug)]
pub(crate) struct Table {
    places: Vec<u16>,
}

impl Default for Table {
    fn default() -> Self {
        Self { places: vec![FREE; PLACES] }
    }
}

/// The candidates in the order they were found.
pub(crate) struct Pool<'a, 't> {
    pub(crate) items: Vec<&'a ItemId>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) company: Vec<Company>,
    table: &'t mut Table,
    /// Where what is not looked at any more is written.
    spill: Evidence,
}

impl<'a, 't> Pool<'a, 't> {
    pub(crate) fn new(table: &'t mut Table) -> Self {
        table.places.fill(FREE);
        let (items, evidence) = (Vec::with_capacity(512), Vec::with_capacity(512));
        Self { items, evidence, company: Vec::with_capacity(512), table, spill: Evidence::default() }
    }

    /// Makes candidates of `items`.
    pub(crate) fn admit(&mut self, items: impl Iterator<Item = &'a ItemId>) {
        for item in items {
            self.slot(item);
        }
    }

    /// The number of a candidate; a new one where there is room.
    pub(crate) fn slot(&mut self, item: &'a ItemId) -> Option<usize> {
        let mut place = item.key() as usize & (PLACES - 1);
        loop {
            let slot = self.table.places[place];
            if slot == FREE {
                break;
            }
            if self.items[usize::from(slot)].key() == item.key() {
                return Some(usize::from(slot));
            }
            place = (place + 1) & (PLACES - 1);
        }
        if self.items.len() >= MAX_CANDIDATES {
            return None;
        }
        self.table.places[place] = self.items.len() as u16;
        self.items.push(item);
        self.evidence.push(Evidence::default());
        self.company.push(Company::default());
        Some(self.items.len() - 1)
    }

    /// What speaks for a candidate, which becomes one.
    pub(crate) fn evidence(&mut self, item: &'a ItemId) -> &mut Evidence {
        match self.slot(item) {
            Some(slot) => &mut self.evidence[slot],
            None => &mut self.spill,
        }
    }
}
