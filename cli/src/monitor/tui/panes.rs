//! The panes, one function each.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Sparkline, Table};

use super::Setup;
use super::draw::block;
use super::theme::{FIGURE, Theme};
use crate::monitor::figures::Moment;
use crate::monitor::line::milliseconds;
use crate::monitor::state::State;
use crate::monitor::text::clean;
use crate::output::thousands;

/// What all panes are drawn from.
pub(crate) struct Shown<'a> {
    /// What is known.
    pub(crate) state: &'a State,
    /// The figures.
    pub(crate) moment: &'a Moment,
    /// Now, milliseconds since the epoch.
    pub(crate) now: i64,
    /// Colours.
    pub(crate) theme: Theme,
    /// What was asked for.
    pub(crate) setup: &'a Setup,
}

/// Nothing to show.
const NONE: &str = "–";

/// A frame with figures in its first line, a remark in the second where there is room, and a curve in the rest.
fn curve(
    frame: &mut Frame,
    area: Rect,
    shown: &Shown,
    (title, unit): (&str, &str),
    (figures, remark): (Vec<Span<'_>>, String),
    (values, max, style): (&[Option<u64>], Option<u64>, Style),
) {
    let columns = usize::from(area.width.saturating_sub(2)).min(values.len());
    let mut block = block(shown.theme).title(Span::styled(format!(" {title} "), shown.theme.title()));
    if area.width >= 30 {
        let window = Line::styled(format!(" {columns} {unit} "), shown.theme.dim()).right_aligned();
        block = block.title(window);
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let remarks = u16::from(inner.height >= 4);
    let rows = [Constraint::Length(1), Constraint::Length(remarks), Constraint::Fill(1)];
    let [first, second, rest] = Layout::vertical(rows).areas(inner);
    frame.render_widget(Line::from(figures), first);
    frame.render_widget(Line::styled(remark, shown.theme.dim()), second);
    let newest = &values[values.len() - columns..];
    let mut line = Sparkline::default().data(newest.to_vec()).style(style).absent_value_symbol(" ");
    if let Some(max) = max {
        line = line.max(max);
    }
    // The newest is at the right end, however few there are.
    let width = (columns as u16).min(rest.width);
    frame.render_widget(line, Rect { x: rest.right() - width, width, ..rest });
}

/// Events a second.
pub(crate) fn rate(frame: &mut Frame, area: Rect, shown: &Shown) {
    let values = shown.state.figures.rates(shown.now);
    let visible = values.len().min(usize::from(area.width.saturating_sub(2)));
    let peak = values[values.len() - visible..].iter().copied().max().unwrap_or(0);
    let figures = vec![
        Span::styled(format!(" {:.1}", shown.moment.events_per_second), FIGURE),
        Span::raw(" events/s"),
        Span::styled(format!("  peak {}", thousands(peak)), shown.theme.dim()),
    ];
    let remark = format!(" {} events in all", thousands(shown.moment.total_events));
    // Nothing is no bar; whatever happened is at least a small one.
    let values: Vec<Option<u64>> = values.into_iter().map(|events| (events > 0).then_some(events)).collect();
    curve(frame, area, shown, ("Rate", "s"), (figures, remark), (&values, None, shown.theme.good()));
}

/// Processing time.
pub(crate) fn latency(frame: &mut Frame, area: Rect, shown: &Shown) {
    let values = shown.state.figures.latencies(shown.now);
    let (theme, moment) = (shown.theme, shown.moment);
    let ms = |ms: Option<f64>| ms.map_or_else(|| NONE.to_owned(), milliseconds);
    let figures = vec![
        Span::raw(" mean "),
        Span::styled(ms(moment.mean_processing_ms), FIGURE),
        Span::raw("  p99 "),
        Span::styled(ms(moment.p99_processing_ms), FIGURE),
    ];
    let newest = values.iter().rev().find_map(|value| *value).map(|us| us as f64 / 1_000.0);
    let remark =
        newest.map_or_else(|| " last hour".to_owned(), |now| format!(" last hour · now {}", milliseconds(now)));
    curve(frame, area, shown, ("Latency", "s"), (figures, remark), (&values, None, theme.warn()));
}

/// Share of choices that were in the list shown before.
pub(crate) fn precision(frame: &mut Frame, area: Rect, shown: &Shown) {
    let values = shown.state.figures.precisions(shown.now);
    let (theme, moment) = (shown.theme, shown.moment);
    let mut figures = vec![Span::styled(format!(" {}", percent(moment.precision)), FIGURE)];
    if shown.state.whole_history {
        figures.push(Span::raw("  last hour "));
        figures.push(Span::styled(percent(moment.recent_precision), FIGURE));
    } else {
        figures.push(Span::styled(" of the last hour", theme.dim()));
    }
    let (choices, hits) = shown.state.figures.choices();
    let remark = format!(" {} of {} choices were listed", thousands(hits), thousands(choices));
    let style = theme.tone(crate::monitor::line::Tone::Product);
    curve(frame, area, shown, ("Precision", "min"), (figures, remark), (&values, Some(1_000), style));
}

/// Consumer groups, with what each partition still has to read.
pub(crate) fn lag(frame: &mut Frame, area: Rect, shown: &Shown) {
    let theme = shown.theme;
    let groups = &shown.state.groups;
    if groups.is_empty() {
        frame.render_widget(Line::styled(" asking …", theme.dim()), area);
        return;
    }
    let width = usize::from(area.width);
    let detailed = usize::from(area.height) >= 2 * groups.len();
    let names = groups.iter().map(|group| group.group.chars().count()).max().unwrap_or(0).min(28);
    let mut rows = Vec::new();
    for group in groups {
        let (lag, style) = match group.lag {
            ..0 => (NONE.to_owned(), theme.warn()),
            0 => ("0".to_owned(), theme.good()),
            lag => (thousands(lag.unsigned_abs()), theme.warn()),
        };
        let partitions = group.partitions.iter().map(|partition| format!("{}:{}", partition.partition, partition.lag));
        let partitions = partitions.collect::<Vec<_>>().join(" ");
        let mut row = vec![
            Span::raw(format!(" {:names$}", clean(&group.group, names))),
            Span::styled(format!(" {lag:>7} "), style.patch(FIGURE)),
        ];
        // Why it can't be read takes the place of what would be there.
        let says = if group.lag < 0 || partitions.is_empty() { clean(&group.state, width) } else { partitions };
        if detailed {
            if group.lag >= 0 && width >= names + 10 + group.state.len() {
                row.push(Span::styled(clean(&group.state, 20), theme.dim()));
            }
            rows.push(Line::from(row));
            rows.push(Line::styled(format!("   {says}"), theme.dim()));
        } else {
            row.push(Span::styled(says, theme.dim()));
            rows.push(Line::from(row));
        }
    }
    frame.render_widget(Paragraph::new(rows), area);
}

/// What each strategy is worth.
pub(crate) fn strategies(frame: &mut Frame, area: Rect, shown: &Shown) {
    let theme = shown.theme;
    let right = |text: String| Cell::from(Line::from(text).right_aligned());
    let head = ["events", "precision", "clicks", "shown", "rate"].map(|text| right(text.to_owned()));
    let head = Row::new(std::iter::once(Cell::from(" strategy")).chain(head)).style(theme.dim());
    let rows = shown.moment.strategies.iter().map(|(name, figures)| {
        Row::new([
            Cell::from(Span::styled(format!(" {}", clean(name, 14)), FIGURE)),
            right(thousands(figures.events)),
            right(percent(figures.precision)),
            right(thousands(figures.clicks)),
            right(thousands(figures.exposures)),
            right(percent(figures.click_rate.filter(|rate| *rate <= 1.0))),
        ])
    });
    let widths = [14, 8, 9, 6, 6, 7];
    frame.render_widget(Table::new(rows, widths.map(Constraint::Max)).header(head).column_spacing(1), area);
}

/// What was given up, the newest first.
pub(crate) fn dead(frame: &mut Frame, area: Rect, shown: &Shown) {
    let theme = shown.theme;
    let width = usize::from(area.width);
    let mut rows = Vec::new();
    if shown.moment.dead_letters > 0 {
        let all = thousands(shown.moment.dead_letters);
        rows.push(Line::styled(format!(" {all} in all"), theme.warn()));
    }
    for letter in shown.state.dead.iter().take(usize::from(area.height)) {
        let time = shown.setup.clock.time(letter.at_ms);
        let place = format!(" {time} {} ", clean(&letter.place, 40));
        let reason = Span::styled(clean(&letter.reason, width.saturating_sub(2).max(1)), theme.warn());
        if width >= 70 {
            rows.push(Line::from(vec![Span::styled(place, theme.dim()), reason]));
        } else {
            rows.push(Line::styled(place, theme.dim()));
            rows.push(Line::from(vec![Span::raw("  "), reason]));
        }
    }
    if rows.is_empty() {
        rows.push(Line::styled(" none", theme.good()));
    }
    frame.render_widget(Paragraph::new(rows), area);
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| NONE.to_owned(), |share| format!("{:.1}%", share * 100.0))
}
