//! The screen: what there is room for.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

use super::Setup;
use super::panes::{self, Shown};
use super::theme::{FIGURE, Theme};
use super::view::{Tab, View};
use crate::kafka::now_ms;
use crate::monitor::lines::sum;
use crate::monitor::state::{Link, State};
use crate::monitor::text::{clean, width};
use crate::output::thousands;

/// From so many columns on, everything is beside each other.
const WIDE: u16 = 110;
/// Under so many, figures are one line.
const NARROW: u16 = 60;
/// Keys, for the help.
const KEYS: [(&str, &str); 8] = [
    ("q  Ctrl-C", "quit"),
    ("p  space", "pause and go on"),
    ("/", "filter by user: neo, or shopper-*"),
    ("Esc", "everybody, the newest lines"),
    ("↑ ↓  PgUp PgDn", "scroll; Home the oldest, End the newest"),
    ("Tab", "next pane, where there is room for one"),
    ("?", "this help"),
    ("any key", "closes it"),
];

/// How high the parts are: figures above the lines, panes under them; 0: not shown.
fn heights(area: Rect) -> (u16, u16) {
    match area.height {
        _ if area.width < NARROW => (0, if area.height >= 24 { 7 } else { 0 }),
        34.. => (8, 9),
        22..34 => (5, 6),
        14..22 => (5, 0),
        _ => (0, 0),
    }
}

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame, state: &State, view: &mut View, theme: Theme, setup: &Setup) {
    let area = frame.area();
    let now = now_ms();
    let moment = state.figures.at(now, &state.groups);
    let shown = Shown { state, moment: &moment, now, theme, setup };
    let (top, bottom) = heights(area);
    let summary = u16::from(top == 0 && area.height >= 6);
    let rows = [
        Constraint::Length(u16::from(area.height >= 3)),
        Constraint::Length(top),
        Constraint::Length(summary),
        Constraint::Fill(1),
        Constraint::Length(bottom),
        Constraint::Length(u16::from(area.height >= 4)),
    ];
    let [head, above, line, middle, below, foot] = Layout::vertical(rows).areas(area);
    header(frame, head, &shown, view);
    if top > 0 {
        let [rate, latency, precision] = Layout::horizontal([Constraint::Fill(1); 3]).areas(above);
        panes::rate(frame, rate, &shown);
        panes::latency(frame, latency, &shown);
        panes::precision(frame, precision, &shown);
    }
    frame.render_widget(Paragraph::new(Span::styled(sum(&moment), FIGURE)), line);
    lines(frame, middle, &shown, view);
    if bottom > 0 {
        panes_below(frame, below, &shown, view);
    }
    footer(frame, foot, view, theme);
    if view.help {
        help(frame, area, theme);
    }
}

fn panes_below(frame: &mut Frame, area: Rect, shown: &Shown, view: &View) {
    if area.width >= WIDE {
        let columns = [Constraint::Length(30), Constraint::Length(57), Constraint::Fill(1)];
        let areas: [Rect; 3] = Layout::horizontal(columns).areas(area);
        for (tab, area) in Tab::ALL.into_iter().zip(areas) {
            pane(frame, area, shown, tab, Line::styled(format!(" {} ", tab.name()), shown.theme.title()));
        }
        return;
    }
    let title = Tab::ALL.into_iter().flat_map(|tab| {
        let style = if tab == view.tab { shown.theme.badge() } else { shown.theme.dim() };
        [Span::styled(format!(" {} ", tab.name()), style), Span::raw(" ")]
    });
    pane(frame, area, shown, view.tab, title.collect());
}

fn pane(frame: &mut Frame, area: Rect, shown: &Shown, tab: Tab, title: Line<'_>) {
    let block = block(shown.theme).title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    match tab {
        Tab::Lag => panes::lag(frame, inner, shown),
        Tab::Strategies => panes::strategies(frame, inner, shown),
        Tab::Dead => panes::dead(frame, inner, shown),
    }
}

/// A pane's frame.
pub(crate) fn block(theme: Theme) -> Block<'static> {
    Block::bordered().border_type(BorderType::Rounded).border_style(theme.frame())
}

