//! CloudWatch's embedded metric format: a JSON line on stdout that CloudWatch Logs turns into metrics.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

static ENABLED: AtomicBool = AtomicBool::new(false);

/// The metrics' namespace.
const NAMESPACE: &str = "Freshet";

pub(crate) fn enable(on: bool) {
    ENABLED.store(on, Ordering::Relaxed);
}

/// Counts `values` under the dimension `function`.
pub(crate) fn count(function: &str, values: &[(&'static str, f64, &'static str)]) {
    if ENABLED.load(Ordering::Relaxed) && !values.is_empty() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        println!("{}", line(function, values, now));
    }
}

fn line(function: &str, values: &[(&'static str, f64, &'static str)], now_ms: u128) -> serde_json::Value {
    let metrics: Vec<_> =
        values.iter().map(|(name, _, unit)| serde_json::json!({"Name": name, "Unit": unit})).collect();
    let mut line = serde_json::json!({
        "_aws": {
            "Timestamp": u64::try_from(now_ms).unwrap_or(u64::MAX),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["function"]], "Metrics": metrics}],
        },
        "function": function,
    });
    for (name, value, _) in values {
        line[*name] = serde_json::json!(value);
    }
    line
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_has_what_cloudwatch_asks_for() {
        let line = super::line("recommend", &[("Records", 3.0, "Count")], 7);
        assert_eq!(line["_aws"]["Timestamp"], 7);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "Records");
        assert_eq!((&line["function"], &line["Records"]), (&"recommend".into(), &3.0.into()));
    }
}
