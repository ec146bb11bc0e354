//! What of one partition is waiting, in flight, done; hence what may be committed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::record::Record;

/// Between two attempts: doubling from the first to the last.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LAST_BACKOFF: Duration = Duration::from_secs(10);

/// One partition's books. At most one batch of it is in flight.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Tells this assignment of the partition from an earlier one.
    pub(super) epoch: u64,
    /// Records to deliver, in order: what failed comes before what was fetched since.
    waiting: VecDeque<Record>,
    waiting_bytes: usize,
    /// When the first waiting record came.
    since: Option<Instant>,
    pub(super) in_flight: bool,
    attempts: u32,
    not_before: Option<Instant>,
    /// Fetching stands still until the backlog is worked off.
    pub(super) paused: bool,
    /// One after the last record that was ever fetched.
    fetched_to: i64,
    /// One after the last record that is done with everything before it.
    pub(super) position: Option<i64>,
}

impl Ledger {
    pub(super) fn new(epoch: u64) -> Self {
        Self { epoch, ..Self::default() }
    }

    /// Takes a fetched record.
    pub(super) fn push(&mut self, record: Record, now: Instant) {
        // A fetch that was repeated after a pause or an outage brings nothing new.
        if record.offset < self.fetched_to {
            return;
        }
        self.fetched_to = record.offset + 1;
        self.waiting_bytes += record.json.len();
        self.since.get_or_insert(now);
        self.waiting.push_back(record);
    }

    /// May its records go into a batch now?
    pub(super) fn is_free(&self, now: Instant) -> bool {
        !self.in_flight && !self.waiting.is_empty() && self.not_before.is_none_or(|at| at <= now)
    }

    pub(super) fn backlog(&self) -> (usize, usize) {
        (self.waiting.len(), self.waiting_bytes)
    }

    pub(super) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// When it becomes free by itself.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.not_before.filter(|_| !self.in_flight && !self.waiting.is_empty())
    }

    pub(super) fn peek_bytes(&self) -> Option<usize> {
        self.waiting.front().map(|record| record.json.len())
    }

    /// The next record, on its way into a batch.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Record> {
        let record = self.waiting.pop_front()?;
        self.waiting_bytes -= record.json.len();
        self.since = (!self.waiting.is_empty()).then_some(now);
        Some(record)
    }

    /// The batch is answered: `again` (in order) come again, the rest up to `end` (exclusive) is done.
    pub(super) fn settle(&mut self, again: Vec<Record>, end: i64, now: Instant) {
        self.in_flight = false;
        if again.is_empty() {
            self.attempts = 0;
            self.not_before = None;
            self.position = Some(end);
            return;
        }
        // Never above the lowest record that is not done.
        self.position = again.first().map(|record| record.offset);
        let backoff = FIRST_BACKOFF * 2_u32.saturating_pow(self.attempts.min(16));
        self.not_before = Some(now + backoff.min(LAST_BACKOFF));
        self.attempts = self.attempts.saturating_add(1);
        self.since = Some(now);
        for record in again.into_iter().rev() {
            self.waiting_bytes += record.json.len();
            self.waiting.push_front(record);
        }
    }

    /// A record that can never be delivered is passed over.
    pub(super) fn skip(&mut self, offset: i64) {
        self.position = Some(offset + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: i64) -> Record {
        Record { offset, json: "x".repeat(10) }
    }

    #[test]
    fn what_may_be_committed_never_passes_the_lowest_record_that_is_not_done() {
        let now = Instant::now();
        let mut ledger = Ledger::new(1);
        (0..6).for_each(|offset| ledger.push(record(offset), now));
        let batch: Vec<Record> = (0..4).filter_map(|_| ledger.pop(now)).collect();
        ledger.in_flight = true;
        assert!(!ledger.is_free(now));
        ledger.settle(batch.into_iter().filter(|r| r.offset == 1 || r.offset == 3).collect(), 4, now);
        assert_eq!(ledger.position, Some(1));
        assert!(!ledger.is_free(now), "it waits before it tries again");
        let later = now + Duration::from_secs(1);
        assert!(ledger.is_free(later));
        let order: Vec<i64> = std::iter::from_fn(|| ledger.pop(later)).map(|r| r.offset).collect();
        assert_eq!(order, [1, 3, 4, 5]);
        ledger.settle(Vec::new(), 6, later);
        assert_eq!((ledger.position, ledger.backlog()), (Some(6), (0, 0)));
    }

    #[test]
    fn a_repeated_fetch_delivers_nothing_twice() {
        let now = Instant::now();
        let mut ledger = Ledger::new(1);
        [3, 4, 3, 4, 5].into_iter().for_each(|offset| ledger.push(record(offset), now));
        assert_eq!(ledger.backlog().0, 3);
    }
}
