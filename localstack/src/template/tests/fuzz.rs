//! No text makes the reader panic, and none makes it run for long. `PROPTEST_CASES` says how many are tried.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{TEMPLATE, read};
use crate::fuzz::config;

const PYTHON: &str = include_str!("../../../../tests/templates/python/template.yaml");
const SHELL: &str = include_str!("../../../../tests/templates/shell/template.yaml");
const NODE: &str = include_str!("../../../../tests/templates/node/template.json");
const ARN: &str = "arn:aws:kafka:us-east-1:000000000000:cluster/a/b";

// What a template is made of, in the right places and in wrong ones.
const NAMES: [&str; 12] =
    ["A", "B", "P", "L", "C", "M", "N", "AWS::Region", "AWS::NoValue", "A.Arn", "N.Outputs.X", "A.StreamArn"];
const FUNCTIONS: [&str; 23] = [
    "Fn::If",
    "Fn::Join",
    "Fn::Select",
    "Fn::Split",
    "Fn::FindInMap",
    "Fn::Sub",
    "Fn::Base64",
    "Fn::GetAZs",
    "Fn::Cidr",
    "Fn::Length",
    "Fn::ToJsonString",
    "Fn::ImportValue",
    "Fn::Transform",
    "Fn::Equals",
    "Fn::Not",
    "Fn::And",
    "Fn::Or",
    "Fn::GetAtt",
    "Ref",
    "Condition",
    "Fn::Nothing",
    "Fn::ForEach::X",
    "<<",
];
const KINDS: [&str; 16] = [
    "AWS::Serverless::Function",
    "AWS::Lambda::Function",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Serverless::HttpApi",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Serverless::WebSocketApi",
    "AWS::DynamoDB::Table",
    "AWS::Serverless::SimpleTable",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "AWS::SSM::Parameter",
    "AWS::CloudFormation::Stack",
    "AWS::S3::Bucket",
];
const PROPERTIES: [&str; 43] = [
    "Runtime",
    "Handler",
    "CodeUri",
    "Code",
    "InlineCode",
    "Timeout",
    "MemorySize",
    "Environment",
    "Events",
    "FunctionName",
    "EventSourceArn",
    "SelfManagedEventSource",
    "Topics",
    "StartingPosition",
    "FilterCriteria",
    "DestinationConfig",
    "ProvisionedPollerConfig",
    "ApiId",
    "RouteKey",
    "Target",
    "IntegrationUri",
    "ProtocolType",
    "RouteSelectionExpression",
    "StageName",
    "Routes",
    "CorsConfiguration",
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "StreamSpecification",
    "TimeToLiveSpecification",
    "TableName",
    "QueueName",
    "RedrivePolicy",
    "FifoQueue",
    "SecretString",
    "GenerateSecretString",
    "Name",
    "Value",
    "TemplateURL",
    "Parameters",
    "BucketName",
];

/// Reads with what the templates above ask for; whether a template has the parameters or not.
fn try_to_read(text: &str) {
    let _ = read(text, &[]);
    for parameters in [&[("Brokers", "b:1")][..], &[("ClusterArn", ARN)]] {
        let _ = read(text, parameters);
    }
}

/// What is not an intrinsic function.
fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(&NAMES[..]).prop_map(|name| format!("{{Ref: {name}}}")),
        proptest::sample::select(&NAMES[..]).prop_map(|name| format!("{{'Fn::GetAtt': {name}}}")),
        proptest::sample::select(&NAMES[..]).prop_map(|name| format!("{{'Fn::Sub': 'x-${{{name}}}'}}")),
        proptest::sample::select(&NAMES[..]).prop_map(|name| format!("{{Condition: {name}}}")),
        "[a-z0-9:/.-]{0,12}".prop_map(|text| format!("'{text}'")),
        "-?[0-9]{1,12}",
        Just("null".to_owned()),
        Just("true".to_owned()),
    ]
}

