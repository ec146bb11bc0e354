//! The list a shopper sees just before: read as a website reads it, clicked as a shopper clicks, and a measure of how well
//! the crowd is known.

use freshet_events::EventType;
use serde_json::{Map, json};

use super::Planned;
use crate::api_client::ApiClient;
use crate::kafka::now_ms;

/// Looks of a run whose length is known: enough for its quarters to differ by more than chance.
const LOOKS: u64 = 1_600;
/// Of one whose length is not known, one event in so many is preceded by a look.
const EVERY: u64 = 50;

/// One event in so many is preceded by a look, besides those that a click needs.
pub(crate) fn every(total: Option<u64>) -> u64 {
    total.map_or(EVERY, |total| (total / LOOKS).max(1))
}

/// A list on the screen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// Its products, best first.
    pub(crate) products: Vec<String>,
    algorithm: String,
    recommendation_id: Option<String>,
}

impl Shown {
    /// Reads the list in the answer of the API.
    pub(crate) fn read(body: &serde_json::Value) -> Option<Self> {
        let list = body["data"].as_array().filter(|list| !list.is_empty())?;
        Some(Self {
            products: list.iter().filter_map(|item| item["productId"].as_str().map(str::to_owned)).collect(),
            algorithm: body["metadata"]["algorithm"].as_str()?.to_owned(),
            recommendation_id: body["metadata"]["recommendationId"].as_str().map(str::to_owned),
        })
    }

    /// What names it in a click or an exposure.
    fn name(&self) -> Map<String, serde_json::Value> {
        let mut metadata = Map::new();
        metadata.insert("algorithm".to_owned(), json!(self.algorithm));
        if let Some(id) = &self.recommendation_id {
            metadata.insert("recommendationId".to_owned(), json!(id));
        }
        metadata
    }

    /// What a click in it says.
    pub(crate) fn click(&self) -> Map<String, serde_json::Value> {
        let mut metadata = self.name();
        metadata.insert("timestamp".to_owned(), json!(now_ms()));
        metadata
    }

    /// The exposure that a website sends once it is on the screen, before `next` is done.
    fn exposure(&self, next: &Planned) -> Option<Planned> {
        Some(Planned {
            event_id: format!("{}-shown", next.event_id),
            user_id: next.user_id.clone(),
            event_type: EventType::RecommendationView,
            product_id: self.products.first()?.clone(),
            metadata: self.name(),
            click: None,
        })
    }
}

/// An event after the look that may have come before it.
#[derive(Debug)]
pub(crate) struct Looked {
    /// What is sent: the event as planned, or the click.
    pub(crate) planned: Planned,
    /// The list was on the screen before: sent first.
    pub(crate) exposure: Option<Planned>,
    /// It is a click.
    pub(crate) clicked: bool,
    /// Was what the shopper wanted in the list? `None`: nobody looked, or no list was known.
    pub(crate) hit: Option<bool>,
}

/// Looks, where the shopper would click or `curious` asks for it; an API that does not answer shows no list.
pub(crate) async fn look(api: &ApiClient, planned: Planned, curious: bool) -> Looked {
    // Only a step to another product tells something: what is bought is on the screen already.
    let tells = planned.event_type == EventType::ProductView;
    let mut looked = Looked { planned, exposure: None, clicked: false, hit: None };
    if looked.planned.click.is_none() && !(curious && tells) {
        return looked;
    }
    let Ok(answer) = api.recommendations(&looked.planned.user_id).await else { return looked };
    let Some(shown) = Shown::read(&answer.body) else { return looked };
    looked.exposure = shown.exposure(&looked.planned);
    // Before a click turns the shopper to the list: what they wanted by themselves.
    looked.hit = tells.then(|| shown.products.contains(&looked.planned.product_id));
    let chosen =
        looked.planned.click.and_then(|place| shown.products.get((place * shown.products.len() as f64) as usize));
    if let Some(product) = chosen {
        looked.planned = Planned {
            event_type: EventType::RecommendationClick,
            product_id: product.clone(),
            metadata: shown.click(),
            click: None,
            ..looked.planned
        };
        looked.clicked = true;
    }
    looked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_looks_always_and_a_long_one_now_and_then() {
        assert_eq!((every(Some(1_000)), every(Some(20_000)), every(None)), (1, 12, 50));
    }

    #[test]
    fn a_list_says_what_a_click_and_an_exposure_of_it_must_name() {
        let body = json!({"data": [{"productId": "a"}], "metadata": {"algorithm": "hybrid", "recommendationId": "r"}});
        let shown = Shown::read(&body).unwrap();
        let next = Planned {
            event_id: "e".to_owned(),
            user_id: "u".to_owned(),
            event_type: EventType::ProductView,
            product_id: "b".to_owned(),
            metadata: Map::new(),
            click: None,
        };
        let exposure = shown.exposure(&next).unwrap();
        for metadata in [shown.click(), exposure.metadata] {
            assert_eq!((&metadata["algorithm"], &metadata["recommendationId"]), (&json!("hybrid"), &json!("r")));
        }
        assert_eq!((exposure.event_id.as_str(), exposure.product_id.as_str()), ("e-shown", "a"));
        assert_eq!(exposure.event_type, EventType::RecommendationView);
        assert_eq!(Shown::read(&json!({"data": [], "message": "none yet"})), None);
    }
}