fn header(frame: &mut Frame, area: Rect, shown: &Shown, view: &View) {
    let (theme, state) = (shown.theme, shown.state);
    let (dot, style, says) = match &state.link {
        Link::Live => ("●", theme.good(), "live".to_owned()),
        Link::CatchingUp => ("◌", theme.warn(), "reading history".to_owned()),
        Link::Away(reason) => ("●", theme.bad(), format!("Kafka is away: {}", clean(reason, 60))),
    };
    let mut left = vec![
        Span::styled(" freshet monitor ", theme.badge()),
        Span::styled(format!(" {dot} {says}"), style.add_modifier(Modifier::BOLD)),
    ];
    if let Some(held) = view.held.map(|_| view.waiting(state)) {
        let word = if view.paused { "paused" } else { "scrolled" };
        left.push(Span::raw("  "));
        left.push(Span::styled(format!(" {word} · {} new ", thousands(held as u64)), theme.held()));
    }
    if !view.filter.is_all() {
        let filter = format!(" user {} ", clean(&view.filter.to_string(), 32));
        left.push(Span::raw("  "));
        left.push(Span::styled(filter, theme.badge()));
    }
    left.push(Span::styled(format!("  {}", clean(&shown.setup.brokers, 40)), theme.dim()));
    let clock = shown.setup.clock;
    let right = format!("{} {} ", clock.time(shown.now), clock.name());
    let left = Line::from(left);
    if left.width() + width(&right) < usize::from(area.width) {
        let right = Line::styled(right, theme.dim()).right_aligned();
        frame.render_widget(right, area);
    }
    let columns = (left.width() as u16).min(area.width);
    frame.render_widget(left, Rect { width: columns, ..area });
}

fn lines(frame: &mut Frame, area: Rect, shown: &Shown, view: &mut View) {
    let framed = area.height >= 5 && area.width >= 40;
    let inner = if framed {
        let title = Line::from(vec![
            Span::styled(" Live ", shown.theme.title()),
            Span::styled(
                format!("{} events · {} lists ", thousands(shown.state.seen.0), thousands(shown.state.seen.1)),
                shown.theme.dim(),
            ),
        ]);
        let block = block(shown.theme).title(title);
        let inner = block.inner(area);
        frame.render_widget(block, area);
        inner
    } else {
        area
    };
    view.height = usize::from(inner.height).max(1);
    let (clock, columns) = (shown.setup.clock, usize::from(inner.width));
    let rows = shown.state.back_from(view.held, &view.filter).take(usize::from(inner.height));
    let mut rows: Vec<Line<'_>> = rows
        .map(|(_, line)| {
            let pieces = line.pieces(clock, columns).into_iter();
            pieces.map(|(tone, text)| Span::styled(text, shown.theme.tone(tone))).collect()
        })
        .collect();
    rows.reverse();
    if rows.is_empty() {
        let text = if view.filter.is_all() {
            "Nothing has happened yet. `freshet simulate` sends shoppers.".to_owned()
        } else {
            format!("Nothing of {} yet.", clean(&view.filter.to_string(), 32))
        };
        rows.push(Line::styled(text, shown.theme.dim()));
    }
    frame.render_widget(Paragraph::new(rows), inner);
}

