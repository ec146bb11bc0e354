//! One happening as one line: `[14:23:45] product_view user 1 "Smart AI Assistant" → 5 recommendations in 2.34 ms`.

use freshet_events::{EventType, iso8601};
use serde_json::{Value, json};

use super::clock::Clock;
use super::incoming::{Dead, Event};
use super::join::Outcome;
use super::names::Name;
use super::text::{clean, cleaned, width};

/// A happening.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// When, milliseconds since the epoch.
    pub(crate) at_ms: i64,
    /// What.
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// Somebody did something.
    Event {
        /// Unique.
        id: String,
        /// Who.
        user: String,
        /// Did what.
        kind: EventType,
        /// With which product.
        product: String,
        /// Its name, where anybody said it.
        name: Option<Name>,
        /// What became of it.
        outcome: Outcome,
    },
    /// A record was given up.
    Dead(Dead),
    /// A record is not what its topic holds.
    Unreadable {
        /// `topic[partition]@offset`.
        place: String,
        /// Why.
        reason: String,
    },
}

/// How a piece of a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it is.
    Plain,
    /// May be skipped.
    Dim,
    /// A kind of event.
    Kind(EventType),
    /// A person.
    User,
    /// A product.
    Product,
    /// What came of it.
    Good,
    /// It took long, or came to nothing.
    Warn,
    /// It was given up.
    Bad,
}

/// Slower than this is worth a look, milliseconds.
const SLOW_MS: f64 = 100.0;
/// From so many columns on a line says `recommendations`; under it, only how many.
const LONG: usize = 96;
/// Under so many columns a line does without the product.
const SHORT: usize = 72;
/// Columns of a person's name: at the least, at the most on a narrow line, on a wide one.
const USER: (usize, usize, usize) = (6, 16, 32);
/// Columns of a product's name, at the least and at the most.
const PRODUCT: (usize, usize) = (8, 60);
/// Columns of a reason at the most.
const REASON: usize = 400;

impl Line {
    /// The line of an event whose outcome is known so far.
    pub(crate) fn event(event: Event, name: Option<Name>, outcome: Outcome) -> Self {
        let Event { id, user, kind, product, at_ms, .. } = event;
        Self { at_ms, what: What::Event { id, user, kind, product, name, outcome } }
    }

    /// Whose it is.
    pub(crate) fn user(&self) -> Option<&str> {
        if let What::Event { user, .. } = &self.what { Some(user) } else { None }
    }

    /// As pieces that fit into `columns`, down to what can't be shortened.
    pub(crate) fn pieces(&self, clock: Clock, columns: usize) -> Vec<(Tone, String)> {
        let mut pieces = vec![(Tone::Dim, format!("[{}] ", clock.time(self.at_ms)))];
        match &self.what {
            What::Event { user, kind, product, name, outcome, .. } => {
                let (long, short) = (columns >= LONG, columns < SHORT);
                let tail = tail(outcome, long);
                pieces.push((Tone::Kind(*kind), kind.as_str().to_owned()));
                pieces.push((Tone::Dim, if short { " " } else { " user " }.to_owned()));
                let taken = |pieces: &[(Tone, String)]| -> usize { pieces.iter().map(|(_, text)| width(text)).sum() };
                let left = columns.saturating_sub(taken(&pieces) + taken(&tail));
                let most = if long { USER.2 } else { USER.1 };
                let user = cleaned(user, left.saturating_sub(PRODUCT.0 + 3).clamp(USER.0, most)).into_owned();
                let left = left.saturating_sub(width(&user));
                pieces.push((Tone::User, user));
                if !short {
                    pieces.push((Tone::Product, title(name.as_ref(), product, left)));
                }
                pieces.extend(tail);
            }
            What::Dead(dead) => {
                let Dead { place, function, reason, .. } = dead;
                pieces.push((Tone::Bad, "dead letter".to_owned()));
                let says = format!(" {} by {}: ", clean(place, PRODUCT.1), clean(function, USER.2));
                pieces.push((Tone::Plain, says));
                pieces.push((Tone::Warn, clean(reason, REASON)));
            }
            What::Unreadable { place, reason } => {
                pieces.push((Tone::Bad, "unreadable".to_owned()));
                pieces.push((Tone::Plain, format!(" {}: ", clean(place, PRODUCT.1))));
                pieces.push((Tone::Warn, clean(reason, REASON)));
            }
        }
        pieces
    }

    /// As one object.
    pub(crate) fn json(&self) -> Value {
        let at = iso8601(self.at_ms);
        match &self.what {
            What::Event { id, user, kind, product, name, outcome } => {
                let mut object = json!({"kind": "event", "at": at, "eventId": id, "userId": user,
                    "eventType": kind.as_str(), "productId": product});
                if let Some(name) = name {
                    object["name"] = json!(clean(name, REASON));
                }
                let outcome = match outcome {
                    Outcome::List { count, ms, algorithm } => {
                        object["recommendations"] = json!(count);
                        object["processingMs"] = json!(ms);
                        object["algorithm"] = json!(algorithm);
                        "list"
                    }
                    Outcome::Waiting => "waiting",
                    Outcome::Folded => "inNextList",
                    Outcome::Double => "double",
                    Outcome::NoList => "noList",
                    Outcome::Late => "late",
                };
                object["outcome"] = json!(outcome);
                object
            }
            What::Dead(Dead { place, function, field, reason, .. }) => json!({"kind": "deadLetter", "at": at,
                "place": place, "function": function, "field": field, "reason": clean(reason, REASON)}),
            What::Unreadable { place, reason } => {
                json!({"kind": "unreadable", "at": at, "place": place, "reason": clean(reason, REASON)})
            }
        }
    }
}

