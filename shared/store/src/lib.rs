//! Freshet's state in DynamoDB: one file a table, one mechanism for documents with a watermark.
//!
//! | module | table | holds |
//! |---|---|---|
//! | `people` | people | profile, list, watermarks |
//! | `items` | items | item models, watermarks |
//! | [`catalogue`] | catalogue | products; a snapshot of them in memory |
//! | [`board`] | board | popularity, settings, live figures, the catalogue's version |
//! | [`connections`] | connections | who is to be told of whose lists |
//!
//! [`document`] is what people and items share: compact bytes, written only over what was read (`writes`).

mod backoff;
pub mod board;
pub mod cache;
pub mod catalogue;
pub mod client;
pub mod connections;
pub mod document;
pub mod error;
mod items;
pub mod live;
pub mod meter;
pub mod models;
mod people;
mod present;
mod writes;

pub use cache::Cached;
pub use catalogue::CatalogueCache;
pub use client::{Options, Store, Tables};
pub use document::{Document, Fetched, Stored};
pub use error::StoreError;
pub use models::{Bridges, ItemCache, Models};
pub use writes::Put;
