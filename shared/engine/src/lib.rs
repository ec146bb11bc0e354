//! Freshet's recommender: pure, no AWS, no clock, no I/O, no async.
//!
//! An [`Interaction`] of a [`Person`] changes the profile and makes [`Signal`]s; each signal teaches one [`Item`]; a list is made
//! of a person, the items of the person's context, the [`Popularity`] and the [`Catalogue`]. The same input gives the same bytes.
//!
//! | file | what |
//! |---|---|
//! | `engine` | [`Engine`]: observe, learn, context |
//! | `recommend` | the lists: all of the way, the score, the reason |
//! | `candidates`, `pool` | where candidates come from, and what speaks for each |
//! | `attention` | whose documents count most: those of the context's company |
//! | `rows`, `features`, `kinds` | what speaks for a candidate as numbers |
//! | `blend` | how much each number counts, learned on the stream |
//! | `rerank` | variety, and something new |
//! | `history`, `tastes` | what the person did before says of doing it again, and of categories |
//! | `companions` | products that go with a product, and those that most want |
//! | `person`, `item` | the two documents and their bytes |
//! | `signal` | what one event teaches one item |
//! | `decay` | sums that fade: forward decay in fixed point |
//! | `popularity` | what most want |
//! | `catalogue`, `facets` | what products are, what is alike, of which kinds they are |
//! | `watermark` | what a document has been fed |
//! | `item_id`, `strategy`, `reason`, `config` | names and settings |

mod attention;
mod blend;
mod candidates;
mod catalogue;
mod codec;
mod companions;
mod config;
mod decay;
mod engine;
mod event;
mod facets;
mod features;
mod history;
mod item;
mod item_id;
mod kinds;
mod person;
mod pool;
mod popularity;
mod reason;
mod recommend;
mod rerank;
mod rows;
mod signal;
mod strategy;
mod tastes;
mod watermark;

pub use blend::{Blend, Blends, Learner};
pub use catalogue::{Catalogue, Product};
pub use codec::DecodeError;
pub use companions::Window;
pub use config::Config;
pub use decay::Decayed;
pub use engine::{Engine, ObserveOutcome, Observed};
pub use event::{EventKind, Interaction, event_hash};
pub use item::{Item, Neighbour};
pub use item_id::ItemId;
pub use person::{List, ListEntry, Past, Person};
pub use popularity::{Demand, Popularity, PopularityShard};
pub use reason::{Because, Reason};
pub use recommend::{Inputs, Prediction, Recommendation};
pub use signal::{Direction, Edge, Signal};
pub use strategy::{Split, Strategy};
pub use watermark::{Source, Watermarks};
