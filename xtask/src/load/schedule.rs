//! When each request is due, and which one it is.

use std::time::Duration;

use super::Shape;

/// When request `index` is due, counted from the start of the load.
pub(super) fn due(index: u64, rate: u32) -> Duration {
    let rate = u64::from(rate.max(1));
    let nanos = (index % rate) * 1_000_000_000 / rate;
    Duration::from_secs(index / rate) + Duration::from_nanos(nanos)
}

/// The shape of request `index`: each comes as often as its weight says, in every stretch of the total weight.
pub(super) fn shape(index: u64, shapes: &[Shape]) -> Option<&Shape> {
    let total: u64 = shapes.iter().map(|shape| u64::from(shape.weight)).sum();
    let mut place = index.checked_rem(total)?;
    shapes.iter().find(|shape| {
        let weight = u64::from(shape.weight);
        let here = place < weight;
        place = place.saturating_sub(weight);
        here
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_steady_and_does_not_drift() {
        assert_eq!(due(0, 300), Duration::ZERO);
        assert_eq!(due(150, 300), Duration::from_millis(500));
        assert_eq!(due(300 * 3_600, 300), Duration::from_secs(3_600));
        let gaps = (1..1_000).map(|index| due(index, 300) - due(index - 1, 300));
        assert!(gaps.into_iter().all(|gap| gap.as_micros().abs_diff(3_333) <= 1));
    }

    #[test]
    fn the_mix_follows_the_weights() {
        let shapes = [Shape::get("/").weight(4), Shape::put("/", "").expects(&[201]).weight(1)];
        let puts = (0..1_000).filter(|index| shape(*index, &shapes).unwrap().expected == [201]).count();
        assert_eq!(puts, 200);
        assert!(shape(0, &[]).is_none());
    }
}
