//! Sessions that go on at the same time: data sets list one after the other, a shop sees them mixed.

use std::collections::VecDeque;
use std::iter::Peekable;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::simulate::dataset::{DatasetError, Visit};

/// Mixes runs of rows of one person, each person's rows in order; the same mix every time.
pub(super) struct Interleave<I: Iterator<Item = Result<Visit, DatasetError>>> {
    rows: Peekable<I>,
    at_once: usize,
    open: Vec<VecDeque<Visit>>,
    failed: Option<DatasetError>,
    random: StdRng,
}

impl<I: Iterator<Item = Result<Visit, DatasetError>>> Interleave<I> {
    /// `at_once` sessions at the same time; 1: in the order of `rows`.
    pub(super) fn new(rows: I, at_once: usize) -> Self {
        Self {
            rows: rows.peekable(),
            at_once: at_once.max(1),
            open: Vec::new(),
            failed: None,
            random: StdRng::seed_from_u64(1),
        }
    }

    /// Opens the next session, or goes on with one that its person still has open.
    fn open_next(&mut self) -> bool {
        let first = match self.rows.next() {
            Some(Ok(first)) => first,
            Some(Err(error)) => {
                self.failed = Some(error);
                return false;
            }
            None => return false,
        };
        let mut session = VecDeque::new();
        while let Some(row) = self.rows.next_if(|row| row.as_ref().is_ok_and(|row| row.user == first.user)) {
            session.extend(row);
        }
        session.push_front(first);
        let same =
            self.open.iter_mut().find(|open| open.front().map(|row| &row.user) == session.front().map(|r| &r.user));
        match same {
            Some(open) => open.extend(session),
            None => self.open.push(session),
        }
        true
    }
}

impl<I: Iterator<Item = Result<Visit, DatasetError>>> Iterator for Interleave<I> {
    type Item = Result<Visit, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.open.len() < self.at_once && self.failed.is_none() && self.open_next() {}
        if self.open.is_empty() {
            return self.failed.take().map(Err);
        }
        let place = self.random.random_range(0..self.open.len());
        let row = self.open[place].pop_front();
        if self.open[place].is_empty() {
            self.open.swap_remove(place);
        }
        row.map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use freshet_events::EventType;

    fn rows(users: &[u32]) -> Vec<Visit> {
        let row = |(item, user): (usize, &u32)| Visit {
            user: user.to_string(),
            item: item.to_string(),
            event_type: EventType::ProductView,
        };
        users.iter().enumerate().map(row).collect()
    }

    #[test]
    fn sessions_are_mixed_and_each_persons_rows_stay_in_order() {
        let given = rows(&(0..300).flat_map(|user| vec![user % 200; 3 + user as usize % 5]).collect::<Vec<_>>());
        let mix = |at_once| {
            Interleave::new(given.clone().into_iter().map(Ok), at_once).collect::<Result<Vec<_>, _>>().unwrap()
        };
        assert_eq!(mix(1), given);
        let mixed = mix(50);
        let of = |rows: &[Visit], user: u32| {
            rows.iter().filter(|row| row.user == user.to_string()).cloned().collect::<Vec<_>>()
        };
        (0..200).for_each(|user| assert_eq!(of(&mixed, user), of(&given, user)));
        let switches = mixed.windows(2).filter(|pair| pair[0].user != pair[1].user).count();
        assert!(switches * 10 > mixed.len() * 9, "{switches} switches in {} rows", mixed.len());
    }
}