fn footer(frame: &mut Frame, area: Rect, view: &View, theme: Theme) {
    if let Some(typed) = &view.typed {
        let prompt = " filter by user: ";
        let shown = clean(typed, usize::from(area.width).saturating_sub(width(prompt) + 40).max(8));
        let column = area.x + (width(prompt) + width(&shown)) as u16;
        let line = Line::from(vec![
            Span::styled(prompt, theme.badge()),
            Span::styled(shown, FIGURE),
            Span::styled("   Enter keeps it · * any end · Esc everybody", theme.dim()),
        ]);
        frame.render_widget(line, area);
        if area.height > 0 {
            frame.set_cursor_position((column.min(area.right().saturating_sub(1)), area.y));
        }
        return;
    }
    let pause = if view.held.is_some() { "go on" } else { "pause" };
    let keys =
        [("q", "quit"), ("p", pause), ("/", "user"), ("Esc", "all"), ("↑↓", "scroll"), ("Tab", "pane"), ("?", "help")];
    let spans = keys.into_iter().flat_map(|(key, what)| {
        [Span::styled(format!(" {key} "), FIGURE), Span::styled(format!("{what} "), theme.dim())]
    });
    frame.render_widget(spans.collect::<Line<'_>>(), area);
}

fn help(frame: &mut Frame, area: Rect, theme: Theme) {
    let (columns, rows) = (62.min(area.width), (KEYS.len() as u16 + 2).min(area.height));
    let popup = Rect {
        x: area.x + (area.width - columns) / 2,
        y: area.y + (area.height - rows) / 2,
        width: columns,
        height: rows,
    };
    let keys = KEYS.map(|(key, what)| {
        Line::from(vec![Span::styled(format!(" {key:<16}"), FIGURE), Span::styled(what, Style::new())])
    });
    frame.render_widget(Clear, popup);
    let block = block(theme).title(Span::styled(" Keys ", theme.title())).border_style(theme.good());
    frame.render_widget(Paragraph::new(keys.to_vec()).block(block), popup);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::clock::Clock;
    use crate::monitor::figures::tests::batch;
    use crate::monitor::incoming::Incoming;
    use crate::monitor::reader::News;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use serde_json::json;
    use std::time::Instant;

    fn state() -> State {
        let mut state = State::new(true);
        let hostile = format!("\u{1b}[2J\u{202e}👩\u{200d}💻 日本{}", "x".repeat(10_240));
        let event = |n: u32| {
            let event = json!({"eventId": n.to_string(), "userId": format!("shopper-{n}"), "eventType": "product_view",
                "productId": "1", "timestamp": "2026-09-21T14:13:20.123Z", "metadata": {"name": hostile}});
            Incoming::read("user-events", 0, 0, 0, event.to_string().as_bytes())
        };
        let mut records: Vec<Incoming> = (0..50).map(event).collect();
        let dead = json!({"reason": hostile, "field": "f", "function": "recommend", "topic": "user-events",
            "partition": 0, "offset": 1, "timestamp": 0, "valueBytes": 1});
        records.push(Incoming::read("user-events-dead", 0, 0, 0, dead.to_string().as_bytes()));
        records.push(Incoming::Metrics(Box::new(batch(now_ms() - 2_000, 0, 100, 2.5))));
        state.apply(News::Records(records), Instant::now());
        state.apply(News::CaughtUp, Instant::now());
        state
    }

    fn screen(state: &State, view: &mut View, columns: u16, rows: u16) -> String {
        let setup = Setup { brokers: "127.0.0.1:9092".into(), clock: Clock(time::UtcOffset::UTC), user: String::new() };
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| draw(frame, state, view, Theme { color: false }, &setup)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn every_size_shows_what_it_has_room_for_and_none_breaks() {
        let state = state();
        for (columns, rows) in (1..140).step_by(3).flat_map(|columns| (1..50).map(move |rows| (columns, rows))) {
            let mut view = View::new("");
            let text = screen(&state, &mut view, columns, rows);
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{200d}']));
            view.help = true;
            view.typed = Some("neo".into());
            screen(&state, &mut view, columns, rows);
        }
        let wide = screen(&state, &mut View::new(""), 120, 40);
        for part in [
            "freshet monitor",
            "● live",
            "Rate",
            "Latency",
            "Precision",
            "Live",
            "Lag",
            "Strategies",
            "hybrid",
            "Dead letters",
            "50.0%",
            "2.50 ms",
            "product_view",
            "q quit",
        ] {
            assert!(wide.contains(part), "{part} in\n{wide}");
        }
        let small = screen(&state, &mut View::new(""), 50, 10);
        assert!(small.contains("product_view") && small.contains("events/s"), "{small}");
    }

    #[test]
    fn what_holds_the_lines_and_whose_they_are_is_said() {
        let state = state();
        let mut view = View::new("shopper-7");
        view.paused = true;
        view.held = Some(3);
        let text = screen(&state, &mut view, 120, 40);
        assert!(text.contains("paused · 1 new") && text.contains("user shopper-7"), "{text}");
        assert!(screen(&state, &mut View::new("nobody"), 80, 24).contains("Nothing of nobody yet."));
    }
}
