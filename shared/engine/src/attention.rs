//! Attention: of the documents that a list is made from, those count most whose company is the context's.
//!
//! Two items are alike where they keep the same company, though nobody may ever have seen the one beside the other
//! (second-order proximity: Tang et al., LINE, WWW 2015). What an item's document says of candidates counts as far as the item
//! is like the context, and as far as it is like the last item (attention by both: Liu et al., STAMP, KDD 2018). All of it is in
//! the documents of the context and the bridges, which are read anyway. HR@20 / MRR@20 without and with it: RetailRocket .6076 /
//! .3475 and .6114 / .3524, yoochoose .6829 / .3823 and .6860 / .3840, the e-shop of 2008 .6996 / .2601 and .7007 / .2604.

use crate::item::Item;
use crate::pool::Company;

/// What a document says of one candidate.
#[derive(Debug, Clone, Copy)]
struct Link {
    slot: u32,
    /// The root of the sums in both directions: a few strong companions must not be all of the company.
    root: f32,
    /// Share of the document's sums in both directions.
    share: f32,
}

/// A document: where its links begin and end.
#[derive(Debug, Clone, Copy)]
struct Links {
    from: usize,
    to: usize,
    /// Length of the vector of roots.
    length: f32,
}

/// The company that documents keep.
#[derive(Debug)]
pub(crate) struct Attention {
    links: Vec<Link>,
    /// Of the context, by position; nothing where an item has no document.
    context: Vec<Option<Links>>,
    bridge: Links,
    /// The square of the length of the context's vector.
    context_square: f32,
    /// How like the last item each item of the context is, by position: cosines.
    like_last: Vec<f32>,
}

impl Attention {
    pub(crate) fn new() -> Self {
        Self {
            links: Vec::with_capacity(256),
            context: Vec::new(),
            bridge: Links { from: 0, to: 0, length: 1.0 },
            context_square: 0.0,
            like_last: Vec::new(),
        }
    }

    fn begin(&self, item: &Item) -> Links {
        let total: u64 = item.neighbours.iter().map(|neighbour| neighbour.sums.any()).sum();
        Links { from: self.links.len(), to: self.links.len(), length: length(total as f32) }
    }

    /// Begins the document of the context's item at `position`; positions rise.
    pub(crate) fn begin_context(&mut self, position: usize, item: &Item) {
        let links = self.begin(item);
        self.context.resize(position, None);
        self.context.push(Some(links));
    }

    /// What the document begun last says of a candidate: the sums in both directions, and their share.
    pub(crate) fn link(&mut self, slot: usize, any: u64, share: f32) {
        self.links.push(Link { slot: slot as u32, root: (any as f32).sqrt(), share });
    }

    /// Ends it: its company becomes the context's, by `weight`.
    pub(crate) fn end_context(&mut self, company: &mut [Company], weight: f32) {
        let is_last = self.context.len() == 1;
        let Some(Some(links)) = self.context.last_mut() else { return };
        links.to = self.links.len();
        let weight = weight / links.length;
        for link in &self.links[links.from..links.to] {
            let company = &mut company[link.slot as usize];
            let more = weight * link.root;
            self.context_square += more * (2.0 * company.of_context + more);
            company.of_context += more;
            if is_last {
                company.of_last = link.root;
            }
        }
    }

    /// All of the context is read: its documents speak.
    pub(crate) fn settle(&mut self, company: &mut [Company]) {
        for position in 0..self.context.len() {
            let like_last = self.context[position].map_or(0.0, |links| self.attend(links, company));
            self.like_last.push(like_last);
        }
    }

    /// Begins the document of a bridge.
    pub(crate) fn begin_bridge(&mut self, item: &Item) {
        self.bridge = self.begin(item);
    }

    /// Ends it: it speaks.
    pub(crate) fn end_bridge(&mut self, company: &mut [Company]) {
        self.attend(Links { to: self.links.len(), ..self.bridge }, company);
        self.links.truncate(self.bridge.from);
    }

