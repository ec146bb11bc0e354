mod fuzz;
mod language;
mod left_out;
mod nested;

use std::path::Path;

use super::model::{Code, KafkaSource, SecretValue, StartingPosition};
use super::{Settings, Stack, TemplateError, parse};

const TEMPLATE: &str = include_str!("fixtures/shop.yaml");

pub(super) fn settings(parameters: &[(&str, &str)]) -> Settings {
    Settings {
        parameters: parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..Settings::default()
    }
}

pub(super) fn read(text: &str, parameters: &[(&str, &str)]) -> Result<Stack, TemplateError> {
    parse(text, Path::new("/project"), &settings(parameters))
}

#[test]
fn a_whole_template_is_resolved() {
    let stack = read(TEMPLATE, &[("Brokers", "b-1:9092,b-2:9092"), ("Stage", "prod")]).unwrap();
    let api = &stack.functions["Api"];
    assert_eq!(api.name, "freshet-Api");
    assert_eq!(api.code, Code::CargoBinary("shop-api".to_owned()));
    assert_eq!((api.timeout_s, api.memory_mb), (10, 256));
    let env = |name: &str| api.environment[name].as_str();
    assert_eq!(env("TABLE"), "orders-prod");
    assert_eq!(env("LEVEL"), "warn");
    assert_eq!(env("SHARED"), "of the globals");
    assert_eq!(env("OVERRIDDEN"), "by the function");
    assert_eq!(env("TABLE_ARN"), "arn:aws:dynamodb:us-east-1:000000000000:table/orders-prod");
    assert_eq!(env("SELF"), "${keep} freshet in us-east-1: b-1:9092");
    assert_eq!(env("SIZE"), "0100");
    assert_eq!(env("JOINED"), "b-1:9092;b-2:9092");
    assert!(!api.environment.contains_key("ABSENT"));

    let table = &stack.tables["Orders"];
    assert_eq!((table.name.as_str(), table.hash_key.as_str()), ("orders-prod", "pk"));
    assert_eq!(table.range_key.as_deref(), Some("sk"));
    assert_eq!(table.ttl_attribute.as_deref(), Some("expiresAt"));
    assert_eq!(table.indexes[0].name, "by-user");
    assert_eq!(stack.tables["Simple"].hash_key, "id");

    let shop = &stack.http_apis["Shop"];
    let routes: Vec<(&str, &str)> = shop.routes.iter().map(|r| (r.method.as_str(), r.path.as_str())).collect();
    assert_eq!(routes, [("POST", "/orders"), ("ANY", "/{proxy+}")]);
    let cors = shop.cors.as_ref().unwrap();
    assert_eq!(cors.allow_origins, ["https://shop.example"]);
    assert!(cors.allow_credentials);
    assert_eq!(stack.http_apis["ServerlessHttpApi"].routes[0].path, "$default");

    let [orders, foreign] = stack.mappings.as_slice() else { panic!("two mappings") };
    assert_eq!((orders.id.as_str(), orders.topic.as_str()), ("Work/Orders", "orders"));
    assert_eq!((orders.batch_size, orders.batching_window_ms, orders.maximum_pollers), (1000, 0, 4));
    assert!(orders.provisioned && orders.report_batch_item_failures && orders.enabled);
    assert_eq!(orders.starting_position, StartingPosition::TrimHorizon);
    assert!(matches!(&orders.source, KafkaSource::Msk { arn } if arn.contains(":cluster/freshet-Cluster/")));
    assert_eq!((foreign.batch_size, foreign.batching_window_ms), (100, 500));
    assert_eq!(foreign.source, KafkaSource::SelfManaged { bootstrap_servers: "b-1:9092,b-2:9092".to_owned() });
    assert_eq!(stack.outputs["Table"], "orders-prod");

    let notes: Vec<(&str, bool)> = stack.notes.iter().map(|n| (n.resource.as_str(), n.line > 1)).collect();
    assert!(notes.contains(&("Cluster", true)), "{notes:?}");
    assert!(notes.contains(&("Work", true)), "a schedule triggers nothing here: {notes:?}");
    assert!(!stack.functions.contains_key("OnlyInDev"));
}

