//! Times as they are shown.

use time::{OffsetDateTime, UtcOffset};

/// A place's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(pub(crate) UtcOffset);

impl Clock {
    /// `14:23:45`.
    pub(crate) fn time(self, at_ms: i64) -> String {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000);
        let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH).to_offset(self.0);
        format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
    }

    /// `UTC`, or `UTC+02:00`.
    pub(crate) fn name(self) -> String {
        let (hours, minutes, _) = self.0.as_hms();
        let sign = if self.0.is_negative() { '-' } else { '+' };
        if self.0.is_utc() {
            "UTC".to_owned()
        } else {
            format!("UTC{sign}{:02}:{:02}", hours.unsigned_abs(), minutes.unsigned_abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_place() {
        let (utc, india) = (Clock(UtcOffset::UTC), Clock(UtcOffset::from_hms(5, 30, 0).unwrap()));
        assert_eq!((utc.time(1_790_000_000_123), utc.name()), ("14:13:20".into(), "UTC".into()));
        assert_eq!((india.time(1_790_000_000_123), india.name()), ("19:43:20".into(), "UTC+05:30".into()));
        assert_eq!(Clock(UtcOffset::from_hms(-3, -30, 0).unwrap()).name(), "UTC-03:30");
        assert_eq!(utc.time(i64::MAX), "00:00:00");
    }
}
