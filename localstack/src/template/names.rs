//! What references mean on one machine: physical names and plausible ARNs.

use super::intrinsics::{Place, Scope};
use super::{Settings, TemplateError};

/// The HTTP API that SAM makes for events that name none.
pub(crate) const IMPLICIT_HTTP_API: &str = "ServerlessHttpApi";

/// `AWS::Region` and its like; `None` for everything else.
pub(crate) fn pseudo_parameter(settings: &Settings, name: &str) -> Option<String> {
    let (region, account, stack) = (&settings.region, &settings.account_id, &settings.stack_name);
    Some(match name {
        "AWS::Region" => region.clone(),
        "AWS::AccountId" => account.clone(),
        "AWS::StackName" => stack.clone(),
        "AWS::StackId" => format!("arn:aws:cloudformation:{region}:{account}:stack/{stack}/local"),
        "AWS::Partition" => "aws".to_owned(),
        "AWS::URLSuffix" => "amazonaws.com".to_owned(),
        _ => return None,
    })
}

/// A resource's type, or nothing.
pub(crate) fn resource_type<'a>(scope: &Scope<'a>, logical_id: &str) -> &'a str {
    scope
        .resource(logical_id)
        .and_then(|resource| resource.get("Type"))
        .and_then(|kind| kind.text())
        .unwrap_or_default()
}

/// The name a resource was given, or `<stack>-<logical id>`.
pub(crate) fn physical_name(scope: &Scope<'_>, logical_id: &str) -> Result<String, TemplateError> {
    let property = match resource_type(scope, logical_id) {
        "AWS::Serverless::Function" | "AWS::Lambda::Function" => "FunctionName",
        "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => "TableName",
        "AWS::MSK::Cluster" | "AWS::MSK::ServerlessCluster" => "ClusterName",
        _ => "",
    };
    let given = scope.resource(logical_id).and_then(|resource| resource.get("Properties")?.get(property));
    match given {
        Some(node) => scope.text(Place { resource: logical_id, property }, node),
        None => Ok(format!("{}-{logical_id}", scope.settings.stack_name)),
    }
}

/// What `Ref` gives.
pub(crate) fn reference(scope: &Scope<'_>, logical_id: &str) -> Result<String, TemplateError> {
    match resource_type(scope, logical_id) {
        // Stands in for the API's id: the reader finds the API of a route by it.
        "AWS::Serverless::HttpApi" | "AWS::Serverless::WebSocketApi" | "" => Ok(logical_id.to_owned()),
        kind if kind.starts_with("AWS::ApiGatewayV2::") => Ok(logical_id.to_owned()),
        "AWS::MSK::Cluster" | "AWS::MSK::ServerlessCluster" => arn(scope, logical_id),
        _ => physical_name(scope, logical_id),
    }
}

/// What `Fn::GetAtt` gives; an attribute nobody can know here becomes a mark that says so, with a note.
pub(crate) fn attribute(
    scope: &Scope<'_>,
    line: usize,
    logical_id: &str,
    attribute: &str,
) -> Result<String, TemplateError> {
    match (resource_type(scope, logical_id), attribute) {
        (_, "Arn") => arn(scope, logical_id),
        ("AWS::DynamoDB::Table", "StreamArn") => Ok(format!("{}/stream/local", arn(scope, logical_id)?)),
        (kind, _) => {
            let path = format!("{logical_id}.{attribute}");
            let message = format!("{kind}: {attribute} is not known on one machine; \"local:{path}\" stands in for it");
            scope.note(logical_id, line, message);
            Ok(format!("local:{path}"))
        }
    }
}

fn arn(scope: &Scope<'_>, logical_id: &str) -> Result<String, TemplateError> {
    let name = physical_name(scope, logical_id)?;
    let kind = resource_type(scope, logical_id);
    let (service, rest) = match kind {
        "AWS::Serverless::Function" | "AWS::Lambda::Function" => ("lambda", format!("function:{name}")),
        "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => ("dynamodb", format!("table/{name}")),
        "AWS::MSK::Cluster" | "AWS::MSK::ServerlessCluster" => ("kafka", format!("cluster/{name}/local")),
        _ => (kind.split("::").nth(1).unwrap_or("local"), name),
    };
    let (region, account) = (&scope.settings.region, &scope.settings.account_id);
    Ok(format!("arn:aws:{}:{region}:{account}:{rest}", service.to_ascii_lowercase()))
}
