//! Template parameters of type `AWS::SSM::Parameter::Value<…>`: their value names a parameter of Systems Manager's store.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Endpoint, EndpointError};
use crate::template::Parameter;

/// What stands in the store for those of `declared`, by their names in `given` or their defaults. Others are left out.
///
/// # Errors
/// The store has no such parameter, or does not answer.
pub(crate) async fn resolve(
    endpoint: &Endpoint,
    declared: &[Parameter],
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, EndpointError> {
    let mut values = BTreeMap::new();
    for parameter in declared.iter().filter(|parameter| parameter.kind.starts_with("AWS::SSM::Parameter::Value<")) {
        let Some(name) = given.get(&parameter.name).or(parameter.default.as_ref()) else { continue };
        let found = endpoint.ssm("GetParameter", &json!({"Name": name, "WithDecryption": true})).await;
        let found = found.map_err(|error| endpoint.failed(format!("{}: parameter {name}", parameter.name), &error))?;
        let value = found["Parameter"]["Value"].as_str().unwrap_or_default();
        values.insert(parameter.name.clone(), value.to_owned());
    }
    Ok(values)
}
