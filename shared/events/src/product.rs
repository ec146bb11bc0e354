//! The catalogue's products.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::id_field;
use crate::invalid::Invalid;

/// Longest name, category and price, in bytes.
pub const MAX_TEXT_BYTES: usize = 1_024;
/// Largest free attributes, in bytes of JSON.
pub const MAX_ATTRIBUTES_BYTES: usize = 16 * 1_024;
/// Most products of one import.
pub const MAX_IMPORT_PRODUCTS: usize = 1_000;

/// A product, as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// Its id, a string inside.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Category, where known.
    #[serde(default)]
    pub category: Option<String>,
    /// The price's display text as the shop gave it.
    #[serde(default)]
    pub price: Option<String>,
    /// The price as a number, where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_amount: Option<f64>,
    /// ISO 4217 code, where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// May it be recommended?
    pub available: bool,
    /// True: an administrator wrote it; false: learned from a website's metadata.
    pub confirmed: bool,
    /// Free attributes.
    #[serde(default)]
    pub attributes: Map<String, Value>,
}

impl Product {
    /// Reads what an administrator writes. `id` comes from the path (PUT) or the field `id` (import).
    ///
    /// # Errors
    /// The first field that is wrong, by name.
    pub fn from_value(id: Option<&str>, value: &Value) -> Result<Self, Invalid> {
        let fields = value.as_object().ok_or_else(|| Invalid::value("body", "a JSON object", Some(value)))?;
        let given = match fields.get("id") {
            None | Some(Value::Null) => None,
            value => Some(id_field("id", value)?),
        };
        let id = match (id, given) {
            (Some(path), Some(field)) if path != field => {
                return Err(Invalid::new("id", format!("{path:?} as in the path, or no id"), format!("{field:?}")));
            }
            (Some(path), _) => id_field("id", Some(&Value::String(path.to_owned())))?,
            (None, Some(field)) => field,
            (None, None) => return Err(Invalid::value("id", "a string or number", None)),
        };
        let name = text_field("name", fields.get("name"))?
            .ok_or_else(|| Invalid::value("name", "a text", fields.get("name")))?;
        let price = price_field(fields.get("price"))?;
        let available = match fields.get("available") {
            None | Some(Value::Null) => true,
            Some(Value::Bool(b)) => *b,
            other => return Err(Invalid::value("available", "true or false", other)),
        };
        let mut product = Self {
            id,
            name,
            category: text_field("category", fields.get("category"))?,
            price,
            price_amount: None,
            currency: None,
            available,
            confirmed: true,
            attributes: attributes(fields)?,
        };
        product.read_price();
        Ok(product)
    }

    /// Sets `price_amount` and `currency` from the display text.
    pub fn read_price(&mut self) {
        let (amount, currency) = self.price.as_deref().map_or((None, None), parse_price);
        self.price_amount = amount;
        self.currency = currency.map(str::to_owned);
    }
}

fn attributes(fields: &Map<String, Value>) -> Result<Map<String, Value>, Invalid> {
    const OWN: [&str; 9] =
        ["id", "name", "category", "price", "priceAmount", "currency", "available", "confirmed", "attributes"];
    let mut attributes = match fields.get("attributes") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(given)) => given.clone(),
        other => return Err(Invalid::value("attributes", "a JSON object", other)),
    };
    for (name, value) in fields.iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
        attributes.insert(name.clone(), value.clone());
    }
    let bytes = serde_json::to_vec(&attributes).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_ATTRIBUTES_BYTES {
        let expected = format!("free attributes of at most {MAX_ATTRIBUTES_BYTES} bytes");
        return Err(Invalid::new("attributes", expected, format!("{bytes} bytes")));
    }
    Ok(attributes)
}

/// A display text: `None` where absent or null.
fn text_field(field: &str, value: Option<&Value>) -> Result<Option<String>, Invalid> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) if !s.trim().is_empty() && s.len() <= MAX_TEXT_BYTES => Ok(Some(s.clone())),
        other => Err(Invalid::value(field, format!("a text of 1 to {MAX_TEXT_BYTES} bytes"), other)),
    }
}

fn price_field(value: Option<&Value>) -> Result<Option<String>, Invalid> {
    match value {
        Some(Value::Number(n)) => Ok(Some(n.to_string())),
        other => text_field("price", other),
    }
}

