//! People: profile, current list and watermarks in one document, written once an event batch.

use freshet_engine::Person;

use crate::client::Tables;
use crate::document::Document;

impl Document for Person {
    const EXPIRY_S: i64 = 90 * 24 * 3_600;

    fn table(tables: &Tables) -> &str {
        &tables.people
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
