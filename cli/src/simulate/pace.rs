//! When events go out.

use std::time::Duration;

use tokio::time::Instant;

use crate::args::{Profile, SimulateArgs};

/// Between two rushes.
const RUSH_INTERVAL_S: f64 = 5.0;

/// When events go out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// As fast as it goes.
    Free,
    /// One in so long.
    Each(Duration),
    /// So many at once, then as many again.
    Rushes {
        /// Events of one rush.
        size: u64,
        /// From the beginning of one to that of the next.
        every: Duration,
    },
}

impl Pace {
    /// What the arguments ask for, of `users` shoppers.
    pub(crate) fn new(args: &SimulateArgs, users: u32) -> Self {
        if args.profile == Profile::BlackFriday && args.rate.is_none() {
            let every = Duration::from_secs_f64(args.interval.unwrap_or(RUSH_INTERVAL_S));
            return Self::Rushes { size: u64::from(users), every };
        }
        let interval = args.rate.map_or(args.interval.unwrap_or(0.0), |rate| 1.0 / rate);
        if interval > 0.0 { Self::Each(Duration::from_secs_f64(interval)) } else { Self::Free }
    }

    /// When it is the turn of event number `index`, from the start on.
    fn after(self, index: u64) -> Duration {
        match self {
            Self::Free => Duration::ZERO,
            Self::Each(interval) => interval.mul_f64(index as f64),
            Self::Rushes { size, every } => every.mul_f64((index / size.max(1)) as f64),
        }
    }

    /// Waits for the turn of event number `index`.
    pub(crate) async fn turn(self, started: Instant, index: u64) {
        if self != Self::Free {
            tokio::time::sleep_until(started + self.after(index)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser as _;

    fn pace(args: &[&str]) -> Pace {
        let cli = Cli::try_parse_from(["freshet", "simulate"].iter().chain(args)).unwrap();
        let Command::Simulate(args) = cli.command else { panic!() };
        Pace::new(&args, 1_000)
    }

    #[test]
    fn an_interval_is_between_two_events_and_a_rush_is_all_shoppers_at_once() {
        assert_eq!(pace(&[]), Pace::Free);
        assert_eq!(pace(&["--users", "1000", "--interval", "0.1"]).after(999), Duration::from_millis(99_900));
        assert_eq!(pace(&["--rate", "200"]).after(200), Duration::from_secs(1));
        let rushes = pace(&["--profile", "black-friday"]);
        assert_eq!((rushes.after(999), rushes.after(1_000)), (Duration::ZERO, Duration::from_secs(5)));
        assert_eq!(pace(&["--profile", "black-friday", "--interval", "2"]).after(2_500), Duration::from_secs(4));
    }
}
