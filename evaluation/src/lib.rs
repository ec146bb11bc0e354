//! The judge of recommenders: the same stream, the same question, the same figures for each.
//!
//! The question: what will this person do next? A [`Recommender`] answers with at most [`TOP`] items; the item that really came
//! next is a hit or not, at some rank. [`prequential`] asks before every event and then teaches it; [`split`] teaches one part
//! of the data, then only asks. [`Figures`] are what came out.
//!
//! | file | what |
//! |---|---|
//! | `dataset`, `products`, `table`, `times` | CSV files, or events from elsewhere, to dense numbers |
//! | `recommender` | [`Recommender`]: what is judged |
//! | `protocol` | who is asked when, and what is taught |
//! | `freshet` | our own engine |
//! | `peers` | published recommenders to compare with |
//! | `figures`, `comparison` | hit rate, reciprocal rank, coverage, speed; tables of them |

mod comparison;
mod dataset;
mod figures;
mod freshet;
pub mod peers;
mod products;
mod protocol;
mod recommender;
mod table;
mod times;

pub use comparison::Comparison;
pub use dataset::{Counts, Dataset, Event, Happened, Options, Order, Part};
pub use figures::{Accuracy, Figures, Microseconds};
pub use freshet::{Distance, Freshet};
pub use protocol::{NoSplit, Progress, prequential, split};
pub use recommender::{Bytes, Recommender, Request, TOP, Typical};
pub use table::DatasetError;
