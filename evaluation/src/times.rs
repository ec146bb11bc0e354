//! Times that are only days, hours or minutes.

use crate::Event;

/// Resolutions that are looked for, milliseconds.
const COARSE: [i64; 3] = [86_400_000, 3_600_000, 60_000];
/// A file of fewer events tells nothing of its resolution.
const LEAST_EVENTS: usize = 1_000;

/// Spreads the events that share a whole day (hour, minute) evenly over it, in their order, where the file knows no finer
/// time: a stream has an order, and clicks of one visit are not hours apart because their day is all that was kept.
pub(crate) fn spread(events: &mut [Event]) {
    let Some(first) = events.first().map(|event| event.at_ms) else { return };
    let is_coarse = |unit: &i64| events.iter().all(|event| (event.at_ms - first) % unit == 0);
    if events.len() < LEAST_EVENTS || events.iter().all(|event| event.at_ms == first) {
        return;
    }
    let Some(unit) = COARSE.into_iter().find(is_coarse) else { return };
    for run in events.chunk_by_mut(|a, b| a.at_ms == b.at_ms) {
        let count = run.len() as i64;
        for (at, event) in (0_i64..).zip(run) {
            event.at_ms += at * unit / count;
        }
    }
}

#[cfg(test)]
mod tests {
    use freshet_engine::EventKind;

    use super::*;
    use crate::Part;

    fn events(times: impl Iterator<Item = i64>) -> Vec<Event> {
        times.map(|at_ms| Event { user: 0, item: 0, at_ms, kind: EventKind::ProductView, part: Part::Train }).collect()
    }

    #[test]
    fn days_are_spread_in_order_and_finer_times_stay() {
        let day = 86_400_000;
        let mut coarse = events((0..1_200).map(|n| 7 + n / 600 * day));
        spread(&mut coarse);
        assert!(coarse.windows(2).all(|pair| pair[1].at_ms - pair[0].at_ms == day / 600));
        let fine = events((0..1_200).map(|n| n * 1_500));
        let mut kept = fine.clone();
        spread(&mut kept);
        assert_eq!(kept, fine);
    }
}
