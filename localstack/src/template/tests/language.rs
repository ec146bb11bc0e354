//! The intrinsic functions, where people put them.

use std::collections::BTreeMap;

use super::{read, settings};
use crate::template::{Stack, parse};

/// A template with one function, whose environment is what is asked for.
fn environment(sections: &str, resources: &str, variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let variables: Vec<String> = variables.iter().map(|(name, value)| format!("          {name}: {value}\n")).collect();
    let text = format!(
        "{sections}\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
         Runtime: python3.13\n      Environment:\n        Variables:\n{}{resources}",
        variables.concat()
    );
    stack(&text).functions["F"].environment.clone()
}

fn stack(text: &str) -> Stack {
    parse(text, std::path::Path::new("/project"), &settings(&[])).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn every_function_takes_the_others_as_arguments() {
    let sections = "Parameters: {Env: {Type: String, Default: prod}, Sizes: {Type: List<Number>, Default: '1, 2,3'}}\n\
                    Mappings: {Hosts: {prod: {Names: [a.example, b.example]}}}\n\
                    Conditions: {Prod: !Equals [!Ref Env, prod], Not: !Not [{Condition: Prod}]}";
    let told = environment(
        sections,
        "",
        &[
            ("SELECTED", "!Select [1, !FindInMap [Hosts, !Ref Env, Names]]"),
            ("SPLIT", "!Select [0, !Split ['.', !Select [!If [Prod, 0, 1], !FindInMap [Hosts, !Ref Env, Names]]]]"),
            ("JOINED", "!Join ['+', !Ref Sizes]"),
            ("LISTED", "!Join ['+', [x, !Ref AWS::NoValue, y]]"),
            ("SUB", "!Sub ['${a}/${b.c}/${Env}/${!d}', {a: !Join ['', [!Ref Env, 1]], b.c: !GetAtt F.Arn}]"),
            ("DEFAULT", "!FindInMap [Hosts, nowhere, Names, DefaultValue: !Join ['', [!Ref Env, uction]]]"),
            ("BASE64", "{'Fn::Base64': !Sub '${Env}'}"),
            ("LENGTH", "!Length [1, 2, !Ref Env]"),
            ("JSON", "!ToJsonString {a: [1, true, !Ref Env], b: !If [Not, x, !Ref AWS::NoValue]}"),
            ("ZONES", "!Join [',', !GetAZs '']"),
            ("ZONES_OF", "!Select [0, !GetAZs {Ref: 'AWS::Region'}]"),
            ("CIDR", "!Select [1, !Cidr [10.0.0.0/16, 2, 8]]"),
            ("NONE", "!If [Not, x, !Ref AWS::NoValue]"),
        ],
    );
    let expected = [
        ("BASE64", "cHJvZA=="),
        ("CIDR", "10.0.1.0/24"),
        ("DEFAULT", "production"),
        ("JOINED", "1+2+3"),
        ("JSON", r#"{"a":[1,true,"prod"]}"#),
        ("LENGTH", "3"),
        ("LISTED", "x+y"),
        ("SELECTED", "b.example"),
        ("SPLIT", "a"),
        ("SUB", "prod1/arn:aws:lambda:us-east-1:000000000000:function:freshet-F/prod/${d}"),
        ("ZONES", "us-east-1a,us-east-1b,us-east-1c"),
        ("ZONES_OF", "us-east-1a"),
    ];
    assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[test]
fn references_to_what_does_not_run_here_are_plausible() {
    let resources = "  Q: {Type: AWS::SQS::Queue}\n  T: {Type: AWS::SNS::Topic}\n  B: {Type: AWS::S3::Bucket}\n  \
        R: {Type: AWS::IAM::Role}\n  K: {Type: AWS::MSK::Cluster, Properties: {ClusterName: k}}\n  \
        D: {Type: AWS::DynamoDB::Table, Properties: {AttributeDefinitions: [{AttributeName: i, AttributeType: S}], \
            KeySchema: [{AttributeName: i, KeyType: HASH}], StreamSpecification: {StreamViewType: NEW_IMAGE}}}\n  \
        W: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.a}}\n  \
        WS: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref W, StageName: live}}\n  \
        H: {Type: AWS::Serverless::HttpApi}\n  S: {Type: AWS::SecretsManager::Secret, Properties: {Name: s}}\n  \
        P: {Type: AWS::SSM::Parameter, Properties: {Name: /a/b, Value: v}}\n  M: {Type: AWS::StepFunctions::StateMachine}\n";
    let account = "us-east-1:000000000000";
    let expected = [
        ("!Ref Q", "https://sqs.us-east-1.amazonaws.com/000000000000/freshet-Q".to_owned()),
        ("!GetAtt Q.Arn", format!("arn:aws:sqs:{account}:freshet-Q")),
        ("!GetAtt [Q, QueueName]", "freshet-Q".to_owned()),
        ("!Ref T", format!("arn:aws:sns:{account}:freshet-T")),
        ("!GetAtt T.TopicName", "freshet-T".to_owned()),
        ("!Ref B", "freshet-b".to_owned()),
        ("!GetAtt B.Arn", "arn:aws:s3:::freshet-b".to_owned()),
        ("!GetAtt B.DomainName", "freshet-b.s3.amazonaws.com".to_owned()),
        ("!GetAtt R.Arn", "arn:aws:iam::000000000000:role/freshet-R".to_owned()),
        ("!GetAtt FRole.Arn", "arn:aws:iam::000000000000:role/freshet-FRole".to_owned()),
        ("!Ref K", format!("arn:aws:kafka:{account}:cluster/k/00000000-0000-0000-0000-000000000000-1")),
        ("!GetAtt D.Arn", format!("arn:aws:dynamodb:{account}:table/freshet-D")),
        ("!GetAtt D.StreamArn", format!("arn:aws:dynamodb:{account}:table/freshet-D/stream/1970-01-01T00:00:00.000")),
        (
            "!Sub 'wss://${W}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${WS}'",
            "wss://W.execute-api.us-east-1.amazonaws.com/live".to_owned(),
        ),
        ("!GetAtt W.ApiEndpoint", "wss://W.execute-api.us-east-1.amazonaws.com".to_owned()),
        ("!GetAtt H.ApiEndpoint", "https://H.execute-api.us-east-1.amazonaws.com".to_owned()),
        ("!Ref S", format!("arn:aws:secretsmanager:{account}:secret:s")),
        ("!Ref P", "/a/b".to_owned()),
        ("!GetAtt P.Value", "v".to_owned()),
        ("!Ref M", format!("arn:aws:states:{account}:stateMachine:freshet-M")),
        (
            "!Ref AWS::StackId",
            format!("arn:aws:cloudformation:{account}:stack/freshet/00000000-0000-0000-0000-000000000000"),
        ),
    ];
    for (asked, told) in expected {
        assert_eq!(environment("", resources, &[("X", asked)])["X"], told, "{asked}");
    }
}

#[test]
fn loops_are_written_out() {
    let text = "Transform: AWS::LanguageExtensions\n\
        Parameters: {Names: {Type: CommaDelimitedList, Default: 'one,two-b'}}\n\
        Resources:\n  Fn::ForEach::Tables:\n    - Name\n    - !Ref Names\n    - T&{Name}:\n        \
        Type: AWS::Serverless::SimpleTable\n        Properties: {TableName: !Sub '${AWS::StackName}-${Name}'}\n";
    let stack = stack(text);
    let tables: Vec<(&str, &str)> = stack.tables.iter().map(|(id, table)| (id.as_str(), table.name.as_str())).collect();
    assert_eq!(tables, [("Tone", "freshet-one"), ("Ttwob", "freshet-two-b")]);
}

#[test]
fn parameters_are_of_every_type_and_checked_without_telling_secrets() {
    let declared = "Parameters:\n  N: {Type: Number, MinValue: 1, MaxValue: 9, Default: 5}\n  \
        L: {Type: 'List<AWS::EC2::Subnet::Id>', Default: 'subnet-1,subnet-2'}\n  \
        S: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: 'a,b'}\n  \
        X: {Type: String, NoEcho: true, MinLength: 3, MaxLength: 5, Default: abc}\n";
    let text = format!(
        "{declared}Resources:\n  T: {{Type: AWS::Serverless::SimpleTable, Properties: {{TableName: !Join ['-', [!Ref N, !Select [1, !Ref L], !Select [0, !Ref S]]]}}}}\n"
    );
    assert_eq!(read(&text, &[]).unwrap().tables["T"].name, "5-subnet-2-a");
    for (given, words) in [
        (("N", "10"), ["N", "MaxValue is 9", "10"]),
        (("N", "x"), ["N", "number", "\"x\""]),
        (("X", "secretive"), ["X", "MaxLength is 5", "NoEcho"]),
        (("N", "5\u{0}"), ["N", "number", "expected"]),
    ] {
        let said = read(&text, &[given]).unwrap_err().to_string();
        assert!(words.iter().all(|word| said.contains(word)) && !said.contains("secretive"), "{said}");
    }
    let long = "x".repeat(5000);
    assert!(read(&text, &[("L", &long)]).unwrap_err().to_string().contains("4096"));
}
