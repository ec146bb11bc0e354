//! The engine's settings as a TOML file: which there are, what they may be, what they mean. One line of [`SETTINGS`] each.

use std::fmt::{Debug, Display, Write as _};
use std::ops::RangeInclusive;
use std::path::Path;

use freshet_engine::Config;
use toml::{Table, Value};

use crate::args::Usage;

/// A day, and ten years, in milliseconds.
const DAY: i64 = 86_400_000;
const LONG: i64 = 3_653 * DAY;

/// One setting.
struct Setting {
    /// Its name in the file and in [`Config`].
    name: &'static str,
    /// What it is, with its unit.
    what: &'static str,
    /// Its value as TOML.
    show: fn(&Config) -> String,
    /// Takes a value over, or says what was expected.
    set: fn(&mut Config, &Value) -> Result<(), String>,
}

/// A table with one line a field of [`Config`]: its name, what it may be, what it is.
macro_rules! settings {
    ($($name:ident: $range:expr, $what:literal;)+) => {
        const SETTINGS: &[Setting] = &[$(Setting {
            name: stringify!($name),
            what: $what,
            show: |config| format!("{:?}", config.$name),
            set: |config, value| {
                config.$name = read(value, &$range)?;
                Ok(())
            },
        }),+];

        /// Does not compile where a field of [`Config`] has no line in the table.
        #[cfg(test)]
        fn every_field_has_a_line(config: &Config) {
            let Config { $($name: _),+ } = config;
        }
    };
}

settings! {
    context_steps: 1..=30, "Earlier products of a visit that an event is linked to; each is one more write an event";
    context_items: 1..=50, "Distinct products, newest first, whose companions a list is made from";
    neighbours: 1..=1_000, "Companions that a product keeps";
    half_life_ms: 60_000..=LONG, "What is known of companions and demand counts half after this time, milliseconds";
    trend_half_life_ms: 60_000..=LONG, "What is wanted of late counts half after this time, milliseconds";
    bridges: 0..=100, "The strongest candidates whose own companions are candidates as well";
    diversity: 0.0..=10.0, "What a score loses for being the second (fourth, eighth, ...) of its category in a list; 0: nothing";
    explore: 0.0..=1.0, "Share of lists whose last place goes to a product that nobody has had to do with yet";
    learning_rate: 0.0..=1.0, "How fast the blend of features learns; 0: never";
    visit_gap_ms: 1_000..=30 * DAY, "A visit ends after this time without an event, milliseconds";
    view_weight: 0.0..=100.0, "Interest shown by a view, or by a click on a recommendation";
    cart_weight: 0.0..=100.0, "Interest shown by putting into the cart";
    purchase_weight: 0.0..=100.0, "Interest shown by buying";
}

/// A type that settings have.
trait Number: PartialOrd + Copy + Display + Debug {
    /// What it is called where something else came.
    const NAME: &'static str;

    fn of(value: &Value) -> Option<Self>;
}

impl Number for usize {
    const NAME: &'static str = "a whole number";

    fn of(value: &Value) -> Option<Self> {
        value.as_integer()?.try_into().ok()
    }
}

impl Number for i64 {
    const NAME: &'static str = "a whole number";

    fn of(value: &Value) -> Option<Self> {
        value.as_integer()
    }
}

impl Number for f32 {
    const NAME: &'static str = "a number";

    fn of(value: &Value) -> Option<Self> {
        value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64)).map(|number| number as Self)
    }
}

fn read<T: Number>(value: &Value, range: &RangeInclusive<T>) -> Result<T, String> {
    let expected = || format!("{} from {} to {}", T::NAME, range.start(), range.end());
    T::of(value).filter(|number| range.contains(number)).ok_or_else(expected)
}

/// The defaults, or what the file makes of them.
///
/// # Errors
/// [`Usage`]: the file can't be read, is no TOML, or has a key that is unknown or out of its range; by name.
pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Config> {
    let Some(file) = file else { return Ok(Config::default()) };
    let name = file.display();
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| Usage(format!("--config: expected a readable file, got {name}: {error}")))?;
    parse(&text).map_err(|wrong| Usage(format!("--config: {name}: {wrong}")).into())
}

fn parse(text: &str) -> Result<Config, String> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| format!("expected TOML: {error}"))?;
    let mut config = Config::default();
    for (key, value) in &table {
        let setting = SETTINGS.iter().find(|setting| setting.name == key).ok_or_else(|| {
            let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            format!("unknown key {key:?}: expected {}", names.join(", "))
        })?;
        (setting.set)(&mut config, value)
            .map_err(|expected| format!("{key}: expected {expected}, got {}", shown(value)))?;
    }
    Ok(config)
}

/// The settings that differ: name, value of `a`, value of `b`.
pub(crate) fn differences(a: &Config, b: &Config) -> Vec<(&'static str, String, String)> {
    let shown = SETTINGS.iter().map(|Setting { name, show, .. }| (*name, show(a), show(b)));
    shown.filter(|(_, a, b)| a != b).collect()
}

/// A value that was not expected.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        other => format!("a TOML {}", other.type_str()),
    }
}

/// The settings as a file for `--config`.
pub(crate) fn print(config: &Config) -> String {
    let mut text = "# The settings of the engine. A line that is left out is the default.\n".to_owned();
    for Setting { name, what, show, .. } in SETTINGS {
        let _ = write!(text, "\n# {what}\n{name} = {}\n", show(config));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back_and_is_the_default() {
        every_field_has_a_line(&Config::default());
        let printed = print(&Config::default());
        assert_eq!(parse(&printed), Ok(Config::default()), "{printed}");
        assert_eq!(parse(""), Ok(Config::default()));
        let changed = parse("neighbours = 7\nlearning_rate = 1\nview_weight = 0.25\n").unwrap();
        let expected = Config { neighbours: 7, learning_rate: 1.0, view_weight: 0.25, ..Config::default() };
        assert_eq!(changed, expected);
        let differ: Vec<&str> = differences(&Config::default(), &changed).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(differ, ["neighbours", "learning_rate", "view_weight"]);
        assert_eq!(parse(&print(&changed)), Ok(changed));
    }

    #[test]
    fn a_wrong_setting_says_which_what_was_expected_and_what_came() {
        for (text, says) in [
            ("neighbors = 7", "unknown key \"neighbors\": expected context_steps, context_items, neighbours,"),
            ("neighbours = 0", "neighbours: expected a whole number from 1 to 1000, got 0"),
            ("neighbours = -1", "neighbours: expected a whole number from 1 to 1000, got -1"),
            ("neighbours = 1.5", "neighbours: expected a whole number from 1 to 1000, got 1.5"),
            ("neighbours = \"many\"", "neighbours: expected a whole number from 1 to 1000, got \"many\""),
            ("learning_rate = nan", "learning_rate: expected a number from 0 to 1, got NaN"),
            ("[neighbours]\nn = 1", "neighbours: expected a whole number from 1 to 1000, got a TOML table"),
            ("half_life_ms = 1", "half_life_ms: expected a whole number from 60000 to 315619200000, got 1"),
            ("neighbours", "expected TOML"),
            ("neighbours = 1\nneighbours = 2", "duplicate key"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_wrong_use() {
        let error = load(Some(Path::new("/nowhere/engine.toml"))).unwrap_err();
        assert!(error.is::<Usage>() && error.to_string().contains("/nowhere/engine.toml"), "{error}");
    }
}
