//! What needs more than one crate: the whole way, faults, load.
