//! Ids in paths, as the gateway read them.
//!
//! API Gateway hands over the path decoded: `/api/products/a%2Fb` arrives as `/api/products/a/b`, and `%2525` would be
//! decoded twice. The route and its parameters are exact, so the path is made anew from them.

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The request with the path that its route and path parameters make.
pub(crate) fn exact(mut request: Request) -> Request {
    if let Some(uri) = remade(&request) {
        *request.uri_mut() = uri;
    }
    request
}

fn remade(request: &Request) -> Option<lambda_http::http::Uri> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else { return None };
    // `GET /api/products/{id}`; `$default` has no path.
    let (_, template) = context.route_key.as_deref()?.split_once(' ')?;
    let parameters = request.path_parameters();
    let segments =
        template.split('/').map(|segment| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => Some(utf8_percent_encode(parameters.first(name)?, NON_ALPHANUMERIC).to_string()),
            None => Some(segment.to_owned()),
        });
    let path = segments.collect::<Option<Vec<String>>>()?.join("/");
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{path}{query}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(raw_path: &str, route_key: &str, parameters: &serde_json::Value) -> Request {
        let event = serde_json::json!({
            "version": "2.0", "routeKey": route_key, "rawPath": raw_path, "rawQueryString": "limit=2",
            "headers": {}, "isBase64Encoded": false, "pathParameters": parameters,
            "requestContext": {"routeKey": route_key, "stage": "$default", "http": {"method": "GET", "path": raw_path}},
        });
        lambda_http::request::from_str(&event.to_string()).unwrap()
    }

    #[test]
    fn an_id_is_what_the_gateway_read_whatever_its_characters() {
        let route = "GET /api/recommendations/{userId}";
        for (id, path) in [
            ("a/b", "a%2Fb"),
            ("50%25", "50%2525"),
            ("..", "%2E%2E"),
            ("x\\y?z#", "x%5Cy%3Fz%23"),
            ("José", "Jos%C3%A9"),
        ] {
            let raw = format!("/api/recommendations/{id}");
            let uri = exact(request(&raw, route, &serde_json::json!({"userId": id}))).uri().to_string();
            assert_eq!(uri, format!("/api/recommendations/{path}?limit=2"));
        }
        let health = exact(request("/api/health", "GET /api/health", &serde_json::json!({})));
        assert_eq!((health.uri().path(), health.uri().query()), ("/api/health", Some("limit=2")));
        let other = exact(request("/elsewhere", "$default", &serde_json::json!({})));
        assert_eq!(other.uri().path(), "/elsewhere");
    }
}
