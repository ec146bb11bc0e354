//! One terminal for the status line and the logs: a log line goes above, the status line stays.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use freshet_localstack::functions::{LogLine, LogSource};
use indicatif::ProgressBar;
use serde_json::Value;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::style::{DIM, paint};

/// Of functions' names: readable on dark and on light, and none that says good or bad.
const COLORS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightBlue,
];

/// Shared by everybody who prints.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    line: ProgressBar,
}

impl Terminal {
    /// A terminal whose last line is `line`.
    pub(crate) fn new(line: ProgressBar) -> Self {
        Self { line }
    }

    /// Prints a line on stderr.
    pub(crate) fn print(&self, text: &str) {
        self.line.suspend(|| anstream::eprintln!("{text}"));
    }

    /// Shows the local cloud's own logs: warnings and errors, or with `verbose` more. Later calls change nothing.
    pub(crate) fn show_logs(&self, verbose: bool) {
        // librdkafka reports every reconnect as an error, dynoxide every refused request (a table that exists already).
        let filter = if verbose { "info" } else { "warn,librdkafka=off,rdkafka=off,dynoxide=error" };
        let _ = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(filter))
            .with_writer(self.clone())
            .with_target(false)
            .without_time()
            .with_ansi(true)
            .try_init();
    }

    /// Shows a line of a function's log.
    pub(crate) fn function_line(&self, line: &LogLine<'_>, verbose: bool) {
        if let Some(text) = function_line(line, verbose) {
            self.print(&text);
        }
    }
}

/// A line of a function's log as it is shown: name, request id, and the line as it was written. Without `verbose` warnings,
/// errors, and what is not a log line (a panic).
fn function_line(line: &LogLine<'_>, verbose: bool) -> Option<String> {
    let shown = verbose || (line.source == LogSource::Function && !is_below_warning(line.text));
    if !shown || line.text.trim().is_empty() {
        return None;
    }
    let name = paint(color_of(line.function), line.function);
    let id = line.request_id.map(|id| paint(DIM, format!(" {id}"))).unwrap_or_default();
    let text = if line.source == LogSource::Platform { paint(DIM, line.text) } else { line.text.to_owned() };
    Some(format!("{name}{id} {text}"))
}

/// A log line in JSON that tells a level, and that level is neither a warning nor an error.
fn is_below_warning(line: &str) -> bool {
    let Some(fields) = serde_json::from_str::<Value>(line).ok().filter(Value::is_object) else { return false };
    let level = fields["level"].as_str().unwrap_or("INFO").to_ascii_uppercase();
    !matches!(level.as_str(), "WARN" | "WARNING" | "ERROR" | "FATAL" | "CRITICAL")
}

/// Each function has a colour of its own, the same in every run.
fn color_of(function: &str) -> Style {
    let hash = function
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let color = COLORS[(hash % COLORS.len() as u64) as usize];
    Style::new().fg_color(Some(color.into())).effects(anstyle::Effects::BOLD)
}

/// Collects one event's text and prints it at the end.
pub(crate) struct EventText {
    terminal: Terminal,
    text: Vec<u8>,
}

impl Write for EventText {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for EventText {
    fn drop(&mut self) {
        self.terminal.print(String::from_utf8_lossy(&self.text).trim_end());
    }
}

impl<'a> MakeWriter<'a> for Terminal {
    type Writer = EventText;

    fn make_writer(&'a self) -> EventText {
        EventText { terminal: self.clone(), text: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(function: &str, text: &str, verbose: bool) -> Option<String> {
        let line = LogLine { function, request_id: Some("r-1"), source: LogSource::Function, text };
        function_line(&line, verbose)
    }

    fn plain(text: Option<String>) -> String {
        anstream::adapter::strip_str(&text.unwrap()).to_string()
    }

    #[test]
    fn warnings_errors_and_panics_are_shown_and_the_rest_on_demand() {
        let info = r#"{"level":"INFO","message":"batch","records":3}"#;
        assert_eq!(shown("learn", info, false), None);
        assert_eq!(plain(shown("learn", info, true)), format!("learn r-1 {info}"));
        let warning = r#"{"level":"WARN","message":"conflict","target":"x","key":"g1#7"}"#;
        assert_eq!(plain(shown("learn", warning, false)), format!("learn r-1 {warning}"));
        assert_eq!(plain(shown("api", "thread 'main' panicked", false)), "api r-1 thread 'main' panicked");
        assert_eq!(shown("api", "  ", true), None);
        let text = "END RequestId: r-1";
        let platform = LogLine { function: "api", request_id: Some("r-1"), source: LogSource::Platform, text };
        assert_eq!(function_line(&platform, false), None);
        assert_eq!(plain(function_line(&platform, true)), "api r-1 END RequestId: r-1");
        let early = LogLine { function: "api", request_id: None, source: LogSource::Function, text: "ready" };
        assert_eq!(plain(function_line(&early, false)), "api ready");
    }

    #[test]
    fn a_function_keeps_its_colour_and_others_have_others() {
        assert_eq!(color_of("freshet-Api"), color_of("freshet-Api"));
        let ours =
            ["Api", "Recommend", "Learn", "Measure", "Push", "Socket"].map(|name| color_of(&format!("freshet-{name}")));
        let different: std::collections::BTreeSet<String> =
            ours.iter().map(|style| style.render().to_string()).collect();
        assert!(different.len() >= 3, "{different:?}");
    }
}
