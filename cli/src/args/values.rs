//! Values of flags.

use std::time::Duration;

use crate::kafka::Since;

pub(super) fn host_port(text: &str) -> Result<String, String> {
    let well_formed = |one: &str| {
        one.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0))
    };
    if text.split(',').all(well_formed) {
        Ok(text.to_owned())
    } else {
        Err("expected HOST:PORT, such as 127.0.0.1:9092".to_owned())
    }
}

pub(super) fn name_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as RecommendBatchSize=500".to_owned()),
    }
}

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    let expected = "expected seconds from 0 to 3600, such as 0.5";
    text.parse().ok().filter(|s| (0.0..=3600.0).contains(s)).ok_or_else(|| expected.to_owned())
}

/// Where reading begins.
pub(super) fn since(text: &str) -> Result<Since, String> {
    if text == "beginning" {
        return Ok(Since::Beginning);
    }
    let expected = "expected a time such as 30s, 5m, 2h or 1d ago, 2026-11-25T08:00:00Z, or `beginning`";
    time(text).ok_or_else(|| expected.to_owned())
}

/// Where reading ends.
pub(super) fn until(text: &str) -> Result<Since, String> {
    time(text).ok_or_else(|| "expected a time such as 30s, 5m, 2h or 1d ago, or 2026-11-25T08:00:00Z".to_owned())
}

fn time(text: &str) -> Option<Since> {
    if let Some(at_ms) = freshet_events::parse_iso8601(text) {
        return (at_ms >= 0).then_some(Since::At(at_ms));
    }
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let count: u32 = text[..text.len() - 1].parse().ok()?;
    Some(Since::Ago(Duration::from_secs(u64::from(count) * unit)))
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    let expected = "expected events a second from 0.001 to 1000000, such as 200";
    text.parse().ok().filter(|rate| (0.001..=1_000_000.0).contains(rate)).ok_or_else(|| expected.to_owned())
}
