//! What the tests of the whole need: a running system, shoppers, and the check that nothing was lost and nothing doubled.

pub mod check;
pub mod data;
pub mod localstack;
pub mod log;
pub mod shop;
pub mod socket;
pub mod world;

pub use check::Report;
pub use world::{Client, Setup, World};
