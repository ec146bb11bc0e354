//! What of one partition is waiting, in flight, done; hence what may be committed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::record::Record;

/// Between two attempts: doubling from the first to the last.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LAST_BACKOFF: Duration = Duration::from_secs(10);

/// Records that failed. They stand at the front of what is waiting and come again together, without newer ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Retry {
    /// What failed as one batch comes again as one batch.
    pub(super) group: u64,
    /// How many records of this partition.
    pub(super) len: usize,
    /// Invocations that failed.
    pub(super) failures: u32,
    /// What is done once these are.
    pub(super) end: i64,
    not_before: Instant,
}

/// How a batch failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed {
    /// What failed as one batch comes again as one batch.
    pub(super) group: u64,
    /// Invocations of these records that failed.
    pub(super) failures: u32,
    /// Some of its records were done.
    pub(super) progress: bool,
}

/// What became of a record that was pushed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits.
    New,
    /// It had come before.
    Known,
    /// The log has begun anew below what is done: the topic was made again, or lost its end. The record was not taken.
    Rewound(Record),
}

/// One partition's books. At most one batch of it is in flight.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Tells this assignment of the partition from an earlier one.
    pub(super) epoch: u64,
    /// Records to deliver, in order: what failed comes before what was fetched since.
    waiting: VecDeque<Record>,
    waiting_bytes: usize,
    /// A batch of it is being invoked or given up, of this epoch or an earlier one.
    pub(super) in_flight: bool,
    /// Attempts in a row without progress, throttled ones included.
    tries: u32,
    /// What comes again, in order: it stands at the front of `waiting`.
    retries: VecDeque<Retry>,
    /// One after the last record that was ever fetched.
    fetched_to: i64,
    /// One after the last record that is done with everything before it.
    pub(super) position: Option<i64>,
}

impl Ledger {
    pub(super) fn new(epoch: u64) -> Self {
        Self { epoch, ..Self::default() }
    }

    /// Clean books of a partition whose earlier assignment has left a batch in flight.
    pub(super) fn held_up(epoch: u64) -> Self {
        Self { epoch, in_flight: true, ..Self::default() }
    }

    /// Takes a fetched record.
    pub(super) fn push(&mut self, record: Record) -> Pushed {
        if self.position.is_some_and(|position| record.offset < position) {
            return Pushed::Rewound(record);
        }
        // A fetch that was repeated after an outage brings nothing new.
        if record.offset < self.fetched_to {
            return Pushed::Known;
        }
        self.fetched_to = record.offset + 1;
        self.waiting_bytes += record.json.len();
        self.waiting.push_back(record);
        Pushed::New
    }

    /// May its records go into a batch now?
    pub(super) fn is_free(&self, now: Instant) -> bool {
        !self.in_flight && !self.waiting.is_empty() && self.retries.front().is_none_or(|retry| retry.not_before <= now)
    }

    /// What comes again next, where something does.
    pub(super) fn retry(&self) -> Option<Retry> {
        self.retries.front().copied()
    }

    /// The records of the next retry, on their way into a batch.
    pub(super) fn pop_retry(&mut self) -> Vec<Record> {
        let len = self.retries.pop_front().map_or(0, |retry| retry.len);
        (0..len).filter_map(|_| self.pop()).collect()
    }

    /// The records at the front that are older than `oldest_ms`, what comes again among them; and what is done once these are.
    pub(super) fn pop_expired(&mut self, oldest_ms: i64) -> (Vec<Record>, i64) {
        let (mut expired, mut end) = (Vec::new(), 0);
        while self.front().is_some_and(|record| record.is_before(oldest_ms)) {
            let Some(record) = self.pop() else { break };
            end = record.offset + 1;
            expired.push(record);
            if let Some(retry) = self.retries.front_mut() {
                retry.len -= 1;
                if retry.len == 0 {
                    end = retry.end;
                    self.retries.pop_front();
                }
            }
        }
        (expired, end)
    }

    pub(super) fn backlog(&self) -> (usize, usize) {
        (self.waiting.len(), self.waiting_bytes)
    }

