//! One terminal for the status line and the logs: a log line goes above, the status line stays.

use std::io::Write;

use indicatif::ProgressBar;
use serde_json::Value;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::style::{BOLD, DIM, WARN, paint};

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

    /// Shows a line of a function.
    pub(crate) fn function_line(&self, function: &str, line: &str, verbose: bool) {
        if let Some(text) = function_line(function, line, verbose) {
            self.print(&text);
        }
    }
}

/// A function's line as it is shown: warnings, errors, and what is not a log line (a panic), or all of them.
fn function_line(function: &str, line: &str, verbose: bool) -> Option<String> {
    if line.trim().is_empty() {
        return None;
    }
    let name = paint(BOLD, function);
    let Some(fields) = serde_json::from_str::<Value>(line).ok().filter(Value::is_object) else {
        return Some(format!("{name} {line}"));
    };
    let level = fields["level"].as_str().unwrap_or("INFO");
    let bad = matches!(level, "WARN" | "ERROR");
    if !bad && !verbose {
        return None;
    }
    let mut text = format!("{name} {}", paint(if bad { WARN } else { DIM }, level));
    if let Some(message) = fields["message"].as_str() {
        text.push(' ');
        text.push_str(message);
    }
    for (field, value) in fields.as_object().into_iter().flatten() {
        if !matches!(field.as_str(), "level" | "message" | "target" | "timestamp") {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.push_str(&paint(DIM, format!(" {field}={value}")));
        }
    }
    Some(text)
}

/// Collects one event's text and prints it at the end.
pub(crate) struct LogLine {
    terminal: Terminal,
    text: Vec<u8>,
}

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for LogLine {
    fn drop(&mut self) {
        self.terminal.print(String::from_utf8_lossy(&self.text).trim_end());
    }
}

impl<'a> MakeWriter<'a> for Terminal {
    type Writer = LogLine;

    fn make_writer(&'a self) -> LogLine {
        LogLine { terminal: self.clone(), text: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_errors_and_panics_are_shown_and_the_rest_on_demand() {
        let info = r#"{"level":"INFO","message":"batch","records":3}"#;
        assert_eq!(function_line("learn", info, false), None);
        let plain = |text: Option<String>| anstream::adapter::strip_str(&text.unwrap()).to_string();
        assert_eq!(plain(function_line("learn", info, true)), "learn INFO batch records=3");
        let warning = r#"{"level":"WARN","message":"conflict","target":"x","key":"g1#7"}"#;
        assert_eq!(plain(function_line("learn", warning, false)), "learn WARN conflict key=g1#7");
        assert_eq!(plain(function_line("api", "thread 'main' panicked", false)), "api thread 'main' panicked");
        assert_eq!(function_line("api", "  ", true), None);
    }
}
