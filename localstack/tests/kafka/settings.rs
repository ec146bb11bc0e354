//! The settings of a mapping as the template gives them: defaults, ranges, and what takes provisioned mode.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html>.

use std::path::Path;

use freshet_localstack::template::model::{KafkaMapping, KafkaSource, StartingPosition};
use freshet_localstack::template::{Settings, TemplateError, parse};

/// The mapping of an event with these properties.
fn mapping(kind: &str, properties: &str, timeout_s: u32) -> Result<KafkaMapping, TemplateError> {
    let stream = if kind == "MSK" {
        "Stream: arn:aws:kafka:eu-west-1:1:cluster/c/1"
    } else {
        "KafkaBootstrapServers: [a:1, b:2]"
    };
    let template = format!(
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: provided.al2023\n      \
         Timeout: {timeout_s}\n      Events:\n        E:\n          Type: {kind}\n          Properties: \
         {{{stream}, Topics: [t], StartingPosition: LATEST{properties}}}\n"
    );
    parse(&template, Path::new("."), &Settings::default()).map(|stack| stack.mappings[0].clone())
}

fn msk(properties: &str) -> KafkaMapping {
    mapping("MSK", properties, 3).unwrap()
}

/// What is said of a mapping that is refused.
fn refusal(properties: &str) -> String {
    mapping("MSK", properties, 3).unwrap_err().to_string()
}

const PROVISIONED: &str = ", ProvisionedPollerConfig: {MinimumPollers: 1, MaximumPollers: 3}";

macro_rules! refused {
    ($($name:ident: $properties:expr => $words:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let said = refusal(&format!(", {}", $properties));
                assert!($words.iter().all(|word| said.contains(word)) && said.contains("line"), "{said}");
            }
        )*
    };
}

refused! {
    retries_take_provisioned_mode: "MaximumRetryAttempts: 3" => ["MaximumRetryAttempts", "provisioned mode"];
    a_record_age_takes_provisioned_mode: "MaximumRecordAgeInSeconds: 60" => ["MaximumRecordAgeInSeconds", "provisioned mode"];
    bisecting_takes_provisioned_mode: "BisectBatchOnFunctionError: true" => ["BisectBatchOnFunctionError", "provisioned mode"];
    partial_failures_take_provisioned_mode:
        "FunctionResponseTypes: [ReportBatchItemFailures]" => ["FunctionResponseTypes", "provisioned mode"];
    a_kafka_topic_as_destination_takes_provisioned_mode:
        "DestinationConfig: {OnFailure: {Destination: kafka://dead}}" => ["DestinationConfig", "provisioned mode"];
    a_schema_registry_takes_provisioned_mode: "SchemaRegistryConfig: {}" => ["SchemaRegistryConfig", "provisioned mode"];
    a_batch_size_of_none_is_refused: "BatchSize: 0" => ["BatchSize", "1", "10000"];
    a_batch_size_over_ten_thousand_is_refused: "BatchSize: 10001" => ["BatchSize", "10000", "10001"];
    a_window_over_five_minutes_is_refused: "MaximumBatchingWindowInSeconds: 301" => ["MaximumBatchingWindowInSeconds", "300"];
    a_window_of_half_a_second_is_refused: "MaximumBatchingWindowInSeconds: 0.5" => ["MaximumBatchingWindowInSeconds"];
    retries_under_minus_one_are_refused: "MaximumRetryAttempts: -2" => ["MaximumRetryAttempts", "-1"];
    retries_over_ten_thousand_are_refused: "MaximumRetryAttempts: 10001" => ["MaximumRetryAttempts", "10000"];
    a_record_age_under_a_minute_is_refused: "MaximumRecordAgeInSeconds: 59" => ["MaximumRecordAgeInSeconds", "60"];
    a_record_age_over_a_week_is_refused: "MaximumRecordAgeInSeconds: 604801" => ["MaximumRecordAgeInSeconds", "604800"];
    no_minimum_poller_is_refused: "ProvisionedPollerConfig: {MinimumPollers: 0}" => ["MinimumPollers", "1"];
    over_two_hundred_minimum_pollers_are_refused:
        "ProvisionedPollerConfig: {MinimumPollers: 201}" => ["MinimumPollers", "200"];
    over_two_thousand_pollers_are_refused: "ProvisionedPollerConfig: {MaximumPollers: 2001}" => ["MaximumPollers", "2000"];
    a_maximum_under_the_minimum_is_refused:
        "ProvisionedPollerConfig: {MinimumPollers: 5, MaximumPollers: 4}" => ["MaximumPollers", "5"];
    six_filters_are_refused:
        "FilterCriteria: {Filters: [{Pattern: '{}'}, {Pattern: '{}'}, {Pattern: '{}'}, {Pattern: '{}'}, {Pattern: '{}'}, {Pattern: '{}'}]}"
        => ["FilterCriteria", "5", "6"];
    a_pattern_that_is_none_is_refused: "FilterCriteria: {Filters: [{Pattern: '{\"value\": 3}'}]}" => ["FilterCriteria"];
    a_pattern_of_something_else_than_the_value_is_refused:
        "FilterCriteria: {Filters: [{Pattern: '{\"key\": [\"a\"]}'}]}" => ["FilterCriteria", "value"];
    a_destination_that_is_neither_an_arn_nor_a_topic_is_refused:
        "DestinationConfig: {OnFailure: {Destination: dead}}" => ["DestinationConfig", "kafka://"];
    a_topic_as_its_own_destination_is_refused:
        "ProvisionedPollerConfig: {MinimumPollers: 1}, DestinationConfig: {OnFailure: {Destination: kafka://t}}"
        => ["DestinationConfig", "another topic"];
    another_response_type_is_refused: "FunctionResponseTypes: [Everything]" => ["FunctionResponseTypes", "ReportBatchItemFailures"];
}

