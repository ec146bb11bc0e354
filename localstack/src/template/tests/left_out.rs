//! What can't be done is a note at its own line, and everything else is read.

use super::read;
use crate::template::Stack;
use crate::template::model::{Code, KafkaSource, Source};

fn stack(text: &str) -> Stack {
    read(text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// The note's line, and whether it says all of the words.
fn noted(stack: &Stack, resource: &str, words: &[&str]) -> Option<usize> {
    let says = |message: &str| words.iter().all(|word| message.contains(word));
    stack.notes.iter().find(|note| note.resource == resource && says(&note.message)).map(|note| note.line)
}

#[test]
fn events_runtimes_and_resources_that_do_not_run_here_are_noted_at_their_lines() {
    let text = "Resources:
  Good:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/
      VpcConfig: {SubnetIds: [a], SecurityGroupIds: [b]}
      Layers: [!Ref Layer]
      Events:
        Rest: {Type: Api, Properties: {Path: /x, Method: get}}
        Files:
          Type: S3
          Properties: {Bucket: !Ref Bucket, Events: 's3:ObjectCreated:*'}
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Nowhere.Arn}}
        Http: {Type: HttpApi, Properties: {Path: /x, Method: get}}
  Image:
    Type: AWS::Serverless::Function
    Properties:
      PackageType: Image
      ImageUri: x
  Java:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: java21
      CodeUri: .
  Remote:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, CodeUri: {Bucket: b, Key: k}}
  Bucket: {Type: AWS::S3::Bucket}
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: x}}
  Twice: {Type: AWS::SNS::Topic, Type: AWS::SNS::Topic}
Outputs:
  Import: {Value: !ImportValue theirs}
  Wrong: {Value: !Ref Nowhere}
";
    let stack = stack(text);
    assert_eq!(stack.functions.keys().collect::<Vec<_>>(), ["Good"]);
    assert_eq!(stack.http_apis["ServerlessHttpApi"].routes.len(), 1);
    for (resource, words, line) in [
        ("Good", &["Rest", "Api", "HttpApi"][..], 11),
        ("Good", &["Files", "S3"], 13),
        ("Good", &["Queue", "SQS"], 15),
        ("Good", &["Layers"], 9),
        ("Image", &["container images", "left out"], 20),
        ("Java", &["java21", "left out"], 25),
        ("Remote", &["S3", "left out"], 29),
        ("Bucket", &["AWS::S3::Bucket"], 30),
        ("Template", &["Type", "twice"], 32),
        ("Outputs", &["Wrong", "Nowhere"], 35),
        ("Outputs", &["theirs", "another stack"], 34),
    ] {
        assert_eq!(noted(&stack, resource, words), Some(line), "{resource} {words:?}: {:#?}", stack.notes);
    }
    assert_eq!(noted(&stack, "Good", &["VpcConfig"]), None, "a function needs no network of its own here");
    assert_eq!(stack.outputs["Import"], "local:theirs");
}

#[test]
fn plain_functions_mappings_and_http_apis_are_read() {
    let text = "Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: named, Runtime: python3.11, Handler: index.handler, Code: {ZipFile: 'def handler(e, c): pass'}}
  Own:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref F
      Topics: [t]
      StartingPosition: LATEST
      SelfManagedEventSource: {Endpoints: {KafkaBootstrapServers: ['a:1', 'b:2']}}
      SelfManagedKafkaEventSourceConfig: {ConsumerGroupId: group}
      SourceAccessConfigurations: [{Type: VPC_SUBNET, URI: x}]
  Queue:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref F
      EventSourceArn: arn:aws:sqs:us-east-1:000000000000:q
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: x, ProtocolType: HTTP, CorsConfiguration: {AllowOrigins: ['*']}}}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn, TimeoutInMillis: 500}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: 'get /a/{b+}', Target: !Sub 'integrations/${Integration}'}
  Lost:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $default, Target: integrations/none}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: live}}
  Quick: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: y, ProtocolType: HTTP, Target: !GetAtt F.Arn}}
";
    let stack = stack(text);
    let function = &stack.functions["F"];
    assert!(
        matches!(&function.code, Code::Python { source: Source::Inline(text), version } if text.contains("def handler") && version == "3.11")
    );
    let [mapping] = stack.mappings.as_slice() else { panic!("{:?}", stack.mappings) };
    assert_eq!((mapping.id.as_str(), mapping.topic.as_str(), mapping.consumer_group.as_str()), ("F/Own", "t", "group"));
    assert_eq!(mapping.source, KafkaSource::SelfManaged { bootstrap_servers: "a:1,b:2".to_owned() });
    assert_eq!(noted(&stack, "Queue", &["sqs", "left out"]), Some(18));
    let api = &stack.http_apis["Api"];
    assert_eq!((api.stage.as_str(), api.cors.is_some()), ("live", true));
    let [route] = api.routes.as_slice() else { panic!("{:?}", api.routes) };
    assert_eq!((route.method.as_str(), route.path.as_str(), route.timeout_ms), ("GET", "/a/{b+}", 500));
    assert_eq!(noted(&stack, "Lost", &["$default"]), Some(28));
    assert_eq!(stack.http_apis["Quick"].routes[0].path, "$default");
}
