//! Token buckets: how often a route may be called.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html>

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::template::model::Throttle;

/// A route's bucket: `burst` tokens at the most, `rate` new ones a second.
pub(crate) struct Bucket {
    settings: Throttle,
    state: Mutex<(f64, Instant)>,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(settings: Throttle) -> Self {
        Self { settings, state: Mutex::new((f64::from(settings.burst), Instant::now())) }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&self) -> bool {
        self.take_at(Instant::now())
    }

    fn take_at(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, since) = *state;
        let grown = now.saturating_duration_since(since).as_secs_f64() * self.settings.rate;
        let tokens = (tokens + grown).min(f64::from(self.settings.burst));
        let taken = tokens >= 1.0;
        *state = (if taken { tokens - 1.0 } else { tokens }, now.max(since));
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_served_and_then_the_rate() {
        let bucket = Bucket::new(Throttle { rate: 10.0, burst: 3 });
        let begin = Instant::now();
        let at = |ms| bucket.take_at(begin + Duration::from_millis(ms));
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert_eq!([at(99), at(101), at(102)], [false, true, false]);
        assert_eq!((0..5).filter(|_| at(60_000)).count(), 3, "no more than the burst is saved up");
    }

    #[test]
    fn a_limit_of_nothing_lets_nobody_through() {
        assert!(!Bucket::new(Throttle { rate: 0.0, burst: 0 }).take());
        assert!(!Bucket::new(Throttle { rate: 100.0, burst: 0 }).take());
        let once = Bucket::new(Throttle { rate: 0.0, burst: 1 });
        assert_eq!((once.take(), once.take()), (true, false));
    }
}
