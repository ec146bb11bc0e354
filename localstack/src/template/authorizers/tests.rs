use std::path::Path;

use super::super::model::Throttle;
use super::super::{Settings, parse};
use super::*;

const FUNCTION: &str = "
  Auth: {Type: AWS::Serverless::Function, Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: a}}, Properties: {CodeUri: .}}
";

fn read(resources: &str) -> Result<Stack, String> {
    let text = format!("Resources:{FUNCTION}{resources}");
    parse(&text, Path::new("/project"), &Settings::default()).map_err(|error| error.to_string())
}

/// An HTTP API with this `Auth`, and a route with that.
fn http(auth: &str, of_route: &str) -> Result<Stack, String> {
    read(&format!(
        "
  Api: {{Type: AWS::Serverless::HttpApi, Properties: {{Auth: {auth}}}}}
  F:
    Type: AWS::Serverless::Function
    Metadata: {{BuildMethod: rust-cargolambda, BuildProperties: {{Binary: f}}}}
    Properties:
      CodeUri: .
      Events: {{Get: {{Type: HttpApi, Properties: {{ApiId: !Ref Api, Path: /, Method: get{of_route}}}}}}}
"
    ))
}

fn lambda(stack: &Stack) -> LambdaAuthorizer {
    match &stack.http_apis["Api"].authorizers["A"] {
        Authorizer::Lambda(lambda) => lambda.clone(),
        Authorizer::Jwt(jwt) => panic!("{jwt:?}"),
    }
}

#[test]
fn a_lambda_authorizer_is_read_with_its_identity_and_time() {
    let stack = http(
        "{Authorizers: {A: {FunctionArn: !GetAtt Auth.Arn, AuthorizerPayloadFormatVersion: 2.0, EnableSimpleResponses: true,
           Identity: {Headers: [Authorization], QueryStrings: [key], StageVariables: [v], Context: [routeKey], ReauthorizeEvery: 7}}}}",
        ", Auth: {Authorizer: A}",
    )
    .unwrap();
    let wanted = LambdaAuthorizer {
        function: "Auth".into(),
        payload: PayloadFormat::V2,
        simple: true,
        identity: vec![
            IdentitySource::Header("authorization".into()),
            IdentitySource::QueryString("key".into()),
            IdentitySource::StageVariable("v".into()),
            IdentitySource::Context("routeKey".into()),
        ],
        ttl_s: 7,
    };
    assert_eq!(lambda(&stack), wanted);
    assert_eq!(stack.http_apis["Api"].routes[0].authorizer.as_deref(), Some("A"));
}

#[test]
fn an_answer_is_kept_300_s_and_not_at_all_without_identity() {
    for (identity, ttl_s) in [(", Identity: {Headers: [X]}", 300), ("", 0), (", Identity: {ReauthorizeEvery: 60}", 0)] {
        let auth = format!(
            "{{Authorizers: {{A: {{FunctionArn: !GetAtt Auth.Arn, AuthorizerPayloadFormatVersion: \"1.0\"{identity}}}}}}}"
        );
        assert_eq!(lambda(&http(&auth, "").unwrap()).ttl_s, ttl_s, "{identity}");
    }
}

#[test]
fn the_default_authorizer_holds_unless_a_route_says_otherwise() {
    let auth = "{DefaultAuthorizer: J, Authorizers: {J: {JwtConfiguration: {issuer: https://i, audience: [a, b]}, AuthorizationScopes: [s1]},
                 A: {FunctionArn: !GetAtt Auth.Arn, AuthorizerPayloadFormatVersion: 1.0}}}";
    for (of_route, authorizer, scopes) in [
        ("", Some("J"), vec!["s1"]),
        (", Auth: {AuthorizationScopes: [s2, s3]}", Some("J"), vec!["s2", "s3"]),
        (", Auth: {Authorizer: NONE}", None, vec![]),
        (", Auth: {Authorizer: A}", Some("A"), vec![]),
    ] {
        let stack = http(auth, of_route).unwrap();
        let route = &stack.http_apis["Api"].routes[0];
        assert_eq!(
            (route.authorizer.as_deref(), &route.scopes),
            (authorizer, &scopes.iter().map(|&s| s.to_owned()).collect())
        );
    }
    let stack = http(auth, "").unwrap();
    let Authorizer::Jwt(jwt) = &stack.http_apis["Api"].authorizers["J"] else { panic!("a JWT authorizer") };
    assert_eq!(
        (jwt.issuer.as_str(), jwt.audience.as_slice()),
        ("https://i", ["a".to_owned(), "b".to_owned()].as_slice())
    );
    assert_eq!(jwt.identity, IdentitySource::Header("authorization".into()));
}

#[test]
fn what_cannot_be_is_said_by_property() {
    for (auth, of_route, words) in [
        ("{Authorizers: {A: {}}}", "", "Auth.Authorizers.A.FunctionArn"),
        ("{Authorizers: {A: {FunctionArn: x}}}", "", "AuthorizerPayloadFormatVersion"),
        ("{Authorizers: {A: {FunctionArn: x, AuthorizerPayloadFormatVersion: 3.0}}}", "", "1.0 or 2.0"),
        (
            "{Authorizers: {A: {FunctionArn: x, AuthorizerPayloadFormatVersion: 1.0, EnableSimpleResponses: true}}}",
            "",
            "needs",
        ),
        ("{Authorizers: {A: {JwtConfiguration: {audience: [a]}}}}", "", "issuer"),
        ("{Authorizers: {A: {JwtConfiguration: {issuer: \"http://public.example\"}}}}", "", "https"),
        (
            "{Authorizers: {A: {JwtConfiguration: {issuer: https://i}, IdentitySource: header.X}}}",
            "",
            "$request.header",
        ),
        ("{DefaultAuthorizer: B}", "", "Auth.DefaultAuthorizer"),
        ("{}", ", Auth: {Authorizer: B}", "Events.Get.Auth.Authorizer"),
        (
            "{Authorizers: {A: {FunctionArn: x, AuthorizerPayloadFormatVersion: 1.0, Identity: {Headers: [X], ReauthorizeEvery: 9999}}}}",
            "",
            "3600",
        ),
    ] {
        let said = http(auth, of_route).unwrap_err();
        assert!(said.contains(words), "{auth}: {said}");
    }
}

