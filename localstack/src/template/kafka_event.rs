//! MSK and SelfManagedKafka events, within the limits of AWS's event source mapping.

use super::TemplateError;
use super::model::{Function, KafkaMapping, KafkaSource, StartingPosition};
use super::properties::Properties;
use super::yaml::{Node, Value};
use crate::pattern::Filter;

/// Lambda's default window for Kafka.
const DEFAULT_WINDOW_MS: u64 = 500;
/// Retries where they are unbounded and there is an on-failure destination.
const RETRIES_WITH_DESTINATION: u32 = 10;
/// Filters of a mapping, Lambda's default quota.
const MAX_FILTERS: usize = 5;
/// The most a function with a Kafka trigger may run, in seconds.
const MAX_FUNCTION_TIMEOUT_S: u32 = 840;

/// Reads one mapping.
pub(crate) fn read(
    properties: &Properties<'_, '_>,
    kind: &str,
    name: &str,
    function: &Function,
) -> Result<KafkaMapping, TemplateError> {
    if function.timeout_s > MAX_FUNCTION_TIMEOUT_S {
        let message = format!(
            "the function's Timeout is {} s; at most {MAX_FUNCTION_TIMEOUT_S} s go with a Kafka event",
            function.timeout_s
        );
        return Err(properties.error("Type", properties.node.line, message));
    }
    let topics = properties.texts("Topics")?.unwrap_or_default();
    let [topic] = topics.as_slice() else {
        let line = properties.line("Topics");
        return Err(properties.error("Topics", line, format!("exactly one topic was expected; {} came", topics.len())));
    };
    let id = format!("{}/{name}", function.logical_id);
    let consumer_group = properties.text("ConsumerGroupId")?.unwrap_or_else(|| format!("{}-{}", function.name, name));
    let (provisioned, maximum_pollers) = pollers(properties)?;
    let report_batch_item_failures = response_types(properties)?;
    let bisect_on_error = properties.flag("BisectBatchOnFunctionError")?.unwrap_or(false);
    let on_failure = on_failure(properties)?;
    if on_failure.as_deref().and_then(|to| to.strip_prefix("kafka://")) == Some(topic) {
        let message = format!("another topic than {topic} was expected: its own failures would come again for ever");
        return Err(properties.error("DestinationConfig", properties.line("DestinationConfig"), message));
    }
    let retries = properties.number("MaximumRetryAttempts", -1, 10_000)?;
    let age = properties.number("MaximumRecordAgeInSeconds", -1, 604_800)?;
    if let Some(age) = age.filter(|age| (0..60).contains(age)) {
        let line = properties.line("MaximumRecordAgeInSeconds");
        let message = format!("-1 or 60 to 604800 was expected; \"{age}\" came");
        return Err(properties.error("MaximumRecordAgeInSeconds", line, message));
    }
    if !provisioned {
        let bound_by_provisioning = [
            ("FunctionResponseTypes", report_batch_item_failures),
            ("BisectBatchOnFunctionError", bisect_on_error),
            ("MaximumRetryAttempts", retries.is_some()),
            ("MaximumRecordAgeInSeconds", age.is_some()),
            ("DestinationConfig", on_failure.as_ref().is_some_and(|to| to.starts_with("kafka://"))),
            ("SchemaRegistryConfig", properties.node.get("SchemaRegistryConfig").is_some()),
        ];
        if let Some((property, _)) = bound_by_provisioning.iter().find(|(_, used)| *used) {
            let message = "it takes provisioned mode: add ProvisionedPollerConfig to the event";
            return Err(properties.error(property, properties.line(property), message));
        }
    }
    if properties.node.get("SchemaRegistryConfig").is_some() {
        let message = format!("event {name}: SchemaRegistryConfig is not done here yet");
        properties.scope.note(properties.resource, properties.line("SchemaRegistryConfig"), message);
    }
    let retries = retries.and_then(|retries| u32::try_from(retries).ok());
    let window = properties.number("MaximumBatchingWindowInSeconds", 0, 300)?;
    let maximum = |number: Option<i64>, default| number.and_then(|n| u32::try_from(n).ok()).unwrap_or(default);
    Ok(KafkaMapping {
        function: function.logical_id.clone(),
        source: source(properties, kind)?,
        topic: topic.clone(),
        consumer_group,
        batch_size: maximum(properties.number("BatchSize", 1, 10_000)?, 100),
        batching_window_ms: window.and_then(|s| u64::try_from(s).ok()).map_or(DEFAULT_WINDOW_MS, |s| s * 1000),
        starting_position: starting_position(properties)?,
        report_batch_item_failures,
        provisioned,
        maximum_pollers,
        maximum_retry_attempts: match (&on_failure, retries) {
            (Some(_), None) => Some(RETRIES_WITH_DESTINATION),
            (_, retries) => retries,
        },
        maximum_record_age_s: age.and_then(|age| u32::try_from(age).ok()),
        bisect_on_error,
        filters: filters(properties)?,
        on_failure,
        enabled: properties.flag("Enabled")?.unwrap_or(true),
        id,
    })
}

