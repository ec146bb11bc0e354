//! All that is shown: what came in, and what came of it.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use freshet_stream::groups::GroupState;

use super::figures::Figures;
use super::filter::Filter;
use super::incoming::{Dead, Incoming};
use super::join::{Join, Joined, Outcome};
use super::line::{Line, What};
use super::names::{Name, Names};
use super::reader::News;

/// Lines that can be scrolled back to.
pub(crate) const MAX_LINES: usize = 10_000;
/// Dead letters that are kept.
const MAX_DEAD: usize = 100;

/// How it stands with Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// The metrics from before the start are still being read.
    CatchingUp,
    /// All there is was read.
    Live,
    /// No broker answers.
    Away(String),
}

/// What is known.
#[derive(Debug)]
pub(crate) struct State {
    /// Lines, the oldest first.
    lines: VecDeque<Line>,
    /// The number of the first of them.
    first: u64,
    /// Lines that wait for their outcome, by event.
    open: HashMap<String, u64>,
    join: Join,
    names: Names,
    /// The figures.
    pub(crate) figures: Figures,
    /// Do they go back to the beginning of the topic?
    pub(crate) whole_history: bool,
    /// Dead letters, the newest first.
    pub(crate) dead: VecDeque<Dead>,
    /// Groups and their lag.
    pub(crate) groups: Vec<GroupState>,
    /// How it stands.
    pub(crate) link: Link,
    caught_up: bool,
    /// Events and lists that came since the start.
    pub(crate) seen: (u64, u64),
}

impl State {
    /// Nothing yet.
    pub(crate) fn new(whole_history: bool) -> Self {
        Self {
            lines: VecDeque::new(),
            first: 1,
            open: HashMap::new(),
            join: Join::default(),
            names: Names::default(),
            figures: Figures::default(),
            whole_history,
            dead: VecDeque::new(),
            groups: Vec::new(),
            link: Link::CatchingUp,
            caught_up: false,
            seen: (0, 0),
        }
    }

    /// Takes news in. The lines that are complete now, in the order of their completion.
    pub(crate) fn apply(&mut self, news: News, now: Instant) -> Vec<Line> {
        match news {
            News::Records(records) => records.into_iter().flat_map(|record| self.record(record, now)).collect(),
            News::CaughtUp => {
                self.caught_up = true;
                if self.link == Link::CatchingUp {
                    self.link = Link::Live;
                }
                Vec::new()
            }
            News::Away(reason) => {
                self.link = Link::Away(reason);
                Vec::new()
            }
            News::Back => {
                self.link = if self.caught_up { Link::Live } else { Link::CatchingUp };
                Vec::new()
            }
        }
    }