/// A value of a property, as deep as templates go: lists, mappings and functions with the right and the wrong arguments.
fn value() -> impl Strategy<Value = String> {
    leaf().prop_recursive(6, 40, 4, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
        let function = (proptest::sample::select(&FUNCTIONS[..]), prop_oneof![inner.clone(), list.clone()]);
        let keys = proptest::sample::select(
            &["Type", "Pattern", "AttributeName", "KeyType", "Filters", "DefaultValue", "x"][..],
        );
        let entries = prop::collection::vec((keys, inner), 0..3);
        prop_oneof![
            3 => function.prop_map(|(name, argument)| format!("{{'{name}': {argument}}}")),
            1 => list,
            1 => entries.prop_map(|entries| {
                let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

/// A resource of a type that is read, with properties it knows.
fn resource() -> impl Strategy<Value = (&'static str, Vec<(&'static str, String)>)> {
    let property = (proptest::sample::select(&PROPERTIES[..]), value());
    (proptest::sample::select(&KINDS[..]), prop::collection::vec(property, 0..6))
}

fn template() -> impl Strategy<Value = String> {
    (prop::collection::vec(resource(), 1..6), value(), value(), value()).prop_map(
        |(resources, mapped, tested, told)| {
            let mut text = format!(
                "Parameters: {{P: {{Default: p}}, L: {{Type: CommaDelimitedList, Default: 'a,b'}}}}\n\
             Mappings: {{M: {{k: {{k: {mapped}}}}}}}\nConditions: {{C: {tested}}}\nResources:\n"
            );
            for ((kind, properties), id) in resources.iter().zip(["A", "B", "N", "D", "E", "F"]) {
                let _ = writeln!(text, "  {id}:\n    Type: {kind}\n    Properties:");
                for (name, value) in properties {
                    let _ = writeln!(text, "      {name}: {value}");
                }
            }
            let _ = writeln!(text, "Outputs: {{X: {{Value: {told}}}}}");
            text
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_text_makes_the_reader_panic(text in "[-:!&*{}\\[\\]a-zA-Z$.'\", \n|>#%@?<]{0,300}") {
        try_to_read(&text);
        try_to_read(&format!("Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties:\n      {text}"));
    }

    #[test]
    fn no_character_makes_the_reader_panic(text in "\\PC{0,200}") {
        try_to_read(&text);
        try_to_read(&format!("Resources: {{A: {{Type: 'AWS::Lambda::Function', Properties: {{Handler: \"{text}\"}}}}}}"));
    }

    #[test]
    fn no_template_of_the_language_makes_the_reader_panic(text in template()) {
        try_to_read(&text);
    }

    #[test]
    fn no_mutation_of_a_template_makes_the_reader_panic(
        which in 0usize..4,
        edits in prop::collection::vec((0usize..6000, 0usize..40, "[-:!&*{}\\[\\]a-zA-Z0-9$. \n]{0,12}"), 1..4),
    ) {
        let mut text: Vec<char> = [TEMPLATE, PYTHON, SHELL, NODE][which].chars().collect();
        for (at, length, with) in edits {
            let at = at % text.len();
            let end = (at + length).min(text.len());
            text.splice(at..end, with.chars());
        }
        try_to_read(&text.into_iter().collect::<String>());
    }

    #[test]
    fn swapped_lines_never_make_the_reader_panic(which in 0usize..4, a in 0usize..200, b in 0usize..200) {
        let mut lines: Vec<&str> = [TEMPLATE, PYTHON, SHELL, NODE][which].lines().collect();
        let (a, b) = (a % lines.len(), b % lines.len());
        lines.swap(a, b);
        try_to_read(&lines.join("\n"));
    }
}

/// Each name asks for the next one twice.
fn doubling(last: &str) -> String {
    let mut text = "Resources:\n".to_owned();
    for index in 0..60 {
        let next = index + 1;
        let name = format!("!Sub \"${{R{next}}}${{R{next}}}\"");
        let _ = writeln!(text, "  R{index}: {{Type: 'AWS::SNS::Subscription'}}");
        let _ =
            writeln!(text, "  T{index}: {{Type: 'AWS::Serverless::SimpleTable', Properties: {{TableName: {name}}}}}");
    }
    text.replace("${R", "${T")
        + &format!("  T60: {{Type: 'AWS::Serverless::SimpleTable', Properties: {{TableName: {last}}}}}\n")
}

#[test]
fn references_that_double_at_every_step_end_in_an_error() {
    for last in ["''", "name"] {
        let started = std::time::Instant::now();
        let said = read(&doubling(last), &[]).unwrap_err().to_string();
        assert!(said.contains("too long") || said.contains("at most"), "{said}");
        assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
    }
}

#[test]
fn loops_within_loops_end_in_an_error() {
    let list: Vec<String> = (0..60).map(|number| number.to_string()).collect();
    let list = list.join(", ");
    let inner = format!("{{'Fn::ForEach::C': [Z, [{list}], {{'R${{X}}a${{Y}}a${{Z}}': {{Type: T}}}}]}}");
    let middle = format!("{{'Fn::ForEach::B': [Y, [{list}], {inner}]}}");
    let text = format!("Resources: {{'Fn::ForEach::A': [X, [{list}], {middle}]}}");
    assert!(read(&text, &[]).unwrap_err().to_string().contains("ForEach"));
}
