//! Visits that are alike, and what they held: what V-SKNN and VMIS-kNN share.

use std::collections::VecDeque;

use super::background::Background;
use super::people::push;
use crate::{Dataset, Event, Request, TOP};

/// No visit.
const NONE: u32 = u32::MAX;

/// What makes one method of the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    /// So many visits are neighbours.
    pub(super) neighbours: usize,
    /// So many of the last visits are looked at, in all and of each item.
    pub(super) sample: usize,
    /// What the item at `position` (from 1) of `length` of the present visit adds to the likeness of a visit that has it.
    pub(super) likeness: fn(position: usize, length: usize) -> f64,
    /// What a neighbour counts whose latest shared item is `steps` (from 1) back.
    pub(super) match_weight: fn(steps: usize) -> f64,
    /// Do items of many visits count less, by ln(visits / visits with the item)?
    pub(super) idf: bool,
}

/// A visit that may be a neighbour.
#[derive(Debug, Clone, Default)]
struct Visit {
    /// Each once, in order of their first coming.
    items: Vec<u32>,
    /// Number of its last event.
    last: u64,
}

/// The visits, the index of them, and room to compute in.
pub(super) struct Neighbours {
    method: Method,
    background: Background,
    visits: Vec<Visit>,
    /// By item: its last visits.
    of_item: Vec<VecDeque<u32>>,
    /// By item: how many visits ever had it.
    frequency: Vec<u32>,
    /// By person: the present visit's number.
    present: Vec<u32>,
    events: u64,
    /// By visit: likeness and steps to the latest shared item; zero but during a request.
    likeness: Vec<(f64, usize)>,
    candidates: Vec<u32>,
    /// By item; zero but during a request.
    scores: Vec<f64>,
    scored: Vec<(u32, f64)>,
}

impl Neighbours {
    pub(super) fn new(dataset: &Dataset, method: Method) -> Self {
        Self {
            method,
            background: Background::new(dataset),
            visits: Vec::new(),
            of_item: vec![VecDeque::new(); dataset.items.len()],
            frequency: vec![0; dataset.items.len()],
            present: vec![NONE; dataset.users.len()],
            events: 0,
            likeness: Vec::new(),
            candidates: Vec::new(),
            scores: vec![0.0; dataset.items.len()],
            scored: Vec::new(),
        }
    }

    pub(super) fn recommend(&mut self, request: &Request, list: &mut Vec<u32>) -> usize {
        self.find(request.user);
        self.score();
        let Self { background, scored, .. } = self;
        // Items that were had may head the order
        scored.retain(|(item, _)| background.allows(request, *item));
        background.take(request, best(scored, TOP), list);
        background.fill(request, list)
    }

    pub(super) fn learn(&mut self, event: &Event) {
        let (user, item) = (event.user as usize, event.item as usize);
        let begins = self.background.learn(event);
        self.events += 1;
        if begins || self.present[user] == NONE {
            self.present[user] = self.visits.len() as u32;
            self.visits.push(Visit::default());
            self.likeness.push((0.0, 0));
        }
        let number = self.present[user];
        let visit = &mut self.visits[number as usize];
        visit.last = self.events;
        if !visit.items.contains(&event.item) {
            visit.items.push(event.item);
            self.frequency[item] += 1;
            push(&mut self.of_item[item], self.method.sample, number);
        }
    }

    pub(super) fn follow(&mut self, event: &Event) {
        if self.background.follow(event) {
            self.present[event.user as usize] = NONE;
        }
    }

    /// Leaves the neighbours in `candidates`, the likest first, with their `likeness`.
    fn find(&mut self, user: u32) {
        self.candidates.clear();
        let Some(person) = self.background.person(user) else { return };
        let own = self.present.get(user as usize).copied().unwrap_or(NONE);
        let length = person.visit.len();
        // The latest item first, so that a visit's first match is the latest shared item; an item counts at its latest place
        for (back, item) in person.visit.iter().rev().enumerate() {
            if person.visit.iter().rev().take(back).any(|later| later == item) {
                continue;
            }
            let weight = (self.method.likeness)(length - back, length);
            if weight <= 0.0 {
                continue;
            }
            for number in self.of_item.get(*item as usize).into_iter().flatten().filter(|number| **number != own) {
                let (likeness, steps) = &mut self.likeness[*number as usize];
                if *steps == 0 {
                    *steps = back + 1;
                    self.candidates.push(*number);
                }
                *likeness += weight;
            }
        }
        let Self { candidates, visits, likeness, method, .. } = self;
        let recency = |number: &u32| std::cmp::Reverse(visits[*number as usize].last);
        let mut forget = |numbers: &[u32]| numbers.iter().for_each(|number| likeness[*number as usize] = (0.0, 0));
        if candidates.len() > method.sample {
            candidates.select_nth_unstable_by_key(method.sample, recency);
            forget(&candidates[method.sample..]);
            candidates.truncate(method.sample);
        }
        let order = |likeness: &[(f64, usize)], a: &u32, b: &u32| {
            let of = |number: &u32| likeness[*number as usize].0;
            of(b).total_cmp(&of(a)).then_with(|| recency(a).cmp(&recency(b)))
        };
        if candidates.len() > method.neighbours {
            candidates.select_nth_unstable_by(method.neighbours, |a, b| order(likeness, a, b));
            candidates[method.neighbours..].iter().for_each(|number| likeness[*number as usize] = (0.0, 0));
            candidates.truncate(method.neighbours);
        }
        // Sums of floating point numbers depend on their order
        candidates.sort_unstable_by(|a, b| order(likeness, a, b));
    }

    /// Leaves the neighbours' items with their scores in `scored`.
    fn score(&mut self) {
        self.scored.clear();
        let count = self.visits.len() as f64;
        for number in &self.candidates {
            let (likeness, steps) = std::mem::take(&mut self.likeness[*number as usize]);
            let weight = likeness * (self.method.match_weight)(steps);
            for item in &self.visits[*number as usize].items {
                let at = *item as usize;
                if self.scores[at] == 0.0 {
                    self.scored.push((*item, 0.0));
                }
                self.scores[at] +=
                    if self.method.idf { weight * (count / f64::from(self.frequency[at])).ln() } else { weight };
            }
        }
        for (item, score) in &mut self.scored {
            *score = std::mem::take(&mut self.scores[*item as usize]);
        }
        self.scored.retain(|(_, score)| *score > 0.0);
    }
}

/// The best `most` by score, the best first, of equal ones the lowest number first.
pub(super) fn best(scored: &mut [(u32, f64)], most: usize) -> impl Iterator<Item = u32> {
    let order = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    let most = most.min(scored.len());
    if most > 0 && most < scored.len() {
        scored.select_nth_unstable_by(most, order);
    }
    scored[..most].sort_unstable_by(order);
    scored[..most].iter().map(|(item, _)| *item)
}
