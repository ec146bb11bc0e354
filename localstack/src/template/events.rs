//! `Events` of a function: routes of HTTP APIs here, Kafka mappings next door.

use super::TemplateError;
use super::authorizers;
use super::kafka_event;
use super::model::{Function, HttpRoute, PayloadFormat, Stack};
use super::names::IMPLICIT_HTTP_API;
use super::properties::Properties;
use super::resources::implicit_http_api;
use super::yaml::Node;

const METHODS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Adds what triggers `function` to the stack.
pub(crate) fn read(
    properties: &Properties<'_, '_>,
    function: &Function,
    stack: &mut Stack,
) -> Result<(), TemplateError> {
    let Some(events) = properties.node.get("Events") else { return Ok(()) };
    for (name, event) in events.entries() {
        let kind = event.get("Type").and_then(Node::text).unwrap_or_default();
        let empty = Node::empty_map(event.line);
        let node = event.get("Properties").unwrap_or(&empty);
        let prefix = format!("Events.{name}.");
        let inner = Properties { prefix: &prefix, node, ..*properties };
        match kind {
            "HttpApi" => route(&inner, function, stack)?,
            "MSK" | "SelfManagedKafka" => {
                let mapping = kafka_event::read(&inner, kind, name, function)?;
                stack.mappings.push(mapping);
            }
            "" => return Err(inner.error("Type", event.line, "every event has a Type; nothing came")),
            other => {
                let hint = match other {
                    "Api" => "REST APIs are not served; an HttpApi event is",
                    _ => "HttpApi, MSK and SelfManagedKafka do",
                };
                let message = format!("event {name}: {other} triggers nothing here; {hint}");
                properties.scope.note(properties.resource, event.line, message);
            }
        }
    }
    Ok(())
}

fn route(properties: &Properties<'_, '_>, function: &Function, stack: &mut Stack) -> Result<(), TemplateError> {
    let api = properties.text("ApiId")?.unwrap_or_else(|| IMPLICIT_HTTP_API.to_owned());
    if api == IMPLICIT_HTTP_API && !stack.http_apis.contains_key(&api) {
        stack.http_apis.insert(api.clone(), implicit_http_api(properties.scope)?);
    }
    let Some(target) = stack.http_apis.get_mut(&api) else {
        let line = properties.line("ApiId");
        return Err(properties.error(
            "ApiId",
            line,
            format!("\"{api}\" came; an AWS::Serverless::HttpApi was expected"),
        ));
    };
    let format = properties.text("PayloadFormatVersion")?.unwrap_or_else(|| "2.0".to_owned());
    let Some(payload) = PayloadFormat::parse(&format) else {
        let line = properties.line("PayloadFormatVersion");
        let message = format!("1.0 or 2.0 was expected; \"{format}\" came");
        return Err(properties.error("PayloadFormatVersion", line, message));
    };
    let timeout_ms = properties.number("TimeoutInMillis", 50, 30_000)?.unwrap_or(30_000);
    let (path, method) = match (properties.text("Path")?, properties.text("Method")?) {
        (None, None) => ("$default".to_owned(), "ANY".to_owned()),
        (Some(path), method) if path == "$default" => (path, method.unwrap_or_else(|| "ANY".to_owned())),
        (Some(path), Some(method)) => (path, method),
        (Some(_), None) => return Err(properties.error("Method", properties.node.line, "Path came without Method")),
        (None, Some(_)) => return Err(properties.error("Path", properties.node.line, "Method came without Path")),
    };
    let method =
        method_of(&method).map_err(|message| properties.error("Method", properties.line("Method"), message))?;
    check_path(&path).map_err(|message| properties.error("Path", properties.line("Path"), message))?;
    if target.routes.iter().any(|route| route.path == path && route.method == method) {
        let line = properties.line("Path");
        return Err(properties.error("Path", line, format!("the route {method} {path} stands twice in {api}")));
    }
    let mut route = HttpRoute {
        method,
        path,
        function: function.logical_id.clone(),
        timeout_ms: u64::try_from(timeout_ms).unwrap_or(30_000),
        payload,
        ..HttpRoute::default()
    };
    authorizers::of_route(properties, target, &mut route)?;
    target.routes.push(route);
    Ok(())
}

/// In capitals; every name of "any method" becomes `ANY`.
pub(super) fn method_of(text: &str) -> Result<String, String> {
    let method = text.to_ascii_uppercase();
    match method.as_str() {
        "*" | "X-AMAZON-APIGATEWAY-ANY-METHOD" => Ok("ANY".to_owned()),
        known if METHODS.contains(&known) => Ok(method),
        _ => Err(format!("one of {} was expected; \"{text}\" came", METHODS.join(", "))),
    }
}

pub(super) fn check_path(path: &str) -> Result<(), String> {
    if path == "$default" {
        return Ok(());
    }
    if !path.starts_with('/') {
        return Err(format!("a path that begins with / was expected; \"{path}\" came"));
    }
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        let variable = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let greedy = variable.is_some_and(|name| name.ends_with('+'));
        if variable.is_some_and(|name| name.trim_end_matches('+').is_empty())
            || (variable.is_none() && segment.contains(['{', '}']))
        {
            return Err(format!("\"{segment}\" came; a whole segment as {{name}} or {{name+}} was expected"));
        }
        if greedy && index + 1 != segments.len() {
            return Err(format!("\"{segment}\" came in the middle; a greedy variable stands at the end"));
        }
    }
    Ok(())
}