#[test]
fn an_authorizer_whose_function_does_not_run_here_is_noted_and_stays_shut() {
    let auth = "{Authorizers: {A: {FunctionArn: \"arn:aws:lambda:us-east-1:1:function:elsewhere\", AuthorizerPayloadFormatVersion: 1.0}}}";
    let stack = http(auth, ", Auth: {Authorizer: A}").unwrap();
    assert_eq!(stack.http_apis["Api"].routes[0].authorizer.as_deref(), Some("A"));
    assert!(stack.notes.iter().any(|note| note.message.contains("authorizer's function")), "{:?}", stack.notes);
}

#[test]
fn iam_is_noted_and_lets_everybody_in() {
    let stack = http("{EnableIamAuthorizer: true}", ", Auth: {Authorizer: AWS_IAM}").unwrap();
    assert_eq!(stack.http_apis["Api"].routes[0].authorizer, None);
    assert!(stack.notes.iter().any(|note| note.message.contains("AWS_IAM")));
}

#[test]
fn throttling_and_stage_variables_are_read() {
    let stack = read(
        "
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageVariables: {colour: blue}
      DefaultRouteSettings: {ThrottlingBurstLimit: 5, ThrottlingRateLimit: 2.5}
      RouteSettings: {\"GET /\": {ThrottlingRateLimit: 1}, \"PUT /\": {DetailedMetricsEnabled: true}}
",
    )
    .unwrap();
    let api = &stack.http_apis["Api"];
    assert_eq!(api.stage_variables["colour"], "blue");
    assert_eq!(api.throttling.of("GET /"), Some(Throttle { rate: 1.0, burst: 5_000 }));
    for key in ["PUT /", "$default"] {
        assert_eq!(api.throttling.of(key), Some(Throttle { rate: 2.5, burst: 5 }), "{key}");
    }
}

const SOCKETS: &str = "
  Sockets: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Sockets, IntegrationUri: !Sub \"arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Auth.Arn}/invocations\"}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Sockets, StageName: live, StageVariables: {a: b}, DefaultRouteSettings: {ThrottlingBurstLimit: 1, ThrottlingRateLimit: 1}}
  Keeper:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Sockets
      AuthorizerType: REQUEST
      Name: keeper
      AuthorizerUri: !Sub \"arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Auth.Arn}/invocations\"
      IdentitySource: [route.request.header.X-Token, route.request.querystring.token]
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Sockets, RouteKey: KEY, AuthorizationType: CUSTOM, AuthorizerId: !Ref NAMED, Target: !Sub \"integrations/${Integration}\"}
";

#[test]
fn an_authorizer_of_raw_cloudformation_stands_at_connect() {
    let stack = read(&SOCKETS.replace("KEY", "$connect").replace("NAMED", "Keeper")).unwrap();
    let api = &stack.websocket_apis["Sockets"];
    let authorizer = api.authorizer.as_ref().unwrap();
    let identity = [IdentitySource::Header("x-token".into()), IdentitySource::QueryString("token".into())];
    assert_eq!((authorizer.function.as_str(), authorizer.identity.as_slice()), ("Auth", identity.as_slice()));
    assert_eq!((api.stage.as_str(), api.stage_variables["a"].as_str()), ("live", "b"));
    assert_eq!(api.throttling.default, Some(Throttle { rate: 1.0, burst: 1 }));
    assert!(stack.notes.is_empty(), "{:?}", stack.notes);
    let said = read(&SOCKETS.replace("KEY", "$connect").replace("NAMED", "Stage")).unwrap_err();
    assert!(said.contains("AuthorizerId") && said.contains("live"), "{said}");
    let said = read(&SOCKETS.replace("KEY", "chat").replace("NAMED", "Keeper")).unwrap_err();
    assert!(said.contains("AuthorizationType"), "{said}");
}

#[test]
fn sams_websocket_auth_stands_at_connect_too() {
    let with = |auth: &str| {
        read(&format!(
            "
  Sockets:
    Type: AWS::Serverless::WebSocketApi
    Properties: {{RouteSelectionExpression: $request.body.action, Auth: {auth}, Routes: {{$connect: {{FunctionArn: !GetAtt Auth.Arn}}}}}}
"
        ))
    };
    let stack =
        with("{AuthType: CUSTOM, AuthArn: !GetAtt Auth.Arn, IdentitySource: [route.request.header.Authorization]}")
            .unwrap();
    let authorizer = stack.websocket_apis["Sockets"].authorizer.clone().unwrap();
    assert_eq!((authorizer.function.as_str(), authorizer.identity.len()), ("Auth", 1));
    assert_eq!(with("{AuthType: NONE}").unwrap().websocket_apis["Sockets"].authorizer, None);
    assert!(with("{AuthType: CUSTOM}").unwrap_err().contains("AuthArn"));
    assert!(with("{AuthType: JWT}").unwrap_err().contains("AuthType"));
}