/// Amount and currency of a display price such as `$299.99`, `1.299,00 €`, `CHF 1'200` or `12.5`, where they can be read.
pub fn parse_price(text: &str) -> (Option<f64>, Option<&'static str>) {
    const SIGNS: [(&str, &str); 5] = [("$", "USD"), ("€", "EUR"), ("£", "GBP"), ("¥", "JPY"), ("₹", "INR")];
    const CODES: [&str; 12] = ["USD", "EUR", "GBP", "JPY", "CHF", "INR", "SEK", "NOK", "DKK", "PLN", "CAD", "AUD"];
    let upper = text.to_uppercase();
    let currency = CODES
        .into_iter()
        .find(|code| upper.contains(code))
        .or_else(|| SIGNS.iter().find(|(sign, _)| text.contains(sign)).map(|(_, code)| *code));
    let start = text.find(|c: char| c.is_ascii_digit());
    let Some(start) = start else { return (None, currency) };
    let end = text.rfind(|c: char| c.is_ascii_digit()).map_or(start, |last| last + 1);
    (parse_amount(&text[start..end]), currency)
}

/// A number with `.` or `,` as decimal or grouping mark: the last mark is the decimal one unless three digits follow it
/// and it is not alone of its kind in doubt (`1,299` is a thousand, `1.5` is one and a half).
fn parse_amount(digits: &str) -> Option<f64> {
    if !digits.chars().all(|c| c.is_ascii_digit() || ".,' \u{a0}\u{202f}".contains(c)) {
        return None;
    }
    let plain: String = digits.chars().filter(|c| c.is_ascii_digit() || *c == '.' || *c == ',').collect();
    let decimal = plain.rfind(['.', ',']).filter(|at| {
        let mark = &plain[*at..=*at];
        let after = plain.len() - at - 1;
        let other_mark_before = plain[..*at].contains(['.', ',']) && !plain[..*at].contains(mark);
        plain.matches(mark).count() == 1 && (after != 3 || other_mark_before)
    });
    let (whole, fraction) = decimal.map_or((plain.as_str(), ""), |at| (&plain[..at], &plain[at + 1..]));
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    format!("{whole}.{fraction}0").parse().ok().filter(|amount: &f64| amount.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn prices_are_read_where_they_can_be() {
        for (text, amount, currency) in [
            ("$299.99", Some(299.99), Some("USD")),
            ("$1,299.99", Some(1299.99), Some("USD")),
            ("1.299,00 €", Some(1299.0), Some("EUR")),
            ("CHF 1'200", Some(1200.0), Some("CHF")),
            ("1,299", Some(1299.0), None),
            ("12.5", Some(12.5), None),
            ("1.234.567", Some(1_234_567.0), None),
            ("on request", None, None),
            ("from $5 to $9", None, Some("USD")),
        ] {
            assert_eq!(parse_price(text), (amount, currency), "{text}");
        }
    }

    #[test]
    fn unknown_fields_of_a_product_are_its_free_attributes() {
        let product =
            Product::from_value(Some("7"), &json!({"name":"Lamp","price":12.5,"colour":"red","attributes":{"watt":5}}))
                .unwrap();
        assert_eq!(product.price.as_deref(), Some("12.5"));
        assert_eq!(Value::Object(product.attributes), json!({"watt":5,"colour":"red"}));
    }

    #[test]
    fn a_refused_product_names_its_field() {
        for (value, field) in [
            (json!({"id":"1"}), "name"),
            (json!({"name":"x"}), "id"),
            (json!({"id":"1","name":"x","available":"yes"}), "available"),
            (json!({"id":"1","name":"x","price":{}}), "price"),
            (json!({"id":"1","name":"x","attributes":[]}), "attributes"),
            (json!("x"), "body"),
        ] {
            assert_eq!(Product::from_value(None, &value).unwrap_err().field, field);
        }
        assert_eq!(Product::from_value(Some("2"), &json!({"id":"1","name":"x"})).unwrap_err().field, "id");
    }

    proptest! {
        #[test]
        fn no_price_text_panics(text in "\\PC{0,40}") {
            let _ = parse_price(&text);
        }
    }
}
