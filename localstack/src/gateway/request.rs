//! A request as HTTP and WebSocket APIs both read it: decoded query, headers, times and ids.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use percent_encoding::percent_decode_str;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::account::{ACCOUNT_ID, REGION};

/// What every event says of the moment and the client.
pub(crate) struct Arrival {
    pub(crate) client: SocketAddr,
    pub(crate) at: OffsetDateTime,
    /// Of the form of API Gateway's own.
    pub(crate) request_id: String,
}

impl Arrival {
    pub(crate) fn now(client: SocketAddr) -> Self {
        Self { client, at: OffsetDateTime::now_utc(), request_id: short_id() }
    }

    pub(crate) fn source_ip(&self) -> IpAddr {
        self.client.ip()
    }

    /// `12/Mar/2020:19:03:58 +0000`.
    pub(crate) fn time(&self) -> String {
        let format = format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
        self.at.format(format).unwrap_or_default()
    }

    /// Milliseconds since the epoch.
    pub(crate) fn epoch_ms(&self) -> i64 {
        i64::try_from(self.at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
    }

    /// `X-Amzn-Trace-Id` of a request that brings none.
    pub(crate) fn trace_id(&self) -> String {
        let random = uuid::Uuid::new_v4().simple().to_string();
        format!("Root=1-{:08x}-{}", self.at.unix_timestamp(), &random[..24])
    }
}

/// 16 characters, the last an equals sign: the form of API Gateway's request and connection ids.
pub(crate) fn short_id() -> String {
    let random = uuid::Uuid::new_v4();
    base64::engine::general_purpose::URL_SAFE.encode(&random.as_bytes()[..11])
}

/// What an authorizer's policy speaks of: `arn:aws:execute-api:region:account:api/stage/…`.
pub(crate) fn execute_arn(api: &str, stage: &str, rest: &str) -> String {
    format!("arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{api}/{stage}/{rest}")
}

/// Percent-decoded; what is not UTF-8 becomes U+FFFD.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Names and values in the order they came, decoded, `+` as a space.
pub(crate) fn query(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
        decode(&spaced)
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// The text of a header's value; what is not UTF-8 becomes U+FFFD.
pub(crate) fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// The first value of a header, or nothing.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// All headers, with those that API Gateway adds on the way.
pub(crate) fn headers<'a>(parts: &'a Parts, arrival: &Arrival, port: u16) -> Grouped<'a> {
    let mut grouped = Grouped::default();
    for (name, value) in &parts.headers {
        grouped.push(Cow::Borrowed(name.as_str()), text(value));
    }
    let ip = arrival.source_ip();
    let forwarded = match grouped.0.remove("x-forwarded-for") {
        Some(before) => format!("{}, {ip}", before.join(",")),
        None => ip.to_string(),
    };
    grouped.push("x-forwarded-for".into(), forwarded.into());
    for (name, value) in [("x-forwarded-proto", "http".to_owned()), ("x-forwarded-port", port.to_string())] {
        grouped.0.entry(name.into()).or_insert_with(|| vec![value.into()]);
    }
    grouped.0.entry("x-amzn-trace-id".into()).or_insert_with(|| vec![arrival.trace_id().into()]);
    grouped
}

/// Values by name: written as one text a name, or as a list.
#[derive(Debug, Default)]
pub(crate) struct Grouped<'a>(pub(crate) BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>);

impl<'a> Grouped<'a> {
    pub(crate) fn push(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        self.0.entry(name).or_default().push(value);
    }

    pub(crate) fn of(pairs: &'a [(String, String)]) -> Self {
        let mut grouped = Self::default();
        for (name, value) in pairs {
            grouped.push(name.as_str().into(), value.as_str().into());
        }
        grouped
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Several values of a name joined by commas, as in payload format 2.0.
    pub(crate) fn joined(&self) -> Joined<'_> {
        Joined { values: self, without: None }
    }

    /// The last value of a name, as in payload format 1.0.
    pub(crate) fn last(&self) -> Last<'_> {
        Last(self)
    }

    /// All values of a name.
    pub(crate) fn lists(&self) -> Lists<'_> {
        Lists(self)
    }
}

/// See [`Grouped::joined`].
pub(crate) struct Joined<'a> {
    values: &'a Grouped<'a>,
    without: Option<&'static str>,
}

impl Joined<'_> {
    /// Leaves a name out.
    pub(crate) fn without(self, name: &'static str) -> Self {
        Self { without: Some(name), ..self }
    }
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let shown =
            self.values.0.iter().filter(|(name, _)| self.without.is_none_or(|without| without != name.as_ref()));
        for (name, values) in shown {
            match values.as_slice() {
                [one] => map.serialize_entry(name, one)?,
                many => map.serialize_entry(name, &many.join(","))?,
            }
        }
        map.end()
    }
}

/// See [`Grouped::last`].
pub(crate) struct Last<'a>(&'a Grouped<'a>);

impl Serialize for Last<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.0.iter().map(|(name, values)| (name, values.last())))
    }
}

/// See [`Grouped::lists`].
pub(crate) struct Lists<'a>(&'a Grouped<'a>);

impl Serialize for Lists<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.0.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_keep_their_order() {
        let pairs = query("b=1&a=x%20y&a=p+q&flag&=v&%zz=%E2%82&&c=1=2");
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let wanted =
            [("b", "1"), ("a", "x y"), ("a", "p q"), ("flag", ""), ("", "v"), ("%zz", "\u{fffd}"), ("c", "1=2")];
        assert_eq!(pairs, wanted);
    }

    #[test]
    fn ids_are_of_api_gateways_form() {
        let id = short_id();
        assert!(id.len() == 16 && id.ends_with('=') && id != short_id());
    }
}
