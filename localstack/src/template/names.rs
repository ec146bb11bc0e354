//! What references mean on one machine: physical names and plausible ARNs.

use super::intrinsics::{Place, Scope};
use super::{Settings, TemplateError, nested};
use crate::account;

/// The HTTP API that SAM makes for events that name none.
pub(crate) const IMPLICIT_HTTP_API: &str = "ServerlessHttpApi";
/// The REST API that SAM makes for events that name none.
const IMPLICIT_REST_API: &str = "ServerlessRestApi";
/// Stands where AWS puts a random id.
const ID: &str = "00000000-0000-0000-0000-000000000000";

/// A kind of resource: its type, the property that names it, what follows the account in its ARN (`{}`: its name), and
/// whether `Ref` gives the ARN.
type Kind = (&'static str, &'static str, &'static str, bool);

/// Source: AWS CloudFormation template reference, "Return values" of each resource.
const KINDS: [Kind; 30] = [
    ("AWS::Cognito::UserPool", "", "cognito-idp:{region}:{account}:userpool/{}", false),
    ("AWS::DynamoDB::GlobalTable", "TableName", "dynamodb:{region}:{account}:table/{}", false),
    ("AWS::DynamoDB::Table", "TableName", "dynamodb:{region}:{account}:table/{}", false),
    ("AWS::EC2::SecurityGroup", "", "ec2:{region}:{account}:security-group/{}", false),
    ("AWS::EC2::Subnet", "", "ec2:{region}:{account}:subnet/{}", false),
    ("AWS::EC2::VPC", "", "ec2:{region}:{account}:vpc/{}", false),
    ("AWS::ECR::Repository", "RepositoryName", "ecr:{region}:{account}:repository/{}", false),
    ("AWS::Events::EventBus", "Name", "events:{region}:{account}:event-bus/{}", false),
    ("AWS::Events::Rule", "Name", "events:{region}:{account}:rule/{}", false),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName", "iam::{account}:policy/{}", true),
    ("AWS::IAM::Role", "RoleName", "iam::{account}:role/{}", false),
    ("AWS::IAM::User", "UserName", "iam::{account}:user/{}", false),
    ("AWS::KMS::Alias", "AliasName", "kms:{region}:{account}:{}", false),
    ("AWS::KMS::Key", "", "kms:{region}:{account}:key/{}", false),
    ("AWS::Kinesis::Stream", "Name", "kinesis:{region}:{account}:stream/{}", false),
    (
        "AWS::KinesisFirehose::DeliveryStream",
        "DeliveryStreamName",
        "firehose:{region}:{account}:deliverystream/{}",
        false,
    ),
    ("AWS::Lambda::Function", "FunctionName", "lambda:{region}:{account}:function:{}", false),
    ("AWS::Lambda::LayerVersion", "LayerName", "lambda:{region}:{account}:layer:{}:1", true),
    ("AWS::Logs::LogGroup", "LogGroupName", "logs:{region}:{account}:log-group:{}:*", false),
    ("AWS::MSK::Cluster", "ClusterName", "kafka:{region}:{account}:cluster/{}/{id}-1", true),
    ("AWS::MSK::ServerlessCluster", "ClusterName", "kafka:{region}:{account}:cluster/{}/{id}-s1", true),
    ("AWS::S3::Bucket", "BucketName", "s3:::{}", false),
    ("AWS::SNS::Topic", "TopicName", "sns:{region}:{account}:{}", true),
    ("AWS::SQS::Queue", "QueueName", "sqs:{region}:{account}:{}", false),
    ("AWS::SSM::Parameter", "Name", "ssm:{region}:{account}:parameter/{}", false),
    // Without the six random characters at the end: a partial ARN, which Secrets Manager takes as well.
    ("AWS::SecretsManager::Secret", "Name", "secretsmanager:{region}:{account}:secret:{}", true),
    ("AWS::Serverless::Function", "FunctionName", "lambda:{region}:{account}:function:{}", false),
    ("AWS::Serverless::LayerVersion", "LayerName", "lambda:{region}:{account}:layer:{}:1", true),
    ("AWS::Serverless::SimpleTable", "TableName", "dynamodb:{region}:{account}:table/{}", false),
    ("AWS::StepFunctions::StateMachine", "StateMachineName", "states:{region}:{account}:stateMachine:{}", true),
];

/// `AWS::Region` and its like; `None` for everything else.
pub(crate) fn pseudo_parameter(settings: &Settings, name: &str) -> Option<String> {
    let (region, account, stack) = (&settings.region, &settings.account_id, &settings.stack_name);
    Some(match name {
        "AWS::Region" => region.clone(),
        "AWS::AccountId" => account.clone(),
        "AWS::StackName" => stack.clone(),
        "AWS::StackId" => stack_arn(settings, stack),
        "AWS::Partition" => "aws".to_owned(),
        "AWS::URLSuffix" => "amazonaws.com".to_owned(),
        _ => return None,
    })
}

/// A resource's type, or nothing. Resources that SAM adds by itself are known, too.
pub(crate) fn resource_type<'a>(scope: &Scope<'a>, logical_id: &str) -> &'a str {
    match scope.resource(logical_id) {
        Some(resource) => resource.get("Type").and_then(|kind| kind.text()).unwrap_or_default(),
        None => implied(scope, logical_id).unwrap_or_default(),
    }
}

