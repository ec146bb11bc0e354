//! Does a value fit?

use std::net::IpAddr;

use serde_json::Value;

use super::{Comparison, Expected, Fields, Filter, Matcher, Node, TextMatcher};

impl Filter {
    /// Does a record with this metadata (`topic`, `partition`, `offset`, `timestamp`, `timestampType`) pass, whatever its value?
    /// They are asked for only where the pattern says something of them.
    pub(crate) fn admits_metadata(&self, metadata: impl FnOnce() -> Value) -> bool {
        self.metadata == Fields::default() || self.metadata.fit(Some(&metadata()))
    }

    /// Does a record with this value (`None`: a tombstone) pass?
    ///
    /// A plain text never fits a pattern of JSON nor JSON one of plain text, and what is not UTF-8 fits nothing.
    pub fn admits(&self, value: Option<&[u8]>) -> bool {
        let Ok(text) = value.map(std::str::from_utf8).transpose() else { return false };
        let json = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let json = json.filter(|json| json.is_object() || json.is_array());
        match &self.value {
            Expected::Anything => true,
            Expected::Text(matchers) => {
                let text = text.map(Value::from);
                json.is_none() && matchers.iter().any(|matcher| matcher.fits(text.as_ref()))
            }
            Expected::Json(fields) => (json.is_some() || text.is_none()) && fields.fit(json.as_ref()),
        }
    }
}

impl Fields {
    /// Of a list, any element may fit.
    fn fit(&self, value: Option<&Value>) -> bool {
        if let Some(Value::Array(elements)) = value {
            return elements.iter().any(|element| self.fit(Some(element)));
        }
        let field = |name: &str| value.and_then(|value| value.get(name));
        let all = self.all.iter().all(|(name, node)| match node {
            Node::Fields(fields) => fields.fit(field(name)),
            Node::Leaf(matchers) => fits_any(matchers, field(name)),
        });
        all && (self.any.is_empty() || self.any.iter().any(|group| group.fit(value)))
    }
}

/// Of a list, any element may fit.
fn fits_any(matchers: &[Matcher], value: Option<&Value>) -> bool {
    let any = |value: Option<&Value>| matchers.iter().any(|matcher| matcher.fits(value));
    match value {
        Some(Value::Array(elements)) => {
            elements.iter().any(|element| any(Some(element))) || matchers.contains(&Matcher::Exists(true))
        }
        other => any(other),
    }
}

impl Matcher {
    fn fits(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else { return *self == Self::Exists(false) };
        match self {
            Self::Equals(expected) => value == expected,
            Self::Number(expected) => value.as_f64().is_some_and(|number| Comparison::Equal.holds(number, *expected)),
            Self::Text(text) => value.as_str().is_some_and(|value| text.fits(value)),
            Self::AnythingBut(but) => {
                (value.is_string() || value.is_number() || value.is_boolean() || value.is_null())
                    && !but.iter().any(|matcher| matcher.fits(Some(value)))
            }
            Self::Numeric(comparisons) => value.as_f64().is_some_and(|number| {
                comparisons.iter().all(|(comparison, operand)| comparison.holds(number, *operand))
            }),
            // Of leaves: an object is none.
            Self::Exists(exists) => *exists && !value.is_object(),
            Self::Cidr(block, bits) => value
                .as_str()
                .and_then(|text| text.parse::<IpAddr>().ok())
                .is_some_and(|address| is_in_block(address, *block, *bits)),
        }
    }
}

impl Comparison {
    fn holds(self, number: f64, operand: f64) -> bool {
        match self {
            Self::Equal => number.partial_cmp(&operand).is_some_and(std::cmp::Ordering::is_eq),
            Self::Less => number < operand,
            Self::LessOrEqual => number <= operand,
            Self::Greater => number > operand,
            Self::GreaterOrEqual => number >= operand,
        }
    }
}

impl TextMatcher {
    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::PrefixIgnoringCase(prefix) => text.to_lowercase().starts_with(prefix),
            Self::SuffixIgnoringCase(suffix) => text.to_lowercase().ends_with(suffix),
            Self::EqualsIgnoringCase(other) => text.to_lowercase() == *other,
            Self::Wildcard(pieces) => fits_wildcard(pieces, text),
        }
    }
}

/// The first piece begins the text, the last one ends it, the others come between in their order, each as early as may be.
fn fits_wildcard(pieces: &[String], text: &str) -> bool {
    match pieces {
        [] => text.is_empty(),
        [whole] => text == whole,
        [first, middle @ .., last] => {
            let Some(rest) = text.strip_prefix(first.as_str()) else { return false };
            let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
            for piece in middle {
                let Some((_, after)) = rest.split_once(piece.as_str()) else { return false };
                rest = after;
            }
            true
        }
    }
}

fn is_in_block(address: IpAddr, block: IpAddr, bits: u8) -> bool {
    let same = |a: u128, b: u128, width: u32| {
        let shift = width - u32::from(bits).min(width);
        a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0)
    };
    match (address, block) {
        (IpAddr::V4(address), IpAddr::V4(block)) => same(u32::from(address).into(), u32::from(block).into(), 32),
        (IpAddr::V6(address), IpAddr::V6(block)) => same(address.into(), block.into(), 128),
        _ => false,
    }
}
