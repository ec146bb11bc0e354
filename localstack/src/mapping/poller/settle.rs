//! What an answer means: what is done, what comes again, what is given up.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::{Poller, QUIET, positions};
use crate::functions::Outcome;
use crate::mapping::answer;
use crate::mapping::batcher::{Batch, Part};
use crate::mapping::ledger::Failed;
use crate::mapping::on_failure::{Condition, give_up};
use crate::mapping::record::Record;

impl Poller {
    /// Books an answer and commits what it covers.
    pub(super) fn settle(&mut self, batch: Batch, outcome: &Outcome) {
        self.forget_lost();
        let again = self.judge(&batch, outcome);
        let (records, filtered) = (batch.delivered() as u64, batch.filtered(&again) as u64);
        let retried = again.iter().any(|records| !records.is_empty());
        self.status.update(|status| {
            status.batches += u64::from(records > 0 && !retried);
            status.records += records;
            status.filtered += filtered;
            status.retries += u64::from(retried);
        });
        // What failed as a whole comes again as a whole; named failures are each partition's own affair.
        let is_whole = again.iter().map(Vec::len).sum::<usize>() == batch.len();
        let group = self.next_id();
        for (part, again) in batch.parts.into_iter().zip(again) {
            let group = if is_whole { group } else { self.next_id() };
            self.book(&part, again, outcome, group, batch.failures);
        }
        self.commit();
    }

    /// Books one partition's part of an answer.
    fn book(&mut self, part: &Part, again: Vec<Record>, outcome: &Outcome, group: u64, failures: u32) {
        let halves = [self.next_id(), self.next_id()];
        let Some(ledger) = self.ledgers.get_mut(&part.partition) else { return };
        if ledger.epoch != part.epoch {
            ledger.in_flight = false;
            return;
        }
        let Some(first) = part.records.first() else { return };
        let Some(lowest) = again.first().map(|record| record.offset) else { return ledger.done(part.end) };
        let failed_as_a_whole = matches!(outcome, Outcome::FunctionError(_)) && again.len() > 1;
        if self.mapping.bisect_on_error && failed_as_a_whole {
            return ledger.halve(again, part.end, halves, failures, Instant::now());
        }
        let progress = lowest > first.offset;
        let failures = if progress { 1 } else { failures + u32::from(!matches!(outcome, Outcome::Throttled(_))) };
        if self.mapping.maximum_retry_attempts.is_some_and(|most| failures > most) {
            let part = Part { records: again, ..*part };
            self.give_up(part, Condition::RetryAttemptsExhausted, failures);
        } else {
            ledger.again(again, part.end, Failed { group, failures, progress }, Instant::now());
        }
    }

    /// The partition stays in flight until that is settled.
    pub(super) fn give_up(&mut self, part: Part, condition: Condition, invocations: u32) {
        self.status.update(|status| status.given_up += part.delivered() as u64);
        let (destination, batcher) = (self.destination.clone(), Arc::clone(&self.batcher));
        let id = self.mapping.id.clone();
        self.giving_up.push(Box::pin(give_up(destination, batcher, id, part, condition, invocations)));
    }

    pub(super) fn given_up(&mut self, part: &Part) {
        self.forget_lost();
        let Some(ledger) = self.ledgers.get_mut(&part.partition) else { return };
        if ledger.epoch == part.epoch {
            ledger.done(part.end);
            self.commit();
        } else {
            ledger.in_flight = false;
        }
    }

    pub(super) fn commit(&self) {
        if let Some(source) = &self.source {
            source.commit(positions(&self.ledgers));
        }
    }

    /// What of each part comes again.
    fn judge(&mut self, batch: &Batch, outcome: &Outcome) -> Vec<Vec<Record>> {
        let problem = match outcome {
            Outcome::Response(payload) if self.mapping.report_batch_item_failures => {
                match answer::failed(payload, batch, &self.batcher, self.options.partial_failures) {
                    Some(again) => {
                        let failed: usize = again.iter().map(Vec::len).sum();
                        let result =
                            if failed == 0 { "OK".to_owned() } else { format!("PROBLEM: {failed} records failed") };
                        self.status.update(|status| status.last_processing_result = result);
                        return again;
                    }
                    None => "the answer names records that are not in the batch, or is no answer".to_owned(),
                }
            }
            Outcome::Response(_) => {
                self.status.update(|status| "OK".clone_into(&mut status.last_processing_result));
                return batch.parts.iter().map(|_| Vec::new()).collect();
            }
            Outcome::FunctionError(error) => format!("the function failed: {}", shortened(error)),
            Outcome::Throttled(reason) => {
                self.scaling.note_throttle();
                format!("throttled: {reason}")
            }
        };
        self.problem(&problem);
        batch.parts.iter().map(|part| part.records.clone()).collect()
    }

    pub(super) fn problem(&mut self, what: &str) {
        let now = Instant::now();
        let told = self.told.as_ref().is_some_and(|(last, at)| last == what && now.duration_since(*at) < QUIET);
        if !told {
            tracing::warn!(mapping = self.mapping.id, "{what}");
            self.told = Some((what.to_owned(), now));
        }
        self.status.update(|status| status.last_processing_result = format!("PROBLEM: {what}"));
    }
}

fn shortened(error: &Bytes) -> String {
    String::from_utf8_lossy(error).chars().take(300).collect()
}
