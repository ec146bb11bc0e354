//! Our project on the local cloud.

/// What people do.
pub(crate) const USER_EVENTS: &str = "user-events";