#[test]
fn two_topics_are_refused() {
    let template = "Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {Runtime: provided.al2023, Events: {E: {Type: MSK, \
        Properties: {Stream: 'arn:aws:kafka:x', Topics: [a, b], StartingPosition: LATEST}}}}}}";
    let said = parse(template, Path::new("."), &Settings::default()).unwrap_err().to_string();
    assert!(said.contains("exactly one topic") && said.contains('2'), "{said}");
}

#[test]
fn a_timestamp_position_takes_a_timestamp() {
    let template = "Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {Runtime: provided.al2023, Events: {E: {Type: MSK, \
        Properties: {Stream: 'arn:aws:kafka:x', Topics: [a], StartingPosition: AT_TIMESTAMP}}}}}}";
    let said = parse(template, Path::new("."), &Settings::default()).unwrap_err().to_string();
    assert!(said.contains("StartingPositionTimestamp") && said.contains("Unix seconds"), "{said}");
}

#[test]
fn a_function_that_may_run_longer_than_14_minutes_is_refused() {
    assert!(mapping("MSK", "", 840).is_ok());
    let said = mapping("MSK", "", 841).unwrap_err().to_string();
    assert!(said.contains("841") && said.contains("840"), "{said}");
}

#[test]
fn what_is_not_given_has_the_clouds_defaults() {
    let mapping = msk("");
    assert_eq!((mapping.batch_size, mapping.batching_window_ms), (100, 500));
    assert_eq!((mapping.maximum_retry_attempts, mapping.maximum_record_age_s), (None, None));
    assert!(mapping.enabled && !mapping.provisioned && !mapping.bisect_on_error && mapping.filters.is_empty());
    assert_eq!(mapping.starting_position, StartingPosition::Latest);
}

#[test]
fn provisioned_mode_takes_what_on_demand_does_not() {
    let all = ", MaximumRetryAttempts: 3, MaximumRecordAgeInSeconds: 60, BisectBatchOnFunctionError: true, \
        FunctionResponseTypes: [ReportBatchItemFailures], DestinationConfig: {OnFailure: {Destination: kafka://dead}}";
    let mapping = msk(&format!("{PROVISIONED}{all}"));
    assert_eq!((mapping.maximum_pollers, mapping.maximum_retry_attempts), (3, Some(3)));
    assert_eq!((mapping.maximum_record_age_s, mapping.on_failure.as_deref()), (Some(60), Some("kafka://dead")));
    assert!(mapping.provisioned && mapping.bisect_on_error && mapping.report_batch_item_failures);
}

#[test]
fn minus_one_means_no_limit() {
    let mapping = msk(&format!("{PROVISIONED}, MaximumRetryAttempts: -1, MaximumRecordAgeInSeconds: -1"));
    assert_eq!((mapping.maximum_retry_attempts, mapping.maximum_record_age_s), (None, None));
}

#[test]
fn unlimited_retries_with_a_destination_are_ten() {
    let destination = "DestinationConfig: {OnFailure: {Destination: kafka://dead}}";
    assert_eq!(msk(&format!("{PROVISIONED}, {destination}")).maximum_retry_attempts, Some(10));
    let explicit = format!("{PROVISIONED}, MaximumRetryAttempts: -1, {destination}");
    assert_eq!(msk(&explicit).maximum_retry_attempts, Some(10));
}

#[test]
fn a_queue_as_destination_needs_no_provisioned_mode() {
    let queue = "arn:aws:sqs:us-east-1:000000000000:dead";
    let mapping = msk(&format!(", DestinationConfig: {{OnFailure: {{Destination: '{queue}'}}}}"));
    assert_eq!((mapping.provisioned, mapping.on_failure.as_deref()), (false, Some(queue)));
}

#[test]
fn a_group_without_a_name_has_one_of_its_own() {
    assert_eq!(msk(", ConsumerGroupId: shop").consumer_group, "shop");
    assert_ne!(msk("").consumer_group, "");
}

#[test]
fn a_self_managed_cluster_is_named_by_its_brokers() {
    let mapping = mapping("SelfManagedKafka", "", 3).unwrap();
    assert_eq!(mapping.source, KafkaSource::SelfManaged { bootstrap_servers: "a:1,b:2".to_owned() });
}
