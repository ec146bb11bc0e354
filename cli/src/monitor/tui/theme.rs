//! Colours, in the terminal's own palette; without them, weight alone.

use freshet_events::EventType;
use ratatui::style::{Color, Modifier, Style};

use crate::monitor::line::Tone;

/// A figure, a name.
pub(crate) const FIGURE: Style = Style::new().add_modifier(Modifier::BOLD);

/// How things look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Theme {
    /// Colours are wanted.
    pub(crate) color: bool,
}

impl Theme {
    fn colored(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    /// A piece of a line.
    pub(crate) fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => Style::new(),
            Tone::Dim => self.dim(),
            Tone::User => FIGURE,
            Tone::Product => self.colored(Color::Cyan),
            Tone::Good => self.good(),
            Tone::Warn => self.warn(),
            Tone::Bad => self.colored(Color::Red).add_modifier(Modifier::BOLD),
            Tone::Kind(kind) => match kind {
                EventType::ProductView => self.colored(Color::Blue),
                EventType::AddToCart => self.colored(Color::Yellow),
                EventType::RemoveFromCart => self.colored(Color::Red),
                EventType::Purchase => self.colored(Color::Green).add_modifier(Modifier::BOLD),
                EventType::RecommendationClick => self.colored(Color::Magenta).add_modifier(Modifier::BOLD),
                EventType::RecommendationView => self.colored(Color::Magenta),
            },
        }
    }

    /// What may be skipped.
    pub(crate) fn dim(self) -> Style {
        if self.color { Style::new().fg(Color::DarkGray) } else { Style::new().add_modifier(Modifier::DIM) }
    }

    /// What is well.
    pub(crate) fn good(self) -> Style {
        self.colored(Color::Green)
    }

    /// What deserves a look.
    pub(crate) fn warn(self) -> Style {
        self.colored(Color::Yellow)
    }

    /// What is wrong.
    pub(crate) fn bad(self) -> Style {
        self.colored(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// A pane's frame.
    pub(crate) fn frame(self) -> Style {
        self.dim()
    }

    /// A pane's name.
    pub(crate) fn title(self) -> Style {
        self.good().add_modifier(Modifier::BOLD)
    }

    /// The program's name, a chosen tab, what is being typed.
    pub(crate) fn badge(self) -> Style {
        self.good().add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// What holds the lines.
    pub(crate) fn held(self) -> Style {
        self.warn().add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }
}
