//! Rounds for what DynamoDB leaves undone of a batch.

use std::time::Duration;

/// Rounds after the first.
pub(crate) const ROUNDS: u32 = 6;

/// Waits before `round`, from 0: 25 ms, and twice as long before each further one.
pub(crate) async fn pause(round: u32) {
    tokio::time::sleep(Duration::from_millis(25 << round.min(ROUNDS))).await;
}
