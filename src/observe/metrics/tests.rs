//! The catalogue is what it must be. That a text says what the report says is tested on the sims.

use super::*;

#[test]
fn names_labels_and_buckets_are_those_of_the_project_that_is_simulated() {
    let family = |name: &str| FAMILIES.iter().find(|family| family.name == name).unwrap();
    let duration = family("a2a_request_duration_seconds");
    assert_eq!(duration.labels, ["agent", "operation"]);
    let buckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    assert!(matches!(duration.kind, Kind::Histogram(found) if found == buckets));
    let labels = [
        ("a2a_requests_total", &["agent", "status"][..]),
        ("a2a_active_tasks", &["agent"]),
        ("a2a_response_size_bytes", &["agent"]),
        ("ccr_requests_total", &["provider", "task_type", "status"]),
        ("ccr_request_duration_seconds", &["provider"]),
        ("ccr_tokens_total", &["provider", "direction"]),
        ("rate_limit_hits_total", &["endpoint", "result"]),
        ("cache_operations_total", &["operation", "result"]),
        ("cache_latency_seconds", &[]),
    ];
    for (name, labels) in labels {
        assert_eq!(family(name).labels, labels, "{name}");
    }
}

#[test]
fn families_are_sorted_and_their_buckets_ascend() {
    assert!(FAMILIES.is_sorted_by(|a, b| a.name < b.name));
    for family in FAMILIES {
        assert_eq!(
            family.kind == Kind::Counter,
            family.name.ends_with("_total"),
            "{}",
            family.name
        );
        if let Kind::Histogram(buckets) = family.kind {
            assert!(buckets.is_sorted_by(|a, b| a < b), "{}", family.name);
        }
    }
}