    /// Time goes by: what waited too long is told.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Line> {
        let settled = self.join.expire(now);
        self.settle(settled)
    }

    /// Names from the catalogue: they count more than what an event says.
    pub(crate) fn learn(&mut self, names: &[(String, Name)]) {
        names.iter().for_each(|(product, name)| self.names.learn(product, name));
        for line in &mut self.lines {
            if let What::Event { product, name: name @ None, .. } = &mut line.what {
                *name = self.names.get(product);
            }
        }
    }

    /// The lines that `filter` shows, the newest first, from the one numbered `last` (or the very last) backwards, with
    /// their numbers.
    pub(crate) fn back_from<'a>(
        &'a self,
        last: Option<u64>,
        filter: &'a Filter,
    ) -> impl Iterator<Item = (u64, &'a Line)> + 'a {
        let end = last.map_or(self.lines.len(), |last| self.index(last).map_or(0, |at| at + 1));
        self.numbered(0, end, filter).rev()
    }

    /// The lines that `filter` shows after the one numbered `after`, the oldest first.
    pub(crate) fn after<'a>(&'a self, after: u64, filter: &'a Filter) -> impl Iterator<Item = (u64, &'a Line)> + 'a {
        let begin = (after + 1).saturating_sub(self.first) as usize;
        self.numbered(begin.min(self.lines.len()), self.lines.len(), filter)
    }

    /// The numbers of the oldest and the newest line there are; lines are numbered from 1.
    pub(crate) fn ends(&self) -> (u64, u64) {
        (self.first, self.first + self.lines.len() as u64 - 1)
    }

    fn numbered<'a>(
        &'a self,
        begin: usize,
        end: usize,
        filter: &'a Filter,
    ) -> impl DoubleEndedIterator<Item = (u64, &'a Line)> + 'a {
        let shown = |line: &Line| filter.is_all() || line.user().is_some_and(|user| filter.shows(user));
        let numbered = (begin..end).map(|at| (self.first + at as u64, &self.lines[at]));
        numbered.filter(move |(_, line)| shown(line))
    }

    fn index(&self, number: u64) -> Option<usize> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        (at < self.lines.len()).then_some(at)
    }

    fn record(&mut self, record: Incoming, now: Instant) -> Vec<Line> {
        match record {
            Incoming::Event(event) => {
                self.seen.0 += 1;
                if let Some(name) = &event.name {
                    self.names.suggest(&event.product, name);
                }
                let settled = self.join.event(event, now);
                self.settle(settled)
            }
            Incoming::List(list) => {
                self.seen.1 += 1;
                list.names.iter().for_each(|(product, name)| self.names.learn(product, name));
                let settled = self.join.list(list, now);
                self.settle(settled)
            }
            Incoming::Metrics(record) => {
                self.figures.apply(&record);
                Vec::new()
            }
            Incoming::Dead(dead) => {
                self.dead.push_front(dead.clone());
                self.dead.truncate(MAX_DEAD);
                vec![self.push(Line { at_ms: dead.at_ms, what: What::Dead(dead) })]
            }
            Incoming::Unreadable { at_ms, place, reason } => {
                vec![self.push(Line { at_ms, what: What::Unreadable { place, reason } })]
            }
        }
    }

    fn settle(&mut self, settled: Vec<Joined>) -> Vec<Line> {
        let mut complete = Vec::new();
        for Joined { event, outcome } in settled {
            let known = if outcome == Outcome::Double { None } else { self.open.remove(&event.id) };
            let waits = matches!(outcome, Outcome::Waiting | Outcome::Late);
            let id = event.id.clone();
            let at = known.and_then(|number| self.index(number));
            let line = match at.map(|at| &mut self.lines[at]) {
                Some(line) => {
                    if let What::Event { outcome: so_far, .. } = &mut line.what {
                        *so_far = outcome.clone();
                    }
                    line.clone()
                }
                None => {
                    let name = self.names.get(&event.product);
                    self.push(Line::event(event, name, outcome.clone()))
                }
            };
            if waits {
                let number = known.filter(|_| at.is_some()).unwrap_or(self.first + self.lines.len() as u64 - 1);
                self.open.insert(id, number);
            }
            if outcome != Outcome::Waiting {
                complete.push(line);
            }
        }
        complete
    }

    fn push(&mut self, line: Line) -> Line {
        if self.lines.len() == MAX_LINES {
            if let Some(Line { what: What::Event { id, .. }, .. }) = self.lines.pop_front() {
                self.open.remove(&id);
            }
            self.first += 1;
        }
        self.lines.push_back(line.clone());
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::incoming::{Event, List};
    use freshet_events::EventType;

    fn event(id: u64, user: &str) -> Incoming {
        let (id, user) = (id.to_string(), user.to_owned());
        Incoming::Event(Event { id, user, kind: EventType::ProductView, product: "p".into(), name: None, at_ms: 1 })
    }

    fn list(id: u64, user: &str) -> Incoming {
        let Incoming::Event(event) = event(id, user) else { panic!() };
        let names = vec![("p".to_owned(), "Lamp".into())];
        Incoming::List(List { event, count: 3, processing_ms: 1.0, algorithm: "hybrid".into(), names })
    }

    fn outcomes(state: &State, filter: &str) -> Vec<(u64, Outcome)> {
        let of = |(number, line): (u64, &Line)| match &line.what {
            What::Event { outcome, .. } => Some((number, outcome.clone())),
            _ => None,
        };
        state.back_from(None, &Filter::new(filter)).filter_map(of).collect()
    }

    #[test]
    fn a_line_is_there_at_once_and_completed_in_its_place() {
        let (mut state, now) = (State::new(true), Instant::now());
        let told = state.apply(News::Records(vec![event(1, "neo"), event(2, "trinity")]), now);
        assert!(told.is_empty());
        assert_eq!(outcomes(&state, ""), [(2, Outcome::Waiting), (1, Outcome::Waiting)]);
        let told = state.apply(News::Records(vec![list(1, "neo"), list(1, "neo")]), now);
        assert_eq!(told.len(), 1);
        assert!(matches!(outcomes(&state, "neo")[..], [(1, Outcome::List { count: 3, .. })]));
        state.learn(&[("p".to_owned(), "Lamp".into())]);
        let filter = Filter::default();
        let named = state
            .back_from(None, &filter)
            .all(|(_, line)| matches!(&line.what, What::Event { name, .. } if name.as_deref() == Some("Lamp")));
        assert!(named);
    }

    #[test]
    fn lines_are_bounded_and_keep_their_numbers() {
        let (mut state, now) = (State::new(true), Instant::now());
        let all = MAX_LINES as u64 + 50;
        state.apply(News::Records((0..all).map(|id| event(id, if id % 2 == 0 { "a" } else { "b" })).collect()), now);
        assert_eq!((state.lines.len(), state.first, state.open.len()), (MAX_LINES, 51, MAX_LINES));
        let filter = Filter::new("a");
        assert_eq!(state.back_from(Some(101), &filter).next().map(|(number, _)| number), Some(101));
        assert_eq!(state.after(101, &filter).next().map(|(number, _)| number), Some(103));
        assert_eq!(state.after(all, &filter).count(), 0);
        // The line is gone, its list is not.
        assert_eq!(state.apply(News::Records(vec![list(0, "a")]), now).len(), 1);
    }

    #[test]
    fn the_link_is_live_once_the_history_is_read_and_after_every_return() {
        let (mut state, now) = (State::new(true), Instant::now());
        state.apply(News::Away("down".into()), now);
        assert_eq!(state.link, Link::Away("down".into()));
        state.apply(News::Back, now);
        assert_eq!(state.link, Link::CatchingUp);
        state.apply(News::CaughtUp, now);
        assert_eq!(state.link, Link::Live);
    }
}
