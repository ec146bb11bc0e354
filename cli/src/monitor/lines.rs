//! Lines for pipes: as text, or one JSON object each.

use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use freshet_events::{EventType, iso8601};
use serde_json::json;
use tokio::time::MissedTickBehavior;

use super::clock::Clock;
use super::figures::Moment;
use super::filter::Filter;
use super::line::{Line, Tone, milliseconds};
use super::state::{Link, State};
use super::{Sources, Told, apply};
use crate::kafka::now_ms;
use crate::output::thousands;
use crate::style::{BOLD, DIM, ERROR, GOOD, WARN, paint};

/// How often it is looked whether something waited too long.
const TICK: Duration = Duration::from_millis(200);
/// Columns of a line: names have their own bounds.
const COLUMNS: usize = 400;

/// How lines are written.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// As JSON.
    pub(crate) json: bool,
    /// Times.
    pub(crate) clock: Clock,
    /// Whose lines.
    pub(crate) filter: Filter,
    /// The figures, so often; zero: never.
    pub(crate) figures: Duration,
}

/// Writes lines until it is stopped, or nobody reads them any more.
///
/// # Errors
/// They can't be written.
pub(crate) async fn run(mut state: State, mut sources: Sources, style: Manner, brokers: &str) -> anyhow::Result<()> {
    let mut last = None;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut due = (!style.figures.is_zero()).then(|| Instant::now() + style.figures);
    anstream::eprintln!("{}", paint(DIM, format!("watching {brokers}; times are {}", style.clock.name())));
    loop {
        let told = tokio::select! {
            told = sources.next() => told,
            _ = ticks.tick() => Told::Nothing,
        };
        let now = Instant::now();
        let ended = matches!(told, Told::Stop);
        let link = state.link.clone();
        let mut lines = apply(&mut state, told, now)?;
        lines.extend(state.expire(now));
        let shown = lines
            .iter()
            .filter(|line| style.filter.is_all() || line.user().is_some_and(|user| style.filter.shows(user)));
        let mut text: Vec<String> = shown.map(|line| style.line(line)).collect();
        text.extend(style.link(&link, &state.link));
        if due.is_some_and(|due| due <= now) || (ended && due.is_some()) {
            due = Some(now + style.figures);
            let moment = state.figures.at(now_ms(), &state.groups);
            if state.link == Link::Live && last.as_ref() != Some(&moment) {
                text.push(style.figures(&moment));
                last = Some(moment);
            }
        }
        match write(&text) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
        if ended {
            return Ok(());
        }
    }
}

fn write(lines: &[String]) -> std::io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut out = anstream::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()
}

impl Manner {
    fn line(&self, line: &Line) -> String {
        if self.json {
            return line.json().to_string();
        }
        let pieces = line.pieces(self.clock, COLUMNS).into_iter();
        pieces.map(|(tone, text)| if tone == Tone::Plain { text } else { paint(look(tone), text) }).collect()
    }

    /// Says that Kafka went away, or came back.
    fn link(&self, before: &Link, now: &Link) -> Option<String> {
        let (kind, text) = match (before, now) {
            (Link::Away(_), Link::Away(_)) => return None,
            (_, Link::Away(reason)) => ("away", reason.as_str()),
            (Link::Away(_), _) => ("back", "Kafka answers again"),
            _ => return None,
        };
        let at = now_ms();
        Some(if self.json {
            json!({"kind": kind, "at": iso8601(at), "message": text}).to_string()
        } else {
            let style = if kind == "away" { WARN } else { GOOD };
            paint(
                style,
                format!("[{}] {}{text}", self.clock.time(at), if kind == "away" { "Kafka is away: " } else { "" }),
            )
        })
    }

    fn figures(&self, moment: &Moment) -> String {
        if self.json {
            let mut object = json!({"kind": "figures", "at": iso8601(now_ms())});
            if let (Some(fields), Ok(serde_json::Value::Object(figures))) =
                (object.as_object_mut(), serde_json::to_value(moment))
            {
                fields.extend(figures);
            }
            return object.to_string();
        }
        paint(DIM, format!("[{}] {}", self.clock.time(now_ms()), sum(moment)))
    }
}

/// `12.3 events/s · mean 2.34 ms · p99 5.01 ms · precision 41.2% · lag 0`.
pub(crate) fn sum(moment: &Moment) -> String {
    let ms = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), milliseconds);
    let precision = moment.precision.map_or_else(|| "–".to_owned(), |share| format!("{:.1}%", share * 100.0));
    let dead = match moment.dead_letters {
        0 => String::new(),
        dead => format!(" · {} dead letters", thousands(dead)),
    };
    format!(
        "{:.1} events/s · mean {} · p99 {} · precision {precision} · lag {}{dead} · {} events in all",
        moment.events_per_second,
        ms(moment.mean_processing_ms),
        ms(moment.p99_processing_ms),
        thousands(moment.lag.unsigned_abs()),
        thousands(moment.total_events),
    )
}

fn look(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Dim => DIM,
        Tone::User => BOLD,
        Tone::Product => AnsiColor::Cyan.on_default(),
        Tone::Good => GOOD,
        Tone::Warn => WARN,
        Tone::Bad => ERROR,
        Tone::Kind(kind) => match kind {
            EventType::ProductView => AnsiColor::Blue.on_default(),
            EventType::AddToCart => AnsiColor::Yellow.on_default(),
            EventType::RemoveFromCart => AnsiColor::Red.on_default(),
            EventType::Purchase => GOOD,
            EventType::RecommendationClick => AnsiColor::Magenta.on_default(),
            EventType::RecommendationView => DIM,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::figures::{Figures, tests::batch};

    #[test]
    fn the_figures_are_one_line_or_one_object() {
        let mut figures = Figures::default();
        figures.apply(&batch(now_ms() - 2_500, 0, 100, 2.34));
        let moment = figures.at(now_ms(), &[]);
        assert!(sum(&moment).starts_with("10.0 events/s · mean 2.34 ms · p99 "), "{}", sum(&moment));
        assert!(sum(&moment).ends_with("· precision 50.0% · lag 0 · 100 events in all"), "{}", sum(&moment));
        let clock = Clock(time::UtcOffset::UTC);
        let style = Manner { json: true, clock, filter: Filter::default(), figures: Duration::ZERO };
        let object: serde_json::Value = serde_json::from_str(&style.figures(&moment)).unwrap();
        assert_eq!((object["kind"].as_str(), object["precision"].as_f64()), (Some("figures"), Some(0.5)));
    }

    #[test]
    fn kafka_going_and_coming_is_said_once() {
        let clock = Clock(time::UtcOffset::UTC);
        let style = Manner { json: true, clock, filter: Filter::default(), figures: Duration::ZERO };
        let away = |reason: &str| Link::Away(reason.to_owned());
        assert!(style.link(&Link::Live, &away("a")).unwrap().contains("\"away\""));
        assert!(style.link(&away("a"), &away("b")).is_none());
        assert!(style.link(&away("b"), &Link::Live).unwrap().contains("\"back\""));
        assert!(style.link(&Link::CatchingUp, &Link::Live).is_none());
    }
}
