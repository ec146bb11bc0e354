//! Colours: on a terminal, unless `--color never` or `NO_COLOR` say otherwise. `anstream` strips them elsewhere.

use std::ffi::OsString;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// What failed.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What deserves a look.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// What went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Names and headings.
pub(crate) const BOLD: Style = Style::new().bold();
/// What may be skipped.
pub(crate) const DIM: Style = Style::new().dimmed();

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also into pipes and files.
    Always,
    /// Never.
    Never,
}

/// Errors and help come out while the arguments are still being read: a first look at them.
pub(crate) fn before_parsing(args: impl Iterator<Item = OsString>) {
    let args: Vec<OsString> = args.take_while(|arg| arg != "--").collect();
    let given = args.iter().enumerate().find_map(|(index, arg)| {
        let text = arg.to_str()?;
        text.strip_prefix("--color=").map(str::to_owned).or_else(|| {
            let next = args.get(index + 1)?.to_str()?;
            (text == "--color").then(|| next.to_owned())
        })
    });
    apply(given.and_then(|name| Color::from_str(&name, false).ok()).unwrap_or_default());
}

/// Makes `color` the rule of everything printed.
pub(crate) fn apply(color: Color) {
    match color {
        Color::Auto => anstream::ColorChoice::Auto.write_global(),
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

/// The rule, in clap's words.
pub(crate) fn clap_choice() -> clap::ColorChoice {
    match anstream::ColorChoice::global() {
        anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi => clap::ColorChoice::Always,
        anstream::ColorChoice::Never => clap::ColorChoice::Never,
        anstream::ColorChoice::Auto => clap::ColorChoice::Auto,
    }
}

/// `text` in `style`.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{}{text}{}", style.render(), style.render_reset())
}
