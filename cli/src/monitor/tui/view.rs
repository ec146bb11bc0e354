//! What is looked at: the filter, the place in the lines, the pane; and the keys that change it.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::monitor::filter::Filter;
use crate::monitor::state::State;

/// Letters of a filter at the most: those of an id.
const MAX_FILTER: usize = 128;

/// The pane that is shown where there is room for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    /// Consumer groups.
    Lag,
    /// Strategies.
    Strategies,
    /// What was given up.
    Dead,
}

impl Tab {
    /// In the order of the Tab key.
    pub(crate) const ALL: [Self; 3] = [Self::Lag, Self::Strategies, Self::Dead];

    /// Its title.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lag => "Lag",
            Self::Strategies => "Strategies",
            Self::Dead => "Dead letters",
        }
    }

    fn moved(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        Self::ALL[(at + by) % Self::ALL.len()]
    }
}

/// What is looked at.
#[derive(Debug)]
pub(crate) struct View {
    /// Whose lines.
    pub(crate) filter: Filter,
    /// The filter as far as it is typed, while it is.
    pub(crate) typed: Option<String>,
    /// The number of the lowest line, where lines are held; `None`: the newest.
    pub(crate) held: Option<u64>,
    /// They were held by the pause key, not by scrolling.
    pub(crate) paused: bool,
    /// The pane.
    pub(crate) tab: Tab,
    /// The keys are shown.
    pub(crate) help: bool,
    /// Lines on the screen, as of the last drawing.
    pub(crate) height: usize,
}

/// What a key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It goes on.
    Stay,
    /// It ends.
    Quit,
}

impl View {
    /// The newest lines of `user` (of everybody, if empty).
    pub(crate) fn new(user: &str) -> Self {
        Self {
            filter: Filter::new(user),
            typed: None,
            held: None,
            paused: false,
            tab: Tab::Lag,
            help: false,
            height: 1,
        }
    }

