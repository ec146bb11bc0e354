//! Reads a SAM template into what the local cloud runs.

pub mod model;