fn pollers(properties: &Properties<'_, '_>) -> Result<(bool, u32), TemplateError> {
    let Some(config) = properties.get("ProvisionedPollerConfig")? else { return Ok((false, 1)) };
    let prefix = format!("{}ProvisionedPollerConfig.", properties.prefix);
    let inner = Properties { prefix: &prefix, node: &config, ..*properties };
    let least = inner.number("MinimumPollers", 1, 200)?.unwrap_or(1);
    let most = inner.number("MaximumPollers", 1, 2_000)?.unwrap_or(200.max(least));
    if least > most {
        let message = format!("{most} came; at least MinimumPollers ({least}) was expected");
        return Err(inner.error("MaximumPollers", inner.line("MaximumPollers"), message));
    }
    Ok((true, u32::try_from(most).unwrap_or(1)))
}

fn response_types(properties: &Properties<'_, '_>) -> Result<bool, TemplateError> {
    let types = properties.texts("FunctionResponseTypes")?.unwrap_or_default();
    match types.iter().find(|kind| *kind != "ReportBatchItemFailures") {
        Some(other) => {
            let line = properties.line("FunctionResponseTypes");
            let message = format!("ReportBatchItemFailures was expected; \"{other}\" came");
            Err(properties.error("FunctionResponseTypes", line, message))
        }
        None => Ok(!types.is_empty()),
    }
}

fn filters(properties: &Properties<'_, '_>) -> Result<Vec<Filter>, TemplateError> {
    let Some(criteria) = properties.get("FilterCriteria")? else { return Ok(Vec::new()) };
    let wrong = |line: usize, message: String| properties.error("FilterCriteria.Filters", line, message);
    let Some(Node { value: Value::Seq(filters), line }) = criteria.get("Filters") else {
        let came = criteria.get("Filters").map_or_else(|| "nothing".to_owned(), Node::came);
        return Err(wrong(criteria.line, format!("a list was expected; {came} came")));
    };
    if filters.len() > MAX_FILTERS {
        return Err(wrong(*line, format!("at most {MAX_FILTERS} filters were expected; {} came", filters.len())));
    }
    let filter = |node: &Node| {
        let Some(pattern) = node.get("Pattern").and_then(Node::text) else {
            return Err(wrong(node.line, format!("a Pattern of text was expected; {} came", node.came())));
        };
        Filter::parse(pattern).map_err(|error| wrong(node.line, error.to_string()))
    };
    filters.iter().map(filter).collect()
}

fn on_failure(properties: &Properties<'_, '_>) -> Result<Option<String>, TemplateError> {
    let Some(config) = properties.get("DestinationConfig")? else { return Ok(None) };
    let destination = config.get("OnFailure").and_then(|node| node.get("Destination"));
    match destination {
        Some(node) => match node.text() {
            Some(text) if text.starts_with("arn:") || text.len() > "kafka://".len() && text.starts_with("kafka://") => {
                Ok(Some(text.to_owned()))
            }
            _ => Err(properties.error(
                "DestinationConfig.OnFailure.Destination",
                node.line,
                format!("an ARN or kafka://topic was expected; {} came", node.came()),
            )),
        },
        None => Ok(None),
    }
}

fn source(properties: &Properties<'_, '_>, kind: &str) -> Result<KafkaSource, TemplateError> {
    if kind == "MSK" {
        return Ok(KafkaSource::Msk { arn: properties.required("Stream")? });
    }
    let servers = properties.texts("KafkaBootstrapServers")?.unwrap_or_default();
    if servers.is_empty() {
        let line = properties.line("KafkaBootstrapServers");
        return Err(properties.error("KafkaBootstrapServers", line, "it is required; nothing came"));
    }
    Ok(KafkaSource::SelfManaged { bootstrap_servers: servers.join(",") })
}

fn starting_position(properties: &Properties<'_, '_>) -> Result<StartingPosition, TemplateError> {
    let line = properties.line("StartingPosition");
    let Some(position) = properties.text("StartingPosition")? else {
        let message = format!("{}StartingPosition: nothing came; TRIM_HORIZON stands in for it", properties.prefix);
        properties.scope.note(properties.resource, line, message);
        return Ok(StartingPosition::TrimHorizon);
    };
    match position.as_str() {
        "LATEST" => Ok(StartingPosition::Latest),
        "TRIM_HORIZON" => Ok(StartingPosition::TrimHorizon),
        "AT_TIMESTAMP" => {
            let node = properties.get("StartingPositionTimestamp")?;
            // Unix seconds, whole or with a fraction.
            let seconds = node.as_ref().and_then(Node::text).and_then(|text| text.parse::<f64>().ok());
            if let Some(seconds) = seconds.filter(|seconds| (0.0..=1e11).contains(seconds)) {
                return Ok(StartingPosition::AtTimestamp((seconds * 1000.0) as i64));
            }
            let came = node.map_or_else(|| "nothing".to_owned(), |node| node.came());
            let line = properties.line("StartingPositionTimestamp");
            let message = format!("Unix seconds were expected; {came} came");
            Err(properties.error("StartingPositionTimestamp", line, message))
        }
        other => Err(properties.error(
            "StartingPosition",
            line,
            format!("LATEST, TRIM_HORIZON or AT_TIMESTAMP was expected; \"{other}\" came"),
        )),
    }
}