/// The type of a resource that the template does not have, and SAM makes.
///
/// Source: SAM's developer guide, "Generated CloudFormation resources".
fn implied(scope: &Scope<'_>, logical_id: &str) -> Option<&'static str> {
    let is_function = |id: &str| {
        let kind = scope.resource(id).and_then(|resource| resource.get("Type")?.text());
        kind == Some("AWS::Serverless::Function")
    };
    match logical_id {
        IMPLICIT_HTTP_API => Some("AWS::Serverless::HttpApi"),
        IMPLICIT_REST_API => Some("AWS::Serverless::Api"),
        "ServerlessRestApiProdStage" | "ServerlessHttpApiApiGatewayDefaultStage" => Some("AWS::ApiGateway::Stage"),
        role if role.strip_suffix("Role").is_some_and(is_function) => Some("AWS::IAM::Role"),
        _ => None,
    }
}

/// False: neither the template nor SAM makes it.
pub(crate) fn is_resource(scope: &Scope<'_>, logical_id: &str) -> bool {
    scope.resource(logical_id).is_some() || implied(scope, logical_id).is_some()
}

fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|(kind, ..)| *kind == name)
}

/// A property of a resource as text; `None` where it is absent.
fn property(scope: &Scope<'_>, logical_id: &str, property: &str) -> Result<Option<String>, TemplateError> {
    match scope.resource(logical_id).and_then(|resource| resource.get("Properties")?.get(property)) {
        Some(node) => scope.optional_text(Place { resource: logical_id, property }, node),
        None => Ok(None),
    }
}

/// The name a resource was given, or `<stack>-<logical id>`.
pub(crate) fn physical_name(scope: &Scope<'_>, logical_id: &str) -> Result<String, TemplateError> {
    let resource_type = resource_type(scope, logical_id);
    let name = kind(resource_type).map_or("", |(_, name, ..)| *name);
    let given = if name.is_empty() { None } else { property(scope, logical_id, name)? };
    if let Some(given) = given.filter(|given| !given.is_empty()) {
        return Ok(given);
    }
    let made = format!("{}-{logical_id}", scope.settings.stack_name);
    Ok(match resource_type {
        // Its names know no capitals.
        "AWS::S3::Bucket" => made.to_ascii_lowercase(),
        "AWS::SQS::Queue" if property(scope, logical_id, "FifoQueue")?.as_deref() == Some("true") => {
            format!("{made}.fifo")
        }
        "AWS::Cognito::UserPool" => format!("{}_{logical_id}", scope.settings.region),
        "AWS::EC2::SecurityGroup" => format!("sg-{}", made.to_ascii_lowercase()),
        "AWS::EC2::Subnet" => format!("subnet-{}", made.to_ascii_lowercase()),
        "AWS::EC2::VPC" => format!("vpc-{}", made.to_ascii_lowercase()),
        "AWS::KMS::Key" => ID.to_owned(),
        _ => made,
    })
}

