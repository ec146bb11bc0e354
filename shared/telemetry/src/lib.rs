//! One typed event per happening that both logs and counts.
