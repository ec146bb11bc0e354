//! Products as the engine sees them.

use freshet_engine::Product;
use freshet_events::product::parse_price;
use freshet_events::{Product as Shown, UserEvent};
use serde_json::Value;

/// Longest text that an event's metadata may say of a product, in bytes.
const MAX_TEXT: usize = 1_024;

/// One of the API's products.
pub(super) fn product(shown: &Shown) -> Product {
    Product {
        id: shown.id.as_str().into(),
        name: shown.name.clone(),
        category: shown.category.clone(),
        price: shown.price_amount,
        attributes: shown.attributes.iter().flat_map(|(name, value)| texts(name, value)).collect(),
        available: shown.available,
    }
}

/// What an event says of its product; `None`: not even a name.
pub(super) fn seen(event: &UserEvent) -> Option<Product> {
    let text = |name: &str| event.metadata_str(name).filter(|text| !text.trim().is_empty() && text.len() <= MAX_TEXT);
    let price = event.metadata.get("price").and_then(Value::as_f64);
    Some(Product {
        id: event.product_id.as_str().into(),
        name: text("name")?.to_owned(),
        category: text("category").map(str::to_owned),
        price: price.or_else(|| parse_price(text("price")?).0),
        attributes: Vec::new(),
        available: true,
    })
}

/// A free attribute as texts: every element of a list is one.
fn texts(name: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::String(text) => vec![(name.to_owned(), text.clone())],
        Value::Number(number) => vec![(name.to_owned(), number.to_string())],
        Value::Bool(flag) => vec![(name.to_owned(), flag.to_string())],
        Value::Array(values) => values.iter().flat_map(|value| texts(name, value)).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
    }
}
