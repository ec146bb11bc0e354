//! A list as people see it: engine's items with the catalogue's names and prices, and the reason as a sentence.

use freshet_engine::{ListEntry, Reason};
use freshet_events::ListItem;

use crate::catalogue::Snapshot;

impl Snapshot {
    /// One recommended item. A product that the catalogue does not know is shown by its id.
    pub fn present(&self, entry: &ListEntry) -> ListItem {
        let product = self.products.get(entry.item.as_ref());
        ListItem {
            product_id: entry.item.to_string(),
            name: Some(self.name(&entry.item)),
            category: product.and_then(|product| product.category.clone()),
            price: product.and_then(|product| product.price.clone()),
            price_amount: product.and_then(|product| product.price_amount),
            currency: product.and_then(|product| product.currency.clone()),
            // Three decimals are what a person can tell apart, and keep the JSON short.
            score: (f64::from(entry.score()) * 1_000.0).round() / 1_000.0,
            reason: self.sentence(&entry.reason),
            because: entry.reason.because.as_str().to_owned(),
            because_product_id: entry.reason.item.as_ref().map(ToString::to_string),
        }
    }

    fn sentence(&self, reason: &Reason) -> String {
        reason.sentence(|id| Some(self.name(id)))
    }

    fn name(&self, id: &str) -> String {
        self.products.get(id).map_or_else(|| format!("Product {id}"), |product| product.name.clone())
    }
}
