//! Recommenders on the same events, one after the other, with a bar and an end by Ctrl-C.

use std::ops::ControlFlow;

use anyhow::Context as _;
use freshet_evaluation::{Dataset, Figures, Recommender, prequential, split};
use tokio_util::sync::CancellationToken;

use crate::args::Protocol;
use crate::output::{self, thousands};
use crate::style::{WARN, paint};

/// How they are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// Who is asked when.
    pub(crate) protocol: Protocol,
    /// Only products that the person never had to do with.
    pub(crate) new_only: bool,
}

/// A recommender and what it is called.
pub(crate) type Contender<'d> = (String, Box<dyn Recommender + 'd>);

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// By name, in the order of the contenders; those that were never asked are missing.
    pub(crate) figures: Vec<(String, Figures)>,
    /// Where somebody stopped it: the last one's events that were done, and all there are.
    pub(crate) stopped: Option<(u64, u64)>,
}

impl Judged {
    /// Says on stderr how far it came, where it was stopped.
    pub(crate) fn say_stopped(&self) {
        if let (Some((done, total)), Some((name, _))) = (self.stopped, self.figures.last()) {
            let (done, total) = (thousands(done), thousands(total));
            let text = format!("stopped: the figures of {name} are of the first {done} of {total} events");
            anstream::eprintln!("{}", paint(WARN, text));
        }
    }
}

/// Judges them. Blocking: call it where blocking is allowed.
///
/// # Errors
/// The data set has no split, and the protocol needs one.
pub(crate) fn judge<'d>(
    dataset: &'d Dataset,
    contenders: impl IntoIterator<Item = Contender<'d>>,
    manner: Manner,
    stop: &CancellationToken,
) -> anyhow::Result<Judged> {
    let mut judged = Judged::default();
    let bar = output::bar(Some(dataset.events.len() as u64), "");
    for (name, mut recommender) in contenders {
        bar.reset();
        bar.set_prefix(name.clone());
        let mut stopped = None;
        let mut progress = |done: u64, total: u64| {
            bar.set_position(done);
            if stop.is_cancelled() && done < total {
                stopped = Some((done, total));
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let figures = match manner.protocol {
            Protocol::Prequential => prequential(dataset, &mut *recommender, manner.new_only, &mut progress),
            Protocol::Split => {
                split(dataset, &mut *recommender, manner.new_only, &mut progress).context("--protocol split")?
            }
        };
        judged.figures.push((name, figures));
        judged.stopped = stopped;
        if stop.is_cancelled() {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(judged)
}