    /// A key was pressed.
    pub(crate) fn key(&mut self, key: KeyEvent, state: &State) -> Then {
        if key.kind == KeyEventKind::Release {
            return Then::Stay;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && matches!(key.code, KeyCode::Char('c')) {
            return Then::Quit;
        }
        if control {
            return Then::Stay;
        }
        if self.typed.is_some() {
            self.type_filter(key.code);
            return Then::Stay;
        }
        if self.help {
            self.help = false;
            return Then::Stay;
        }
        match key.code {
            KeyCode::Char('q') => return Then::Quit,
            KeyCode::Char('p' | ' ') => self.pause(state),
            KeyCode::Char('/') => self.typed = Some(String::new()),
            KeyCode::Char('?' | 'h') => self.help = true,
            KeyCode::Esc => {
                self.filter = Filter::default();
                self.follow();
            }
            KeyCode::Tab => self.tab = self.tab.moved(1),
            KeyCode::BackTab => self.tab = self.tab.moved(Tab::ALL.len() - 1),
            KeyCode::Up | KeyCode::Char('k') => self.up(1, state),
            KeyCode::Down | KeyCode::Char('j') => self.down(1, state),
            KeyCode::PageUp => self.up(self.height.saturating_sub(1).max(1), state),
            KeyCode::PageDown => self.down(self.height.saturating_sub(1).max(1), state),
            KeyCode::Home | KeyCode::Char('g') => self.up(usize::MAX, state),
            KeyCode::End | KeyCode::Char('G') => self.follow(),
            _ => {}
        }
        Then::Stay
    }

    /// Lines that came since they are held.
    pub(crate) fn waiting(&self, state: &State) -> usize {
        self.held.map_or(0, |held| state.after(held, &self.filter).count())
    }

    /// The oldest lines are dropped in time: what is held must be among those that are left.
    pub(crate) fn keep_up(&mut self, state: &State) {
        let (oldest, newest) = state.ends();
        if let Some(held) = &mut self.held
            && oldest > 1
        {
            *held = (*held).max(oldest.saturating_add(self.height as u64).saturating_sub(1).min(newest));
        }
    }

    fn type_filter(&mut self, code: KeyCode) {
        let Some(typed) = &mut self.typed else { return };
        match code {
            KeyCode::Char(c) if typed.len() + c.len_utf8() <= MAX_FILTER && !c.is_control() => typed.push(c),
            KeyCode::Backspace => drop(typed.pop()),
            KeyCode::Enter => {
                self.filter = Filter::new(typed);
                self.typed = None;
                return;
            }
            KeyCode::Esc => {
                self.filter = Filter::default();
                self.typed = None;
                return;
            }
            _ => {}
        }
        self.filter = Filter::typing(typed);
    }

    fn pause(&mut self, state: &State) {
        if self.paused {
            self.follow();
        } else {
            self.paused = true;
            self.held = self.held.or(Some(state.ends().1));
        }
    }

    fn follow(&mut self) {
        (self.held, self.paused) = (None, false);
    }

    fn up(&mut self, lines: usize, state: &State) {
        let from = self.held.unwrap_or(state.ends().1);
        let shown: Vec<u64> = state.back_from(Some(from), &self.filter).map(|(number, _)| number).collect();
        // The screen stays full: the oldest line is at its top at the most.
        let most = shown.len().saturating_sub(self.height);
        if let Some(number) = shown.get(lines.min(most)).filter(|_| most > 0) {
            self.held = Some(*number);
        }
    }

    fn down(&mut self, lines: usize, state: &State) {
        let Some(held) = self.held else { return };
        let mut after = state.after(held, &self.filter).map(|(number, _)| number);
        match after.by_ref().take(lines).last() {
            Some(number) => self.held = Some(number),
            None if self.paused => {}
            None => self.held = None,
        }
        if !self.paused && self.held.is_some_and(|held| state.after(held, &self.filter).next().is_none()) {
            self.held = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::incoming::{Event, Incoming};
    use crate::monitor::reader::News;
    use crate::monitor::state::MAX_LINES;
    use freshet_events::EventType;
    use std::time::Instant;

    fn state(events: u64) -> State {
        let mut state = State::new(true);
        more(&mut state, 0, events);
        state
    }

    fn more(state: &mut State, from: u64, events: u64) {
        let event = |n: u64| Event {
            id: n.to_string(),
            user: if n.is_multiple_of(2) { "neo" } else { "trinity" }.into(),
            kind: EventType::ProductView,
            product: "p".into(),
            name: None,
            at_ms: 1,
        };
        let records = (from..from + events).map(|n| Incoming::Event(event(n))).collect();
        state.apply(News::Records(records), Instant::now());
    }

    fn press(view: &mut View, state: &State, keys: &[KeyCode]) -> Then {
        keys.iter().map(|code| view.key(KeyEvent::new(*code, KeyModifiers::NONE), state)).last().unwrap_or(Then::Stay)
    }

    fn lowest(view: &View, state: &State) -> Option<u64> {
        state.back_from(view.held, &view.filter).next().map(|(number, _)| number)
    }

    #[test]
    fn arrows_hold_the_lines_and_the_way_back_down_lets_them_go() {
        let (mut view, mut state) = (View::new(""), state(100));
        view.height = 10;
        press(&mut view, &state, &[KeyCode::Up, KeyCode::Up]);
        assert_eq!(lowest(&view, &state), Some(98));
        more(&mut state, 100, 5);
        assert_eq!((lowest(&view, &state), view.waiting(&state)), (Some(98), 7));
        press(&mut view, &state, &[KeyCode::Home]);
        assert_eq!(lowest(&view, &state), Some(10));
        press(&mut view, &state, &[KeyCode::Up, KeyCode::PageDown]);
        assert_eq!(lowest(&view, &state), Some(19));
        press(&mut view, &state, &[KeyCode::End]);
        assert_eq!((view.held, lowest(&view, &state)), (None, Some(105)));
        press(&mut view, &state, &[KeyCode::PageUp, KeyCode::PageDown]);
        assert_eq!(view.held, None);
    }

    #[test]
    fn a_pause_holds_everything_even_where_there_is_nothing_yet() {
        let (mut view, mut state) = (View::new(""), state(0));
        press(&mut view, &state, &[KeyCode::Char('p')]);
        more(&mut state, 0, 3);
        assert_eq!((lowest(&view, &state), view.waiting(&state)), (None, 3));
        press(&mut view, &state, &[KeyCode::Char(' ')]);
        assert_eq!(lowest(&view, &state), Some(3));
        press(&mut view, &state, &[KeyCode::Char(' '), KeyCode::Down]);
        assert!(view.paused && view.held == Some(3));
    }

    #[test]
    fn a_filter_shows_while_it_is_typed_and_goes_with_escape() {
        let (mut view, state) = (View::new(""), state(10));
        press(&mut view, &state, &[KeyCode::Char('/'), KeyCode::Char('n'), KeyCode::Char('q')]);
        assert_eq!(lowest(&view, &state), None);
        press(&mut view, &state, &[KeyCode::Backspace, KeyCode::Char('e'), KeyCode::Char('o')]);
        assert_eq!((lowest(&view, &state), view.typed.as_deref()), (Some(9), Some("neo")));
        press(&mut view, &state, &[KeyCode::Enter]);
        assert_eq!((view.filter.to_string().as_str(), &view.typed), ("neo", &None));
        press(&mut view, &state, &[KeyCode::Esc]);
        assert!(view.filter.is_all());
        assert_eq!(press(&mut view, &state, &[KeyCode::Char('?'), KeyCode::Char('q')]), Then::Stay);
        assert_eq!(press(&mut view, &state, &[KeyCode::Char('q')]), Then::Quit);
        let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        view.typed = Some(String::new());
        assert_eq!(view.key(control, &state), Then::Quit);
    }

    #[test]
    fn what_is_held_moves_on_when_its_lines_are_dropped() {
        let (mut view, mut state) = (View::new(""), state(50));
        view.height = 10;
        press(&mut view, &state, &[KeyCode::Char('p')]);
        more(&mut state, 50, 1);
        view.keep_up(&state);
        assert_eq!(lowest(&view, &state), Some(50));
        more(&mut state, 51, MAX_LINES as u64);
        assert_eq!(state.back_from(view.held, &view.filter).count(), 0);
        view.keep_up(&state);
        assert_eq!(state.back_from(view.held, &view.filter).count(), 10);
    }
}
