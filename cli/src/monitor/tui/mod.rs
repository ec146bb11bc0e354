//! Panes for people.
//!
//! | module | what |
//! |---|---|
//! | [`view`] | what is looked at, and the keys |
//! | [`draw`] | the screen, whatever its size |
//! | [`panes`] | one function a pane |
//! | [`theme`] | colours |

mod draw;
mod panes;
mod theme;
mod view;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use crossterm::event::{Event, EventStream};
use futures::StreamExt as _;
use ratatui::DefaultTerminal;
use ratatui::layout::Rect;
use tokio::time::MissedTickBehavior;

use super::clock::Clock;
use super::state::State;
use super::{Sources, Told, apply};
use theme::Theme;
use view::{Then, View};

/// Between two drawings at the least.
const FRAME: Duration = Duration::from_millis(50);
/// Between two drawings at the most: rates and the time move on by themselves.
const IDLE: Duration = Duration::from_millis(500);

/// What is told besides.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The brokers.
    pub(crate) brokers: String,
    /// Times.
    pub(crate) clock: Clock,
    /// Whose lines.
    pub(crate) user: String,
}

/// The terminal while it is ours. However it ends, a panic included, it is given back as it was.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> anyhow::Result<Self> {
        // Gives the terminal back before a panic is printed, in whichever thread.
        let terminal = ratatui::try_init();
        terminal.map(Self).inspect_err(|_| ratatui::restore()).context("this terminal can't show panes (--plain can)")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows the panes until somebody has seen enough.
///
/// # Errors
/// The terminal, or the reader of the topics, is gone.
pub(crate) async fn run(mut state: State, mut sources: Sources, setup: Setup) -> anyhow::Result<()> {
    let color = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
    // It would follow NO_COLOR on its own, against --color always.
    crossterm::style::force_color_output(color);
    let theme = Theme { color };
    let mut view = View::new(&setup.user);
    let mut screen = Screen::open()?;
    let mut keys = EventStream::new();
    let mut frames = tokio::time::interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut changed, mut drawn) = (true, Instant::now());
    loop {
        tokio::select! {
            told = sources.next() => {
                if matches!(told, Told::Stop) {
                    return Ok(());
                }
                apply(&mut state, told, Instant::now())?;
                changed = true;
            }
            key = keys.next() => {
                match key {
                    Some(Ok(Event::Key(key))) if view.key(key, &state) == Then::Quit => return Ok(()),
                    // There and back between two drawings is no change of size, and the terminal has lost its content.
                    Some(Ok(Event::Resize(columns, rows))) => screen.0.resize(Rect::new(0, 0, columns, rows))?,
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error).context("the terminal"),
                    None => return Ok(()),
                }
                changed = true;
            }
            _ = frames.tick() => {
                let now = Instant::now();
                changed |= !state.expire(now).is_empty();
                if changed || drawn.elapsed() >= IDLE {
                    view.keep_up(&state);
                    screen.0.draw(|frame| draw::draw(frame, &state, &mut view, theme, &setup))?;
                    (changed, drawn) = (false, now);
                }
            }
        }
    }
}
