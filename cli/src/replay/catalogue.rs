//! Products that the API no longer has, as the events told of them.

use freshet_engine::Product;
use freshet_events::UserEvent;
use freshet_events::product::parse_price;
use serde_json::Value;

/// Longest text that an event's metadata may say of a product, in bytes.
const MAX_TEXT: usize = 1_024;

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