/// ` "Smart AI Assistant"`, or ` product 17` of one that nobody has named.
fn title(name: Option<&Name>, product: &str, columns: usize) -> String {
    let within = |around: usize| columns.saturating_sub(around).clamp(PRODUCT.0, PRODUCT.1);
    let name = name.map(|name| clean(name, within(3))).filter(|name| !name.is_empty());
    name.map_or_else(|| format!(" product {}", cleaned(product, within(9))), |name| format!(" \"{name}\""))
}

fn tail(outcome: &Outcome, long: bool) -> Vec<(Tone, String)> {
    let arrow = (Tone::Dim, " → ".to_owned());
    match outcome {
        Outcome::List { count, ms, .. } => {
            let noun = if *count == 1 { "recommendation" } else { "recommendations" };
            let count = if long { format!("{count} {noun}") } else { count.to_string() };
            let tone = if *ms >= SLOW_MS { Tone::Warn } else { Tone::Good };
            vec![arrow, (Tone::Good, count), (Tone::Dim, " in ".to_owned()), (tone, milliseconds(*ms))]
        }
        Outcome::Waiting => vec![arrow, (Tone::Dim, "…".to_owned())],
        Outcome::Folded => vec![arrow, (Tone::Dim, "in the next list".to_owned())],
        Outcome::Double => vec![arrow, (Tone::Dim, "a double, counts once".to_owned())],
        Outcome::NoList => Vec::new(),
        Outcome::Late => vec![arrow, (Tone::Warn, "no list so far".to_owned())],
    }
}

/// `2.34 ms`; from 100 on without decimals, from 10,000 on in seconds.
pub(crate) fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms >= 10_000.0 => format!("{:.1} s", ms / 1_000.0),
        ms if ms >= 100.0 => format!("{ms:.0} ms"),
        ms => format!("{ms:.2} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::UtcOffset;

    const CLOCK: Clock = Clock(UtcOffset::UTC);

    fn line(user: &str, name: Option<&str>, outcome: Outcome) -> Line {
        line_of(EventType::ProductView, user, name, outcome)
    }

    fn line_of(kind: EventType, user: &str, name: Option<&str>, outcome: Outcome) -> Line {
        let event = Event {
            id: "e".into(),
            user: user.into(),
            kind,
            product: "17".into(),
            name: None,
            at_ms: 1_790_000_625_000,
        };
        Line::event(event, name.map(Into::into), outcome)
    }

    fn text(line: &Line, columns: usize) -> String {
        line.pieces(CLOCK, columns).into_iter().map(|(_, text)| text).collect()
    }

    fn list(count: usize, ms: f64) -> Outcome {
        Outcome::List { count, ms, algorithm: "hybrid".into() }
    }

    #[test]
    fn a_line_reads_as_the_contract_has_it() {
        let shown = text(&line("1", Some("Smart AI Assistant"), list(5, 2.34)), 200);
        assert_eq!(shown, "[14:23:45] product_view user 1 \"Smart AI Assistant\" → 5 recommendations in 2.34 ms");
        let one = text(&line("1", None, list(1, 1_234.5)), 200);
        assert_eq!(one, "[14:23:45] product_view user 1 product 17 → 1 recommendation in 1234 ms");
        assert_eq!(text(&line("1", None, Outcome::NoList), 200), "[14:23:45] product_view user 1 product 17");
    }

    #[test]
    fn a_line_fits_however_long_and_hostile_its_names_are() {
        let hostile = format!("\u{1b}[2J\u{202e}{}", "日本語".repeat(3_000));
        let line = line_of(EventType::RecommendationClick, &"u".repeat(128), Some(&hostile), list(20, 2.34));
        for columns in [62, 71, 72, 78, 80, 96, 120, 400] {
            let shown = text(&line, columns);
            assert!(width(&shown) <= columns, "{columns}: {} {shown}", width(&shown));
            assert!(!shown.contains(['\u{1b}', '\u{202e}']) && shown.ends_with("2.34 ms"), "{shown}");
        }
        let json = line.json().to_string();
        assert!(!json.contains('\u{1b}') && json.contains("\"processingMs\":2.34"), "{json}");
    }

    #[test]
    fn a_dead_letter_says_what_and_why() {
        let dead = Dead {
            at_ms: 1_790_000_625_000,
            place: "user-events[3]@9".into(),
            function: "recommend".into(),
            field: "userId".into(),
            reason: "userId: expected a string,\ngot null".into(),
        };
        let line = Line { at_ms: dead.at_ms, what: What::Dead(dead) };
        let expected = "[14:23:45] dead letter user-events[3]@9 by recommend: userId: expected a string, got null";
        assert_eq!(text(&line, 200), expected);
        assert_eq!(line.json()["field"], "userId");
    }
}
