//! What a caller calls its breakers; the rest of it is tested by the sims of healing.

use super::*;
use crate::world::Delay;

fn group(breaker: Option<Settings>, breaker_per: BreakerPer) -> CallerGroup {
    CallerGroup {
        name: "api".into(),
        count: 2,
        service: "db".into(),
        operations: ["read", "read", "write"].map(str::to_owned).to_vec(),
        requests: 1,
        pace: Pace::Think(Delay::ZERO),
        concurrency: 1,
        timeout: Duration::from_secs(1),
        breaker,
        breaker_per,
    }
}

#[test]
fn breakers_are_named_by_what_they_guard() {
    let names = |group: &CallerGroup| -> Vec<String> {
        breaker_names("api-1", group).iter().map(ToString::to_string).collect()
    };
    assert!(names(&group(None, BreakerPer::Operation)).is_empty());
    let engined = || Some(Settings::engined());
    assert_eq!(names(&group(engined(), BreakerPer::Service)), ["api-1/db"]);
    let each = ["api-1/db/read", "api-1/db/write"];
    assert_eq!(names(&group(engined(), BreakerPer::Operation)), each);
}