/// What `Ref` gives.
pub(crate) fn reference(scope: &Scope<'_>, logical_id: &str) -> Result<String, TemplateError> {
    match resource_type(scope, logical_id) {
        "AWS::ApiGateway::Stage" | "AWS::ApiGatewayV2::Stage" => stage(scope, logical_id),
        // Stands in for the API's id: the reader finds the API of a route by it.
        "AWS::Serverless::Api" | "AWS::Serverless::HttpApi" | "AWS::Serverless::WebSocketApi" | "" => {
            Ok(logical_id.to_owned())
        }
        kind if kind.starts_with("AWS::ApiGateway") => Ok(logical_id.to_owned()),
        "AWS::CloudFormation::Stack" | "AWS::Serverless::Application" => {
            Ok(stack_arn(scope.settings, &physical_name(scope, logical_id)?))
        }
        "AWS::Lambda::Version" => Ok(format!("{}:1", function_arn(scope, logical_id)?)),
        "AWS::Lambda::Alias" => {
            let name = property(scope, logical_id, "Name")?.unwrap_or_default();
            Ok(format!("{}:{name}", function_arn(scope, logical_id)?))
        }
        "AWS::SQS::Queue" => queue_url(scope, logical_id),
        other if kind(other).is_some_and(|(.., is_arn)| *is_arn) => arn(scope, logical_id),
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
    let resource_type = resource_type(scope, logical_id);
    let service = resource_type.rsplit_once("::").map_or("", |(service, _)| service);
    let name = || physical_name(scope, logical_id);
    let region = &scope.settings.region;
    if matches!(resource_type, "AWS::CloudFormation::Stack" | "AWS::Serverless::Application")
        && let Some(name) = attribute.strip_prefix("Outputs.")
        && let Some(output) = nested::output(scope, line, logical_id, name)?
    {
        return Ok(output);
    }
    match (resource_type, attribute) {
        (_, "Arn" | "TopicArn") | ("AWS::SecretsManager::Secret", "Id") => arn(scope, logical_id),
        ("AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable", "StreamArn") => {
            Ok(format!("{}/stream/1970-01-01T00:00:00.000", arn(scope, logical_id)?))
        }
        ("AWS::SQS::Queue", "QueueUrl") => queue_url(scope, logical_id),
        ("AWS::SSM::Parameter", "Value" | "Type") => Ok(property(scope, logical_id, attribute)?.unwrap_or_default()),
        ("AWS::Serverless::Function", "Version") => Ok(format!("{}:1", arn(scope, logical_id)?)),
        ("AWS::Serverless::Function", "Alias") => {
            let alias = property(scope, logical_id, "AutoPublishAlias")?.unwrap_or_default();
            Ok(format!("{}:{alias}", arn(scope, logical_id)?))
        }
        ("AWS::Lambda::Version", "Version") => Ok("1".to_owned()),
        ("AWS::S3::Bucket", "DomainName") => Ok(format!("{}.s3.amazonaws.com", name()?)),
        ("AWS::S3::Bucket", "RegionalDomainName") => Ok(format!("{}.s3.{region}.amazonaws.com", name()?)),
        ("AWS::S3::Bucket", "WebsiteURL") => Ok(format!("http://{}.s3-website-{region}.amazonaws.com", name()?)),
        ("AWS::Cognito::UserPool", "ProviderName") => Ok(format!("cognito-idp.{region}.amazonaws.com/{}", name()?)),
        ("AWS::Cognito::UserPool", "ProviderURL") => {
            Ok(format!("https://cognito-idp.{region}.amazonaws.com/{}", name()?))
        }
        ("AWS::EC2::SecurityGroup", "GroupId")
        | ("AWS::EC2::VPC", "VpcId")
        | ("AWS::EC2::Subnet", "SubnetId")
        | ("AWS::KMS::Key", "KeyId")
        | ("AWS::SQS::Queue", "QueueName")
        | ("AWS::SNS::Topic", "TopicName")
        | ("AWS::StepFunctions::StateMachine" | "AWS::Events::EventBus", "Name") => name(),
        (_, "ApiId") if matches!(service, "AWS::ApiGatewayV2" | "AWS::Serverless") => Ok(logical_id.to_owned()),
        (_, "Stage") if service == "AWS::Serverless" => stage(scope, logical_id),
        (_, "ApiEndpoint") => Ok(api_endpoint(scope, logical_id)?),
        (other, _) => {
            let path = format!("{logical_id}.{attribute}");
            let message =
                format!("{other}: {attribute} is not known on one machine; \"local:{path}\" stands in for it");
            scope.note(logical_id, line, message);
            Ok(format!("local:{path}"))
        }
    }
}

fn api_endpoint(scope: &Scope<'_>, logical_id: &str) -> Result<String, TemplateError> {
    let is_socket = resource_type(scope, logical_id) == "AWS::Serverless::WebSocketApi"
        || property(scope, logical_id, "ProtocolType")?.as_deref() == Some("WEBSOCKET");
    let protocol = if is_socket { "wss" } else { "https" };
    Ok(format!("{protocol}://{logical_id}.execute-api.{}.amazonaws.com", scope.settings.region))
}

fn stage(scope: &Scope<'_>, logical_id: &str) -> Result<String, TemplateError> {
    let otherwise = if logical_id == IMPLICIT_REST_API { "Prod" } else { "$default" };
    Ok(property(scope, logical_id, "StageName")?.unwrap_or_else(|| otherwise.to_owned()))
}

fn queue_url(scope: &Scope<'_>, logical_id: &str) -> Result<String, TemplateError> {
    let name = physical_name(scope, logical_id)?;
    let aws = || format!("https://sqs.{}.amazonaws.com", scope.settings.region);
    let endpoint = scope.settings.sqs_endpoint.clone().unwrap_or_else(aws);
    Ok(format!("{}/{}/{name}", endpoint.trim_end_matches('/'), scope.settings.account_id))
}

fn function_arn(scope: &Scope<'_>, logical_id: &str) -> Result<String, TemplateError> {
    let function = property(scope, logical_id, "FunctionName")?.unwrap_or_default();
    if function.starts_with("arn:") {
        return Ok(function);
    }
    Ok(account::function_arn(&scope.settings.region, &scope.settings.account_id, &function))
}

fn stack_arn(settings: &Settings, stack: &str) -> String {
    format!("arn:aws:cloudformation:{}:{}:stack/{stack}/{ID}", settings.region, settings.account_id)
}

fn arn(scope: &Scope<'_>, logical_id: &str) -> Result<String, TemplateError> {
    let name = physical_name(scope, logical_id)?;
    let resource_type = resource_type(scope, logical_id);
    let other;
    let pattern = match kind(resource_type) {
        Some((_, _, pattern, _)) => *pattern,
        None => {
            let service = resource_type.split("::").nth(1).unwrap_or("local").to_ascii_lowercase();
            other = format!("{service}:{{region}}:{{account}}:{{}}");
            &other
        }
    };
    let name = if resource_type == "AWS::SSM::Parameter" { name.trim_start_matches('/') } else { &name };
    let filled = pattern.replace("{region}", &scope.settings.region).replace("{account}", &scope.settings.account_id);
    Ok(format!("arn:aws:{}", filled.replace("{id}", ID).replace("{}", name)))
}
