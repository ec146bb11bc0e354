//! Items: what each has learned of its companions, with watermarks, written once a signal batch.

use freshet_engine::Item;

use crate::client::Tables;
use crate::document::Document;

impl Document for Item {
    const EXPIRY_S: i64 = 180 * 24 * 3_600;

    fn table(tables: &Tables) -> &str {
        &tables.items
    }

    fn encode(&self) -> Vec<u8> {
        Self::encode(self)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        Self::decode(bytes).map_err(|error| error.to_string())
    }

    fn watermarks(&self) -> Vec<u8> {
        self.watermarks.encode()
    }
}
