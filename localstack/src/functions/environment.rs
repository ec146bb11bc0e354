//! The environment of a function process: Lambda's own names, then the template's, then the caller's.
//!
//! Source: AWS Lambda developer guide, "Defined runtime environment variables".

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use crate::template::model::Function;

/// All a function may see of the machine it runs on.
const INHERITED: [&str; 4] = ["PATH", "HOME", "RUST_LOG", "LANG"];

/// Builds the environment of one process.
pub(crate) fn build(
    function: &Function,
    region: &str,
    program: &Path,
    runtime_api: SocketAddr,
    extra: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    for name in INHERITED {
        if let Ok(value) = std::env::var(name) {
            environment.insert(name.to_owned(), value);
        }
    }
    let root = program.parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
    let stream = uuid::Uuid::new_v4().simple().to_string();
    for (name, value) in [
        ("_HANDLER", function.handler.clone()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/[$LATEST]{stream}")),
        ("AWS_REGION", region.to_owned()),
        ("AWS_DEFAULT_REGION", region.to_owned()),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("LAMBDA_TASK_ROOT", root.clone()),
        ("LAMBDA_RUNTIME_DIR", root),
        ("TZ", ":UTC".to_owned()),
    ] {
        environment.insert(name.to_owned(), value);
    }
    environment.extend(function.environment.clone());
    environment.extend(extra.clone());
    // Last: nothing may lead a function to another's Runtime API.
    environment.insert("AWS_LAMBDA_RUNTIME_API".to_owned(), runtime_api.to_string());
    environment
}
