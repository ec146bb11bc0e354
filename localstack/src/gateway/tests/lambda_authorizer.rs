//! Lambda authorizers before real requests.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::*;
use crate::functions::Outcome;
use crate::template::model::{Authorizer, HttpApi, HttpRoute, IdentitySource, LambdaAuthorizer, PayloadFormat};

const UNAUTHORIZED: (u16, &str) = (401, r#"{"message":"Unauthorized"}"#);
const FORBIDDEN: (u16, &str) = (403, r#"{"message":"Forbidden"}"#);
const INTERNAL: (u16, &str) = (500, r#"{"message":"Internal Server Error"}"#);

fn lambda(simple: bool, ttl_s: u32) -> LambdaAuthorizer {
    LambdaAuthorizer {
        function: "Auth".into(),
        payload: PayloadFormat::V2,
        simple,
        identity: vec![IdentitySource::Header("authorization".into())],
        ttl_s,
    }
}

fn kept(mut routes: Vec<HttpRoute>, lambda: LambdaAuthorizer) -> HttpApi {
    routes.iter_mut().for_each(|route| route.authorizer = Some("Keeper".into()));
    let mut api = api(routes);
    api.authorizers.insert("Keeper".into(), Authorizer::Lambda(lambda));
    api
}

/// What a caller with `authorization: me` gets where the authorizer ends as `outcome`.
async fn reply(lambda: LambdaAuthorizer, outcome: Outcome) -> (u16, String) {
    let functions = Functions::new(move |function, _| match function {
        "Auth" => outcome.clone(),
        _ => answered(&json!({"statusCode": 200, "body": "in"})),
    });
    let gateway = start(kept(vec![route("GET /pets/{id}", "F")], lambda), &functions).await;
    let reply = send(gateway.address(), "GET /pets/1", &["authorization: me"], b"").await;
    assert_eq!(functions.events("F").len(), usize::from(reply.status == 200), "nobody passes a refusal");
    gateway.stop().await;
    reply.says()
}

fn says((status, text): (u16, String), wanted: (u16, &str)) {
    assert_eq!((status, text.as_str()), wanted);
}

fn policy(effect: &str, resource: &str) -> Value {
    let statement = json!([{"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}]);
    json!({"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": statement}})
}

#[tokio::test]
async fn a_simple_answer_lets_in_or_refuses() {
    says(reply(lambda(true, 0), answered(&json!({"isAuthorized": true}))).await, (200, "in"));
    says(reply(lambda(true, 0), answered(&json!({"isAuthorized": false}))).await, FORBIDDEN);
}

#[tokio::test]
async fn a_policy_decides_by_the_routes_arn() {
    let arn = "arn:aws:execute-api:us-east-1:000000000000:Api/$default/GET/pets/1";
    says(reply(lambda(false, 0), answered(&policy("Allow", arn))).await, (200, "in"));
    says(
        reply(lambda(false, 0), answered(&policy("Allow", "arn:aws:execute-api:*:*:*/*/GET/pets/*"))).await,
        (200, "in"),
    );
    says(reply(lambda(false, 0), answered(&policy("Allow", "*/POST/*"))).await, FORBIDDEN);
    says(reply(lambda(false, 0), answered(&policy("Deny", arn))).await, FORBIDDEN);
}

#[tokio::test]
async fn a_request_without_identity_is_refused_and_nobody_is_asked() {
    let functions = content();
    let mut lambda = lambda(true, 0);
    lambda.identity.push(IdentitySource::QueryString("key".into()));
    let gateway = start(kept(vec![route("GET /", "F")], lambda), &functions).await;
    for (request, headers) in [
        ("GET /", vec![]),
        ("GET /?key=1", vec![]),
        ("GET /", vec!["authorization: me"]),
        ("GET /?key=", vec!["authorization: me"]),
        ("GET /?Key=1", vec!["authorization: me"]),
        ("GET /?key=1", vec!["authorization: "]),
    ] {
        says(send(gateway.address(), request, &headers, b"").await.says(), UNAUTHORIZED);
    }
    assert!(functions.events("Auth").is_empty() && functions.events("F").is_empty());
    gateway.stop().await;
}

#[tokio::test]
async fn a_failing_authorizer_is_an_internal_server_error() {
    for outcome in [
        Outcome::FunctionError(r#"{"errorMessage":"no table"}"#.into()),
        Outcome::Throttled("busy".into()),
        Outcome::Response("yes".into()),
        answered(&json!({"isAuthorized": "true"})),
        answered(&json!({"context": {}})),
    ] {
        says(reply(lambda(true, 0), outcome).await, INTERNAL);
    }
    for malformed in
        [json!({"isAuthorized": true}), json!({"principalId": "me", "policyDocument": {"Statement": [{}]}})]
    {
        says(reply(lambda(false, 0), answered(&malformed)).await, INTERNAL);
    }
}

#[tokio::test]
async fn an_authorizer_that_throws_unauthorized_makes_it_401() {
    let error = Outcome::FunctionError(r#"{"errorType":"Error","errorMessage":"Unauthorized"}"#.into());
    says(reply(lambda(true, 0), error).await, UNAUTHORIZED);
}

#[tokio::test]
async fn the_context_reaches_the_function_as_it_came() {
    let context = json!({"text": "a", "number": 1, "flag": true, "list": [1, "b"], "map": {"k": "v"}});
    let answer = json!({"isAuthorized": true, "context": context});
    let functions = Functions::new(move |function, _| match function {
        "Auth" => answered(&answer),
        _ => answered(&json!({"statusCode": 200})),
    });
    let mut old = route("GET /old", "Old");
    old.payload = PayloadFormat::V1;
    let gateway = start(kept(vec![route("GET /", "F"), old], lambda(true, 0)), &functions).await;
    for path in ["GET /", "GET /old"] {
        assert_eq!(send(gateway.address(), path, &["authorization: me"], b"").await.status, 200);
    }
    assert_eq!(functions.events("F")[0]["requestContext"]["authorizer"], json!({"lambda": context}));
    assert_eq!(functions.events("Old")[0]["requestContext"]["authorizer"], context, "flat in format 1.0");
    gateway.stop().await;
}

#[tokio::test]
async fn the_event_of_either_format_names_the_route_and_the_identity() {
    for format in [PayloadFormat::V1, PayloadFormat::V2] {
        let functions = Functions::new(|_, _| answered(&policy("Allow", "*")));
        let mut lambda = lambda(false, 0);
        lambda.payload = format;
        lambda.identity.push(IdentitySource::Context("routeKey".into()));
        let gateway = start(kept(vec![route("GET /pets/{id}", "F")], lambda), &functions).await;
        send(gateway.address(), "GET /pets/1?a=1", &["authorization: me"], b"not for the authorizer").await;
        let event = functions.events("Auth").remove(0);
        let arn = "arn:aws:execute-api:us-east-1:000000000000:Api/$default/GET/pets/1";
        if format == PayloadFormat::V2 {
            assert_eq!((&event["version"], &event["routeArn"]), (&json!("2.0"), &json!(arn)));
            assert_eq!(event["identitySource"], json!(["me", "GET /pets/{id}"]));
            assert_eq!((&event["routeKey"], &event["rawPath"]), (&json!("GET /pets/{id}"), &json!("/pets/1")));
        } else {
            assert_eq!((&event["version"], &event["methodArn"]), (&json!("1.0"), &json!(arn)));
            assert_eq!(
                (&event["identitySource"], &event["authorizationToken"]),
                (&json!("me,GET /pets/{id}"), &json!("me,GET /pets/{id}"))
            );
            assert_eq!((&event["resource"], &event["httpMethod"]), (&json!("/pets/{id}"), &json!("GET")));
        }
        assert_eq!((&event["type"], event.get("body"), event.get("isBase64Encoded")), (&json!("REQUEST"), None, None));
        assert_eq!((&event["queryStringParameters"]["a"], &event["pathParameters"]["id"]), (&json!("1"), &json!("1")));
        gateway.stop().await;
    }
}

#[tokio::test]
async fn an_answer_is_kept_by_identity_for_its_time_and_over_routes() {
    let functions = Functions::new(|function, event| match function {
        "Auth" => answered(&json!({"isAuthorized": event["headers"]["authorization"] != "other"})),
        _ => answered(&json!({"statusCode": 200})),
    });
    let gateway = start(kept(vec![route("GET /a", "F"), route("GET /b", "F")], lambda(true, 1)), &functions).await;
    let status = async |path: &str, who: &str| {
        send(gateway.address(), &format!("GET {path}"), &[&format!("authorization: {who}")], b"").await.status
    };
    assert_eq!((status("/a", "me").await, status("/b", "me").await, status("/a", "me").await), (200, 200, 200));
    assert_eq!((status("/a", "other").await, status("/b", "other").await), (403, 403), "a refusal is kept too");
    assert_eq!(functions.events("Auth").len(), 2);
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    while functions.events("Auth").len() == 2 {
        assert!(tokio::time::Instant::now() < until, "an answer is kept for ever");
        assert_eq!(status("/a", "me").await, 200);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_kept_policy_is_read_anew_for_every_route_and_a_route_key_asks_for_every_route() {
    for (by_route, asked) in [(false, 1), (true, 2)] {
        let functions = Functions::new(|function, _| match function {
            "Auth" => answered(&policy("Allow", "*/GET/a")),
            _ => answered(&json!({"statusCode": 200})),
        });
        let mut lambda = lambda(false, 300);
        if by_route {
            lambda.identity.push(IdentitySource::Context("routeKey".into()));
        }
        let gateway = start(kept(vec![route("GET /a", "F"), route("GET /b", "F")], lambda), &functions).await;
        let headers = ["authorization: me"];
        assert_eq!(send(gateway.address(), "GET /a", &headers, b"").await.status, 200);
        says(send(gateway.address(), "GET /b", &headers, b"").await.says(), FORBIDDEN);
        assert_eq!(functions.events("Auth").len(), asked);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_route_without_an_authorizer_takes_everybody() {
    let functions = content();
    let mut api = kept(vec![route("GET /kept", "F")], lambda(true, 0));
    api.routes.push(route("GET /open", "F"));
    let gateway = start(api, &functions).await;
    assert_eq!(
        (get(gateway.address(), "/open").await.status, get(gateway.address(), "/kept").await.status),
        (200, 401)
    );
    gateway.stop().await;
}