    /// When what failed comes again.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.retry().filter(|_| !self.in_flight && !self.waiting.is_empty()).map(|retry| retry.not_before)
    }

    pub(super) fn front(&self) -> Option<&Record> {
        self.waiting.front()
    }

    /// The next record, on its way into a batch.
    pub(super) fn pop(&mut self) -> Option<Record> {
        let record = self.waiting.pop_front()?;
        self.waiting_bytes -= record.json.len();
        Some(record)
    }

    /// The batch in flight is done up to `end` (exclusive).
    pub(super) fn done(&mut self, end: i64) {
        self.in_flight = false;
        self.tries = 0;
        self.position = Some(end);
    }

    /// Of the batch in flight, which ends at `end`, `records` (in order, at least one) come again.
    pub(super) fn again(&mut self, records: Vec<Record>, end: i64, failed: Failed, now: Instant) {
        self.tries = if failed.progress { 1 } else { self.tries.saturating_add(1) };
        let backoff = FIRST_BACKOFF * 2_u32.saturating_pow((self.tries - 1).min(16));
        let not_before = now + backoff.min(LAST_BACKOFF);
        let (group, failures) = (failed.group, failed.failures);
        self.retries.push_front(Retry { group, len: records.len(), failures, end, not_before });
        self.put_back(records);
    }

    /// The batch in flight, which ends at `end`, of `records` (in order, at least two), comes again as two, each of a group of its
    /// own, at once: what is wrong with it is being looked for, so this is no attempt of its own.
    pub(super) fn halve(&mut self, records: Vec<Record>, end: i64, groups: [u64; 2], failures: u32, now: Instant) {
        self.tries = 0;
        let first = records.len() / 2;
        let middle = records.get(first).map_or(end, |record| record.offset);
        for (group, len, end) in [(groups[1], records.len() - first, end), (groups[0], first, middle)] {
            self.retries.push_front(Retry { group, len, failures, end, not_before: now });
        }
        self.put_back(records);
    }

    /// The batch in flight is over, and these of it (in order) wait again.
    fn put_back(&mut self, records: Vec<Record>) {
        self.in_flight = false;
        // Never above the lowest record that is not done.
        self.position = records.first().map(|record| record.offset).or(self.position);
        for record in records.into_iter().rev() {
            self.waiting_bytes += record.json.len();
            self.waiting.push_front(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: i64) -> Record {
        Record { offset, json: "x".repeat(10), at_ms: offset, came: Instant::now() }
    }

    #[test]
    fn what_may_be_committed_never_passes_the_lowest_record_that_is_not_done() {
        let now = Instant::now();
        let mut ledger = Ledger::new(1);
        (0..6).for_each(|offset| assert_eq!(ledger.push(record(offset)), Pushed::New));
        let batch: Vec<Record> = (0..4).filter_map(|_| ledger.pop()).collect();
        ledger.in_flight = true;
        assert!(!ledger.is_free(now));
        let failed = Failed { group: 7, failures: 1, progress: true };
        ledger.again(batch.into_iter().filter(|r| r.offset == 1 || r.offset == 2).collect(), 4, failed, now);
        assert_eq!(ledger.position, Some(1));
        assert!(!ledger.is_free(now), "it waits before it tries again");
        let later = now + Duration::from_secs(1);
        assert!(ledger.is_free(later));
        assert_eq!(ledger.retry().map(|retry| retry.len), Some(2), "newer ones wait until it is done");
        let offsets = |records: Vec<Record>| records.into_iter().map(|record| record.offset).collect::<Vec<_>>();
        let end = ledger.retry().map(|retry| retry.end);
        assert_eq!((offsets(ledger.pop_retry()), end), (vec![1, 2], Some(4)), "3 is done already");
        ledger.done(4);
        assert_eq!(offsets(std::iter::from_fn(|| ledger.pop()).collect()), [4, 5]);
        ledger.done(6);
        assert_eq!((ledger.position, ledger.backlog(), ledger.retry()), (Some(6), (0, 0), None));
    }

    #[test]
    fn halves_come_again_one_after_the_other_and_old_records_leave_them() {
        let (now, mut ledger) = (Instant::now(), Ledger::new(1));
        (0..6).for_each(|offset| drop(ledger.push(record(offset))));
        let batch: Vec<Record> = (0..5).filter_map(|_| ledger.pop()).collect();
        ledger.halve(batch, 5, [7, 8], 0, now);
        assert_eq!((ledger.position, ledger.retry().map(|retry| (retry.group, retry.len))), (Some(0), Some((7, 2))));
        let first = ledger.pop_retry();
        ledger.halve(first, 2, [9, 10], 0, now);
        let groups: Vec<_> = ledger.retries.iter().map(|retry| (retry.group, retry.len, retry.end)).collect();
        assert_eq!(groups, [(9, 1, 1), (10, 1, 2), (8, 3, 5)]);
        let (expired, end) = ledger.pop_expired(3);
        let expired: Vec<i64> = expired.into_iter().map(|record| record.offset).collect();
        assert_eq!((expired, end), (vec![0, 1, 2], 3), "their own times are their offsets");
        assert_eq!(ledger.retry().map(|retry| (retry.group, retry.len)), Some((8, 2)));
        assert_eq!(ledger.pop_retry().len(), 2);
        assert_eq!((ledger.retry(), ledger.pop().map(|record| record.offset)), (None, Some(5)));
    }

    #[test]
    fn a_repeated_fetch_delivers_nothing_twice_and_a_rewound_log_is_noticed() {
        let mut ledger = Ledger::new(1);
        let pushed = [3, 4, 3, 4, 5].map(|offset| ledger.push(record(offset)));
        assert_eq!(pushed, [Pushed::New, Pushed::New, Pushed::Known, Pushed::Known, Pushed::New]);
        while ledger.pop().is_some() {}
        ledger.done(6);
        assert!(matches!(ledger.push(record(0)), Pushed::Rewound(_)));
    }
}