    /// Adds what a document says of each candidate, by how like the context and the last item the document is; returns the latter.
    fn attend(&self, document: Links, company: &mut [Company]) -> f32 {
        let links = &self.links[document.from..document.to];
        let (mut with_context, mut with_last) = (0.0, 0.0);
        for link in links {
            let company = &company[link.slot as usize];
            with_context += link.root * company.of_context;
            with_last += link.root * company.of_last;
        }
        let last_length = self.context.first().copied().flatten().map_or(1.0, |last| last.length);
        let like_context = with_context / (document.length * length(self.context_square));
        let like_last = with_last / (document.length * last_length);
        for link in links {
            let company = &mut company[link.slot as usize];
            company.attended += like_context * link.share;
            company.attended_last += like_last * link.share;
        }
        like_last
    }

    /// How like the last item the context's item at `position` is: a cosine.
    pub(crate) fn like_last(&self, position: usize) -> f32 {
        self.like_last.get(position).copied().unwrap_or_default()
    }
}

/// The length of a vector by its square; of nothing 1, so that nothing is divided by 0.
fn length(square: f32) -> f32 {
    if square > 0.0 { square.sqrt() } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{Neighbour, Sums};

    /// Reads a document of these companions, by slot, with what came after: at a position of the context, or of a bridge.
    fn read(attention: &mut Attention, company: &mut [Company], position: Option<usize>, companions: &[(usize, u32)]) {
        let sums = |forward| Sums { forward, ..Sums::default() };
        let neighbour =
            |(slot, sum): &(usize, u32)| Neighbour { item: slot.to_string().into(), sums: sums(*sum), last_s: 0 };
        let mut item = Item::default();
        item.neighbours.extend(companions.iter().map(neighbour));
        match position {
            Some(position) => attention.begin_context(position, &item),
            None => attention.begin_bridge(&item),
        }
        let total: u32 = companions.iter().map(|(_, sum)| sum).sum();
        for (slot, sum) in companions {
            attention.link(*slot, u64::from(*sum), *sum as f32 / total.max(1) as f32);
        }
        match position {
            Some(_) => attention.end_context(company, 1.0),
            None => attention.end_bridge(company),
        }
    }

    #[test]
    fn a_document_counts_as_far_as_its_company_is_the_context_s() {
        let (mut attention, mut company) = (Attention::new(), vec![Company::default(); 10]);
        read(&mut attention, &mut company, Some(0), &[(1, 16), (2, 16)]);
        attention.settle(&mut company);
        // Its own document is all that it is like.
        assert!((company[1].attended - 0.5).abs() < 1e-5 && (company[1].attended_last - 0.5).abs() < 1e-5);
        read(&mut attention, &mut company, None, &[(1, 16), (2, 16), (3, 32)]);
        read(&mut attention, &mut company, None, &[(1, 1), (4, 31), (5, 32)]);
        read(&mut attention, &mut company, None, &[(6, 64)]);
        assert!(company[3].attended > 3.0 * company[4].attended && company[4].attended > 0.0);
        assert!(company[6].attended.abs() < 1e-9 && company[6].attended_last.abs() < 1e-9);
    }

    #[test]
    fn items_that_keep_the_last_one_s_company_are_like_it_and_others_are_not() {
        let (mut attention, mut company) = (Attention::new(), vec![Company::default(); 10]);
        read(&mut attention, &mut company, Some(0), &[(1, 16), (2, 64)]);
        // The item at position 1 has no document.
        read(&mut attention, &mut company, Some(2), &[(1, 32), (2, 128)]);
        read(&mut attention, &mut company, Some(3), &[(7, 16)]);
        attention.settle(&mut company);
        let like = [0, 1, 2, 3, 4].map(|position| attention.like_last(position));
        assert!(
            like.iter().zip([1.0, 0.0, 1.0, 0.0, 0.0]).all(|(like, expected)| (like - expected).abs() < 1e-5),
            "{like:?}"
        );
    }

    #[test]
    fn of_nothing_comes_nothing() {
        let (mut attention, mut company) = (Attention::new(), vec![Company::default(); 3]);
        attention.settle(&mut company);
        read(&mut attention, &mut company, None, &[(1, 16)]);
        read(&mut attention, &mut company, None, &[]);
        let (mut attention, mut company_of_zeros) = (Attention::new(), vec![Company::default(); 3]);
        read(&mut attention, &mut company_of_zeros, Some(0), &[(1, 0)]);
        attention.settle(&mut company_of_zeros);
        let all = company.iter().chain(&company_of_zeros);
        assert!(all.flat_map(|company| [company.attended, company.attended_last]).all(|sum| sum == 0.0));
    }
}
