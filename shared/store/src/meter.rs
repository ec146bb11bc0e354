//! What the tables say they consumed: DynamoDB's own capacity units, by table.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::types::ConsumedCapacity;
use freshet_events::metrics::Capacity;

/// Sums consumed capacity until it is taken.
#[derive(Debug, Default)]
pub struct Meter {
    by_table: Mutex<BTreeMap<String, Capacity>>,
}

impl Meter {
    pub(crate) fn read(&self, consumed: Option<&ConsumedCapacity>) {
        self.add(consumed, |capacity, units| capacity.read += units);
    }

    pub(crate) fn write(&self, consumed: Option<&ConsumedCapacity>) {
        self.add(consumed, |capacity, units| capacity.write += units);
    }

    /// What was consumed since the last call.
    pub fn take(&self) -> BTreeMap<String, Capacity> {
        std::mem::take(&mut *self.by_table.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, consumed: Option<&ConsumedCapacity>, to: impl Fn(&mut Capacity, f64)) {
        if let Some((table, units)) = consumed.and_then(|c| Some((c.table_name.clone()?, c.capacity_units?))) {
            to(self.by_table.lock().unwrap_or_else(PoisonError::into_inner).entry(table).or_default(), units);
        }
    }
}
