//! Products' names, as far as anybody has said them: bounded, the oldest go first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::incoming;
use crate::api_client::ApiClient;

/// A name, shared by all lines that say it.
pub(crate) type Name = Arc<str>;

/// Names that are kept.
const MAX_NAMES: usize = 100_000;
/// Between two readings of the catalogue.
const AGAIN: Duration = Duration::from_mins(1);

/// Names by product.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: HashMap<String, Name>,
    order: VecDeque<String>,
}

impl Names {
    /// Learns a name.
    pub(crate) fn learn(&mut self, product: &str, name: &Name) {
        if let Some(known) = self.known.get_mut(product) {
            if known != name {
                *known = Arc::clone(name);
            }
            return;
        }
        if self.order.len() == MAX_NAMES
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(product.to_owned());
        self.known.insert(product.to_owned(), Arc::clone(name));
    }

    /// Learns a name from somebody who may not know: it counts where there is none.
    pub(crate) fn suggest(&mut self, product: &str, name: &Name) {
        if !self.known.contains_key(product) {
            self.learn(product, name);
        }
    }

    /// The name of `product`.
    pub(crate) fn get(&self, product: &str) -> Option<Name> {
        self.known.get(product).cloned()
    }
}

/// Reads the catalogue now and then. An API that is not there is no fault: names then come from what passes by.
pub(crate) fn follow(api: ApiClient, stop: CancellationToken) -> mpsc::Receiver<Vec<(String, Name)>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        while !stop.is_cancelled() && !sender.is_closed() {
            if let Ok(products) = api.products().await {
                let named = products.into_iter();
                let named = named.filter_map(|product| Some((product.id, incoming::name(&product.name)?))).collect();
                if sender.send(named).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = stop.cancelled() => {}
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_name_counts_and_the_oldest_product_goes_first() {
        let mut names = Names::default();
        names.learn("1", &"Old".into());
        names.learn("1", &"New".into());
        names.suggest("1", &"Rumour".into());
        assert_eq!(names.get("1").as_deref(), Some("New"));
        for n in 2..=MAX_NAMES + 1 {
            names.learn(&n.to_string(), &"x".into());
        }
        assert_eq!((names.get("1"), names.known.len()), (None, MAX_NAMES));
    }
}
