//! Who is asked when, and what is taught.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::Instant;

use crate::figures::Tally;
use crate::{Dataset, Event, Figures, Part, Recommender, Request, TOP};

/// Events between two calls of the progress.
const EVERY: u64 = 1_000;

/// Is told how many of how many events are done; `Break` ends the run, and the figures are of what was done.
pub type Progress<'a> = dyn FnMut(u64, u64) -> ControlFlow<()> + 'a;

/// Why a data set can't be judged by [`split`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSplit {
    /// It does not say what is train and what is test.
    #[error("expected a data set with a column split (train or test), got one without")]
    NoColumn,
    /// There is nothing to learn from, or nothing to predict.
    #[error("expected rows of both train and test, got {train} of train and {test} of test")]
    OneSided {
        /// Rows to learn from.
        train: usize,
        /// Rows to predict.
        test: usize,
    },
}

/// Test, then train, in order (Dawid 1984; Gama, Sebastião and Rodrigues 2013, "On evaluating stream learning algorithms"): every
/// event of a person who has an earlier one is first predicted, then learned; a person's first event is only learned.
///
/// `new_only`: events whose item the person had before are learned but not predicted, and lists are asked for without such items.
pub fn prequential(
    dataset: &Dataset,
    recommender: &mut dyn Recommender,
    new_only: bool,
    progress: &mut Progress,
) -> Figures {
    let mut run = Run::new(dataset, recommender, new_only, dataset.events.len(), progress);
    for event in &dataset.events {
        run.predict(event);
        run.learn(event);
        if run.step(event).is_break() {
            break;
        }
    }
    run.figures()
}

/// Learns all rows of `train` in order, then stands still: every row of `test` whose person has an earlier one, in train or in
/// test, is predicted and then followed. `new_only` as in [`prequential`].
///
/// # Errors
/// The data set has no split, or no rows of one part.
pub fn split(
    dataset: &Dataset,
    recommender: &mut dyn Recommender,
    new_only: bool,
    progress: &mut Progress,
) -> Result<Figures, NoSplit> {
    if !dataset.has_split {
        return Err(NoSplit::NoColumn);
    }
    let of = |part: Part| dataset.events.iter().filter(move |event| event.part == part);
    let (train, test) = (of(Part::Train).count(), of(Part::Test).count());
    if train == 0 || test == 0 {
        return Err(NoSplit::OneSided { train, test });
    }
    let mut run = Run::new(dataset, recommender, new_only, train + test, progress);
    for event in of(Part::Train).chain(of(Part::Test)) {
        if event.part == Part::Train {
            run.learn(event);
        } else {
            run.predict(event);
            run.recommender.follow(event);
        }
        if run.step(event).is_break() {
            break;
        }
    }
    Ok(run.figures())
}

/// One recommender on its way through the events.
struct Run<'a, 'p> {
    recommender: &'a mut dyn Recommender,
    progress: &'a mut Progress<'p>,
    new_only: bool,
    started: Instant,
    done: u64,
    total: u64,
    /// Who has an event already, by number.
    known: Vec<bool>,
    /// Who had to do with what; kept for `new_only` alone.
    had: HashSet<(u32, u32)>,
    list: Vec<u32>,
    tally: Tally,
}

impl<'a, 'p> Run<'a, 'p> {
    fn new(
        dataset: &Dataset,
        recommender: &'a mut dyn Recommender,
        new_only: bool,
        total: usize,
        progress: &'a mut Progress<'p>,
    ) -> Self {
        Self {
            recommender,
            progress,
            new_only,
            started: Instant::now(),
            done: 0,
            total: total as u64,
            known: vec![false; dataset.users.len()],
            had: HashSet::new(),
            list: Vec::with_capacity(TOP),
            tally: Tally::new(dataset.items.len()),
        }
    }

    fn predict(&mut self, event: &Event) {
        if !self.known[event.user as usize] || self.new_only && self.had.contains(&(event.user, event.item)) {
            return;
        }
        let request = Request { user: event.user, at_ms: event.at_ms, new_only: self.new_only };
        self.list.clear();
        let started = Instant::now();
        let fallback = self.recommender.recommend(&request, &mut self.list);
        let took = started.elapsed();
        self.list.truncate(TOP);
        self.tally.prediction(&self.list, event.item, fallback, took);
    }

    fn learn(&mut self, event: &Event) {
        self.recommender.reflect(event);
        let started = Instant::now();
        self.recommender.learn(event);
        self.tally.learned(started.elapsed());
    }

    /// The event is over.
    fn step(&mut self, event: &Event) -> ControlFlow<()> {
        self.known[event.user as usize] = true;
        if self.new_only {
            self.had.insert((event.user, event.item));
        }
        self.tally.seen(event.item);
        self.done += 1;
        if self.done.is_multiple_of(EVERY) || self.done == self.total {
            return (self.progress)(self.done, self.total);
        }
        ControlFlow::Continue(())
    }

    fn figures(self) -> Figures {
        self.tally.figures(self.started.elapsed(), self.recommender.item_writes(), self.recommender.bytes())
    }
}