#[test]
fn queues_secrets_parameters_and_indexes_are_read() {
    let stack = read(TEMPLATE, &[("Brokers", "b")]).unwrap();
    let queue = &stack.queues["Queue"];
    assert_eq!((queue.name.as_str(), queue.fifo, queue.visibility_timeout_s), ("freshet-Queue.fifo", true, Some(60)));
    let redrive = queue.redrive.as_ref().unwrap();
    assert_eq!(redrive.target_arn, "arn:aws:sqs:us-east-1:000000000000:dead.fifo");
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo","maxReceiveCount":3}"#;
    let given = [("FifoQueue", "true"), ("RedrivePolicy", policy), ("VisibilityTimeout", "60")];
    assert_eq!(queue.attributes, given.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
    let secret = &stack.secrets[0];
    let SecretValue::Generated(generated) = &secret.value else { panic!("{secret:?}") };
    assert_eq!((secret.name.as_str(), generated.length), ("shop/password", 20));
    assert_eq!(generated.within, Some((r#"{"user": "shop"}"#.to_owned(), "password".to_owned())));
    let parameter = &stack.parameters[0];
    assert_eq!((parameter.name.as_str(), parameter.value.as_str()), ("/shop/setting", "dev"));
    let table = &stack.tables["History"];
    assert_eq!(table.stream.as_deref(), Some("NEW_IMAGE"));
    let index = &table.local_indexes[0];
    assert_eq!((index.name.as_str(), index.range_key.as_deref()), ("by-time", Some("at")));
    assert_eq!((index.projection.as_str(), index.non_key_attributes.as_slice()), ("INCLUDE", &["what".to_owned()][..]));
}

#[test]
fn conditions_choose_resources_and_values() {
    let stack = read(TEMPLATE, &[("Brokers", "b"), ("Stage", "dev")]).unwrap();
    assert!(stack.functions.contains_key("OnlyInDev"));
    assert_eq!(stack.functions["Api"].environment["LEVEL"], "debug");
}

#[test]
fn a_parameter_is_checked_by_name() {
    let message = |parameters: &[(&str, &str)]| read(TEMPLATE, parameters).unwrap_err().to_string();
    assert!(message(&[]).contains("Brokers"), "{}", message(&[]));
    let wrong = message(&[("Brokers", "b"), ("Stage", "moon")]);
    assert!(wrong.contains("Stage") && wrong.contains("dev, prod") && wrong.contains("moon"), "{wrong}");
    let pattern = message(&[("Brokers", "two words")]);
    assert!(pattern.contains("Brokers") && pattern.contains("two words"), "{pattern}");
    let unknown = message(&[("Brokers", "b"), ("Stagee", "dev")]);
    assert!(unknown.contains("Stagee"), "{unknown}");
}

/// Replaces one piece of the good template and gives the refusal.
fn refusal(from: &str, to: &str) -> String {
    assert!(TEMPLATE.contains(from), "the fixture has no {from:?}");
    read(&TEMPLATE.replacen(from, to, 1), &[("Brokers", "b")]).unwrap_err().to_string()
}

#[test]
fn a_value_that_cannot_be_used_is_refused_with_its_place() {
    for (from, to, words) in [
        ("BatchSize: 1000", "BatchSize: 10001", ["Work", "BatchSize", "10000", "10001"]),
        ("MaximumBatchingWindowInSeconds: 0", "MaximumBatchingWindowInSeconds: 301", ["Work", "Window", "300", "301"]),
        ("MaximumPollers: 4", "MaximumPollers: 2001", ["Work", "MaximumPollers", "2000", "2001"]),
        ("StartingPosition: TRIM_HORIZON", "StartingPosition: NOW", ["Work", "StartingPosition", "LATEST", "NOW"]),
        ("Timeout: 10", "Timeout: ten", ["Api", "Timeout", "900", "ten"]),
        ("!GetAtt Orders.Arn", "!GetAtt Nowhere.Arn", ["Api", "TABLE_ARN", "Nowhere", "resource"]),
        ("Path: /orders", "Path: orders", ["Api", "Path", "orders", "/"]),
        ("ApiId: !Ref Shop", "ApiId: shop", ["Api", "ApiId", "shop", "HttpApi"]),
        ("KeyType: HASH", "KeyType: MAIN", ["Orders", "KeyType", "HASH", "MAIN"]),
        ("maxReceiveCount: 3", "maxReceiveCount: 0", ["Queue", "maxReceiveCount", "1000", "0"]),
        ("INCLUDE", "SOME", ["History", "ProjectionType", "KEYS_ONLY", "SOME"]),
        ("NEW_IMAGE", "NEWS", ["History", "StreamViewType", "NEW_IMAGE", "NEWS"]),
        ("https://shop.example", "*", ["Shop", "AllowOrigins", "AllowCredentials", "*"]),
    ] {
        let said = refusal(from, to);
        for word in words {
            assert!(said.contains(word), "{to}: {said} lacks {word}");
        }
    }
}

#[test]
fn what_needs_provisioned_mode_is_refused_without_it() {
    for property in [
        "FunctionResponseTypes: [ReportBatchItemFailures]",
        "BisectBatchOnFunctionError: true",
        "MaximumRetryAttempts: 3",
        "MaximumRecordAgeInSeconds: 60",
        "DestinationConfig: {OnFailure: {Destination: 'kafka://dead'}}",
    ] {
        let said = refusal("KafkaBootstrapServers:", &format!("{property}\n            KafkaBootstrapServers:"));
        assert!(said.contains("ProvisionedPollerConfig") && said.contains("Foreign"), "{said}");
    }
}

#[test]
fn filters_are_read_and_a_wrong_pattern_says_where() {
    let with = |filters: &str| {
        let property = format!("FilterCriteria: {{Filters: {filters}}}\n            KafkaBootstrapServers:");
        TEMPLATE.replace("KafkaBootstrapServers:", &property)
    };
    let stack =
        read(&with(r#"[{Pattern: '{"value": {"kind": ["x"]}}'}, {Pattern: '{}'}]"#), &[("Brokers", "b")]).unwrap();
    let mapping = stack.mappings.iter().find(|mapping| !mapping.filters.is_empty()).unwrap();
    assert_eq!(mapping.filters.len(), 2);
    assert!(mapping.filters[0].admits(Some(br#"{"kind": "x"}"#)) && !mapping.filters[0].admits(Some(b"{}")));
    for (filters, words) in [
        (r#"[{Pattern: '{"value": {"kind": "x"}}'}]"#, ["FilterCriteria.Filters", "value.kind", "list"]),
        (r#"[{Pattern: '{"key": ["x"]}'}]"#, ["FilterCriteria.Filters", "key", "timestampType"]),
        ("[{}]", ["FilterCriteria.Filters", "Pattern", "expected"]),
        ("all", ["FilterCriteria.Filters", "list", "all"]),
        (&format!("[{}]", ["{Pattern: '{}'}"; 6].join(", ")), ["FilterCriteria.Filters", "at most 5", "6"]),
    ] {
        let said = read(&with(filters), &[("Brokers", "b")]).unwrap_err().to_string();
        for word in words {
            assert!(said.contains(word), "{filters}: {said} lacks {word}");
        }
    }
}

#[test]
fn circles_end_in_an_error() {
    let said = refusal("IsProd: !Equals [!Ref Stage, prod]", "IsProd: !Not [!Condition IsDev]");
    assert!(said.contains("IsProd") || said.contains("IsDev"), "{said}");
    let circle = "Resources:\n  A: {Type: 'AWS::Serverless::SimpleTable', Properties: {TableName: !Ref A}}\n";
    assert!(read(circle, &[]).unwrap_err().to_string().contains("circle"));
}
