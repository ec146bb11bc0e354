//! `DefaultRouteSettings` and `RouteSettings` of a stage.

use super::TemplateError;
use super::access::{Throttle, Throttling};
use super::properties::Properties;
use super::yaml::Node;

/// An account's own rate, for a stage that sets the burst alone.
const ACCOUNT_RATE: f64 = 10_000.0;
/// An account's own burst, for a stage that sets the rate alone.
const ACCOUNT_BURST: u32 = 5_000;

/// Reads both.
pub(crate) fn read(properties: &Properties<'_, '_>) -> Result<Throttling, TemplateError> {
    let mut throttling = Throttling::default();
    if let Some(node) = properties.get("DefaultRouteSettings")? {
        let prefix = format!("{}DefaultRouteSettings.", properties.prefix);
        throttling.default = throttle(&Properties { prefix: &prefix, node: &node, ..*properties })?;
    }
    if let Some(node) = properties.get("RouteSettings")? {
        for (key, node) in Node::entries(&node) {
            let prefix = format!("{}RouteSettings.{key}.", properties.prefix);
            if let Some(found) = throttle(&Properties { prefix: &prefix, node, ..*properties })? {
                throttling.routes.insert(key.clone(), found);
            }
        }
    }
    Ok(throttling)
}

fn throttle(properties: &Properties<'_, '_>) -> Result<Option<Throttle>, TemplateError> {
    let burst = properties.number("ThrottlingBurstLimit", 0, i64::from(i32::MAX))?;
    let rate = rate(properties)?;
    Ok((burst.is_some() || rate.is_some()).then(|| Throttle {
        rate: rate.unwrap_or(ACCOUNT_RATE),
        burst: burst.and_then(|burst| u32::try_from(burst).ok()).unwrap_or(ACCOUNT_BURST),
    }))
}

fn rate(properties: &Properties<'_, '_>) -> Result<Option<f64>, TemplateError> {
    let name = "ThrottlingRateLimit";
    let Some(text) = properties.text(name)? else { return Ok(None) };
    match text.trim().parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate >= 0.0 => Ok(Some(rate)),
        _ => {
            let message = format!("a number of requests a second was expected; \"{text}\" came");
            Err(properties.error(name, properties.line(name), message))
        }
    }
}
