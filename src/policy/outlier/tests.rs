//! Who is ejected, for how long, and who is not.

use super::*;
use crate::world::Seed;

fn at(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}

/// A detector, and its stream of draws.
struct Cluster {
    it: Detector,
    draws: Stream,
}

fn cluster(hosts: usize, change: impl FnOnce(&mut Settings)) -> Cluster {
    let mut settings = Settings { max_ejection_percent: 100, ..Settings::default() };
    change(&mut settings);
    Cluster { it: Detector::new(settings, hosts), draws: Seed(1).stream("outliers") }
}

impl Cluster {
    fn respond(&mut self, now: u64, host: usize, status: u16, times: usize) -> bool {
        for _ in 0..times {
            self.it.respond(at(now), host, status, &mut self.draws);
        }
        self.it.is_ejected(host)
    }

    fn result(&mut self, host: usize, result: Result, times: usize) -> bool {
        for _ in 0..times {
            self.it.result(at(0), host, result, &mut self.draws);
        }
        self.it.is_ejected(host)
    }

    fn sweep(&mut self, now: u64) -> usize {
        self.it.sweep(at(now), &mut self.draws);
        self.it.ejected()
    }

    fn detected(&self, kind: Kind) -> u64 {
        self.it.ejections().detected[kind as usize]
    }

    fn enforced(&self, kind: Kind) -> u64 {
        self.it.ejections().enforced[kind as usize]
    }
}

#[test]
fn names_are_envoys() {
    let names = [
        "consecutive_5xx",
        "consecutive_gateway_failure",
        "consecutive_local_origin_failure",
        "success_rate",
        "local_origin_success_rate",
        "failure_percentage",
        "local_origin_failure_percentage",
    ];
    for (kind, name) in Kind::ALL.into_iter().zip(names) {
        assert_eq!(kind.as_str(), name);
        assert_eq!(kind.to_string(), name);
    }
}

#[test]
fn errors_in_a_row_eject_and_anything_else_ends_the_row() {
    let mut it = cluster(1, |_| {});
    assert!(!it.respond(0, 0, 500, 4));
    assert!(!it.respond(0, 0, 499, 1), "not an error");
    assert!(!it.respond(0, 0, 599, 4));
    assert!(!it.respond(0, 0, 600, 1));
    assert!(!it.respond(0, 0, 500, 4));
    assert!(it.respond(7, 0, 500, 1));
    let host = it.it.hosts()[0];
    assert_eq!((host.ejected, host.ejections, host.remembered), (Some(at(7)), 1, 1));
    assert_eq!((it.detected(Kind::Consecutive5xx), it.enforced(Kind::Consecutive5xx)), (1, 1));
    assert!(it.respond(8, 0, 500, 50), "one that is out is not found again");
    assert_eq!(it.detected(Kind::Consecutive5xx), 1);
    it.it.respond(at(0), 9, 500, &mut it.draws);
    assert!(!it.it.is_ejected(9), "nobody knows that host");
}

#[test]
fn gateway_failures_are_counted_by_themselves() {
    let mut it = cluster(1, |it| it.enforcing[Kind::Consecutive5xx as usize] = 0);
    it.it.settings.enforcing[Kind::ConsecutiveGatewayFailure as usize] = 100;
    it.respond(0, 0, 503, 4);
    assert!(!it.respond(0, 0, 500, 1), "ends the row of gateway failures");
    assert_eq!(it.detected(Kind::Consecutive5xx), 1, "found, but not acted upon");
    it.respond(0, 0, 502, 2);
    assert!(!it.respond(0, 0, 503, 2));
    assert!(it.respond(0, 0, 504, 1));
    assert_eq!(it.enforced(Kind::ConsecutiveGatewayFailure), 1);
    let mut it = cluster(1, |it| it.enforcing[Kind::ConsecutiveGatewayFailure as usize] = 100);
    for status in [501, 505] {
        it.respond(0, 0, status, 4);
        assert!(!it.respond(0, 0, 200, 1));
        assert_eq!(it.detected(Kind::ConsecutiveGatewayFailure), 0);
    }
    it.respond(0, 0, 503, 4);
    it.respond(0, 0, 200, 1);
    assert!(!it.respond(0, 0, 503, 4));
    assert_eq!(it.detected(Kind::ConsecutiveGatewayFailure), 0, "a success ends the row");
}

#[test]
fn what_is_not_enforced_is_found_again_after_as_many_more() {
    let mut it = cluster(1, |it| it.enforcing = [0; 7]);
    assert!(!it.respond(0, 0, 503, 14));
    assert_eq!(it.detected(Kind::Consecutive5xx), 2);
    assert_eq!(it.detected(Kind::ConsecutiveGatewayFailure), 2);
    it.respond(0, 0, 503, 1);
    assert_eq!(it.detected(Kind::Consecutive5xx), 3);
    assert_eq!((it.enforced(Kind::Consecutive5xx), it.it.ejections().overflow), (0, 0));
}

#[test]
fn an_ejection_ends_at_the_first_sweep_after_its_time() {
    let mut it = cluster(1, |_| {});
    it.respond(5_000, 0, 500, 5);
    assert_eq!(it.sweep(34_999), 1);
    assert_eq!(it.sweep(35_000), 0);
    assert_eq!(it.it.hosts()[0].returned, Some(at(35_000)));
    assert!(!it.respond(35_000, 0, 500, 4), "the row begins anew");
    assert!(it.respond(35_000, 0, 500, 1));
    assert_eq!(it.sweep(94_999), 1, "twice as long");
    assert_eq!(it.sweep(95_000), 0);
}

#[test]
fn health_makes_the_next_ejection_shorter() {
    let mut it = cluster(1, |_| {});
    let remembered = |it: &Cluster| it.it.hosts()[0].remembered;
    it.respond(0, 0, 500, 5);
    it.sweep(30_000);
    it.respond(30_000, 0, 500, 5);
    it.sweep(89_999);
    assert_eq!(remembered(&it), 2);
    it.sweep(90_000);
    assert_eq!(remembered(&it), 2, "it only just came back");
    it.sweep(99_999);
    assert_eq!(remembered(&it), 1, "however short the interval was");
    it.sweep(110_000);
    it.sweep(120_000);
    assert_eq!(remembered(&it), 0);
    it.respond(120_000, 0, 500, 5);
    it.sweep(149_999);
    assert_eq!((remembered(&it), it.it.ejected()), (1, 1), "one that is out forgets nothing");
    assert_eq!(it.it.hosts()[0].ejections, 3);
}

#[test]
fn ejections_grow_up_to_the_longest() {
    let mut it = cluster(1, |_| {});
    let mut now = 0;
    for ejection in 1..=13_u64 {
        it.respond(now, 0, 500, 5);
        let wait = (ejection * 30_000).min(300_000);
        assert_eq!(it.sweep(now + wait - 1), 1);
        assert_eq!(it.sweep(now + wait), 0);
        now += wait;
    }
    assert_eq!(it.it.hosts()[0].remembered, 11, "one more than the longest needs");
}

#[test]
fn only_so_many_may_be_out() {
    let out = |hosts, percent, always| {
        let mut it = cluster(hosts, |it| {
            it.max_ejection_percent = percent;
            it.always_eject_one_host = always;
        });
        for host in 0..hosts {
            it.respond(0, host, 500, 5);
        }
        assert_eq!(it.it.ejections().overflow as usize, hosts - it.it.ejected());
        it.it.ejected()
    };
    assert_eq!(out(3, 10, true), 1, "one, whatever it comes to");
    assert_eq!(out(3, 10, false), 0);
    assert_eq!(out(10, 10, false), 1);
    assert_eq!(out(9, 10, false), 0);
    assert_eq!(out(4, 50, true), 2);
    assert_eq!(out(4, 49, true), 1);
    assert_eq!(out(2, 300, false), 2);
}

/// The example of Envoy's documentation: 50, 100, 100, 100, 100 have the mean 90 and the
/// deviation 20, so that 52 is the threshold.
#[test]
fn a_success_rate_far_below_the_others_ejects() {
    let mut it = cluster(5, |it| it.enforcing[Kind::Consecutive5xx as usize] = 0);
    for host in 0..5 {
        it.respond(0, host, 200, 100);
        let other = if host == 4 { 503 } else { 200 };
        it.respond(0, host, other, 100);
    }
    assert_eq!(it.it.threshold(Origin::External), None);
    assert_eq!(it.sweep(10_000), 1);
    assert!(it.it.is_ejected(4));
    let threshold = Threshold { mean: 900_000_000, below: 520_000_000 };
    assert_eq!(it.it.threshold(Origin::External), Some(threshold));
    assert_eq!(it.it.success_rate(4, Origin::External), Some(500_000_000));
    assert_eq!(it.it.threshold(Origin::Local), None);
    assert_eq!(it.it.success_rate(4, Origin::Local), None);
    assert_eq!(it.it.success_rate(9, Origin::External), None);
    assert_eq!(it.sweep(20_000), 1, "nothing is left of the last sweep");
    assert_eq!(it.it.threshold(Origin::External), None);
}

/// Whether the last of five hosts, of which the others never fail, is ejected.
fn outlier(failures: usize, change: impl FnOnce(&mut Settings)) -> bool {
    let mut it = cluster(5, |it| {
        it.enforcing = [0, 0, 0, 100, 100, 0, 0];
        change(it);
    });
    for host in 0..4 {
        it.respond(0, host, 200, 100);
    }
    it.respond(0, 4, 200, 100 - failures);
    it.respond(0, 4, 500, failures);
    it.sweep(10_000) == 1
}

#[test]
fn the_threshold_itself_is_good_enough() {
    assert!(outlier(50, |it| it.success_rate_stdev_factor = 1_999));
    assert!(!outlier(50, |it| it.success_rate_stdev_factor = 2_000), "40 is twice 20");
    assert!(!outlier(0, |_| {}), "all alike");
    assert!(!outlier(0, |it| it.success_rate_stdev_factor = 0));
    assert!(outlier(1, |it| it.success_rate_stdev_factor = 0));
}

#[test]
fn rates_are_compared_if_there_are_enough() {
    assert!(outlier(50, |it| it.success_rate_minimum_hosts = 5));
    assert!(!outlier(50, |it| it.success_rate_minimum_hosts = 6));
    assert!(outlier(50, |it| it.success_rate_request_volume = 100));
    assert!(!outlier(50, |it| it.success_rate_request_volume = 101));
    let mut idle = cluster(5, |it| {
        it.success_rate_request_volume = 0;
        it.success_rate_minimum_hosts = 0;
        it.failure_percentage_minimum_hosts = 0;
    });
    assert_eq!(idle.sweep(10_000), 0);
    assert_eq!(idle.it.threshold(Origin::External), None, "no requests, no rate");
}

#[test]
fn a_success_rate_is_told_if_either_rule_has_enough() {
    let mut it = cluster(1, |_| {});
    it.respond(0, 0, 200, 49);
    it.sweep(10_000);
    assert_eq!(it.it.success_rate(0, Origin::External), None);
    it.respond(0, 0, 200, 50);
    it.sweep(20_000);
    assert_eq!(it.it.success_rate(0, Origin::External), Some(1_000_000_000));
}

/// Whether a host with so many failures of 100 requests is ejected for that alone.
fn percentage(failures: usize, change: impl FnOnce(&mut Settings)) -> bool {
    let mut it = cluster(1, |it| {
        it.enforcing = [0, 0, 0, 0, 0, 100, 0];
        it.failure_percentage_minimum_hosts = 1;
        change(it);
    });
    it.respond(0, 0, 500, failures);
    it.respond(0, 0, 200, 100 - failures);
    let out = it.sweep(10_000) == 1;
    assert_eq!(it.enforced(Kind::FailurePercentage), u64::from(out));
    out
}

#[test]
fn too_many_failures_eject() {
    assert!(percentage(85, |_| {}));
    assert!(!percentage(84, |_| {}));
    assert!(percentage(85, |it| it.failure_percentage_request_volume = 100));
    assert!(!percentage(85, |it| it.failure_percentage_request_volume = 101));
    assert!(!percentage(85, |it| it.failure_percentage_minimum_hosts = 2));
    assert!(!percentage(85, |it| it.enforcing = [0; 7]));
}

#[test]
fn a_host_is_ejected_for_one_reason_only() {
    let mut it = cluster(5, |it| it.enforcing = [0, 0, 0, 100, 0, 100, 0]);
    for host in 0..5 {
        it.respond(0, host, if host == 4 { 500 } else { 200 }, 100);
    }
    assert_eq!(it.sweep(10_000), 1);
    assert_eq!(it.it.hosts()[4].ejections, 1);
    assert_eq!(it.detected(Kind::FailurePercentage), 0);
    for host in 0..5 {
        it.respond(0, host, 200, 100);
    }
    it.sweep(20_000);
    let threshold = it.it.threshold(Origin::External);
    assert_eq!(threshold, None, "four are in, and five it takes");
}

#[test]
fn origins_are_one_unless_they_are_split() {
    let mut it = cluster(1, |_| {});
    assert!(!it.result(0, Result::ConnectFailed, 4));
    assert!(!it.result(0, Result::ConnectSuccess, 9), "says nothing");
    assert!(it.result(0, Result::Timeout, 1));
    for good in [Result::ConnectSuccessFinal, Result::RequestSuccess] {
        let mut it = cluster(1, |_| {});
        it.result(0, Result::RequestFailed, 4);
        it.result(0, good, 1);
        assert!(!it.result(0, Result::RequestFailed, 4), "{good:?}");
        assert_eq!(it.detected(Kind::ConsecutiveGatewayFailure), 0, "500 is no gateway's");
    }
    let statuses = [
        (Result::ConnectSuccess, None),
        (Result::ConnectSuccessFinal, Some(200)),
        (Result::ConnectFailed, Some(503)),
        (Result::Timeout, Some(504)),
        (Result::RequestSuccess, Some(200)),
        (Result::RequestFailed, Some(500)),
    ];
    for (result, status) in statuses {
        assert_eq!(result.status(), status);
    }
}

#[test]
fn split_origins_are_counted_apart() {
    let mut it = cluster(1, |it| it.split_external_local_origin_errors = true);
    assert!(!it.result(0, Result::ConnectFailed, 2));
    assert!(!it.result(0, Result::RequestFailed, 4));
    assert!(!it.result(0, Result::Timeout, 2));
    assert!(it.result(0, Result::Timeout, 1));
    assert_eq!(it.enforced(Kind::ConsecutiveLocalOriginFailure), 1);
    for good in [Result::ConnectSuccess, Result::ConnectSuccessFinal, Result::RequestSuccess] {
        let mut it = cluster(1, |it| it.split_external_local_origin_errors = true);
        it.result(0, Result::ConnectFailed, 4);
        it.result(0, Result::RequestFailed, 4);
        it.result(0, good, 1);
        assert!(!it.result(0, Result::ConnectFailed, 4), "{good:?}");
        let ended = good == Result::RequestSuccess;
        assert_eq!(!it.result(0, Result::RequestFailed, 1), ended, "{good:?}");
    }
    let mut it = cluster(1, |it| it.split_external_local_origin_errors = true);
    it.it.settings.enforcing[Kind::ConsecutiveLocalOriginFailure as usize] = 0;
    it.result(0, Result::ConnectFailed, 10);
    assert_eq!(it.detected(Kind::ConsecutiveLocalOriginFailure), 2, "found again");
    it.it.result(at(0), 7, Result::ConnectFailed, &mut it.draws);
}

#[test]
fn connections_have_rates_of_their_own() {
    let mut it = cluster(5, |it| {
        it.split_external_local_origin_errors = true;
        it.enforcing = [0, 0, 0, 0, 100, 0, 0];
    });
    for host in 0..5 {
        it.result(host, Result::ConnectSuccess, 100);
        let other = if host == 4 { Result::ConnectFailed } else { Result::ConnectSuccess };
        it.result(host, other, 100);
    }
    assert_eq!(it.sweep(10_000), 1);
    assert_eq!(it.enforced(Kind::LocalOriginSuccessRate), 1);
    assert_eq!(it.it.threshold(Origin::Local).unwrap().below, 520_000_000);
    assert_eq!(it.it.threshold(Origin::External), None);
    let mut it = cluster(5, |it| {
        it.split_external_local_origin_errors = true;
        it.enforcing = [0, 0, 0, 0, 0, 0, 100];
    });
    for host in 0..5 {
        it.result(host, Result::ConnectFailed, 50);
    }
    assert_eq!(it.sweep(10_000), 5);
    assert_eq!(it.enforced(Kind::LocalOriginFailurePercentage), 5);
}

#[test]
fn a_good_health_check_brings_a_host_back_at_once() {
    let mut it = cluster(2, |_| {});
    it.respond(0, 0, 500, 5);
    it.it.healthy(at(1), 0);
    it.it.healthy(at(1), 1);
    assert_eq!(it.it.ejected(), 0);
    assert_eq!(it.it.hosts()[0].returned, Some(at(1)));
    assert_eq!(it.it.hosts()[1].returned, None);
    let mut it = cluster(1, |it| it.successful_active_health_check_uneject_host = false);
    it.respond(0, 0, 500, 5);
    it.it.healthy(at(1), 0);
    assert_eq!(it.it.ejected(), 1);
}

#[test]
fn jitter_lengthens_an_ejection_by_what_is_drawn() {
    let mut lengths = Vec::new();
    let mut it = cluster(40, |it| it.max_ejection_time_jitter = Duration::from_millis(3));
    for host in 0..40 {
        it.respond(0, host, 500, 5);
    }
    for millis in 29_999..=30_003 {
        it.sweep(millis);
        lengths.push(40 - it.it.ejected());
    }
    assert_eq!((lengths[0], lengths[4]), (0, 40), "{lengths:?}");
    assert!(lengths.windows(2).all(|pair| pair[0] < pair[1]), "all lengths occur: {lengths:?}");
}

#[test]
fn half_of_what_is_found_can_be_enforced() {
    let mut it = cluster(200, |it| it.enforcing[Kind::Consecutive5xx as usize] = 50);
    for host in 0..200 {
        it.respond(0, host, 500, 5);
    }
    assert!((70..130).contains(&it.it.ejected()), "{}", it.it.ejected());
}

#[test]
fn hosts_can_be_added() {
    let mut it = cluster(1, |_| {});
    assert_eq!(it.it.add_host(), 1);
    assert_eq!(it.it.hosts().len(), 2);
    assert!(it.respond(0, 1, 500, 5));
}

#[test]
fn a_mean_can_lie_below_the_deviation() {
    let mut it = cluster(5, |it| {
        it.success_rate_stdev_factor = 5_000;
        it.enforcing = [0; 7];
    });
    for host in 0..5 {
        it.respond(0, host, if host == 0 { 200 } else { 404 }, 50);
        it.respond(0, host, if host == 0 { 200 } else { 500 }, 50);
    }
    it.sweep(10_000);
    let threshold = it.it.threshold(Origin::External).unwrap();
    assert_eq!((threshold.mean, threshold.below), (600_000_000, -400_000_000));
}

#[test]
fn a_sweep_forgets_before_it_judges() {
    let mut it = cluster(5, |it| {
        it.enforcing = [0, 0, 0, 0, 0, 100, 0];
        it.failure_percentage_request_volume = 1;
    });
    let bad = |it: &mut Cluster, now: u64| {
        (0..5).for_each(|host| {
            it.respond(now, host, if host == 4 { 500 } else { 200 }, 4);
        });
        it.sweep(now)
    };
    assert_eq!(bad(&mut it, 0), 1);
    assert_eq!(it.sweep(30_000), 0);
    assert_eq!(bad(&mut it, 40_000), 1);
    assert_eq!(it.it.hosts()[4].remembered, 1);
    assert_eq!((it.sweep(69_999), it.sweep(70_000)), (1, 0));
}

#[test]
fn the_old_total_counts_what_might_be_ejected() {
    let mut it = cluster(2, |it| {
        it.enforcing[Kind::Consecutive5xx as usize] = 0;
        it.enforcing[Kind::ConsecutiveGatewayFailure as usize] = 100;
        it.max_ejection_percent = 10;
    });
    it.respond(0, 0, 500, 5);
    assert_eq!(it.it.ejections().total, 1, "not enforced");
    assert!(it.respond(0, 0, 503, 5));
    assert_eq!(it.it.ejections().total, 1, "another kind");
    it.respond(0, 1, 500, 5);
    assert_eq!((it.it.ejections().total, it.it.ejections().overflow), (1, 1));
}

#[test]
fn a_removed_host_is_no_longer_out() {
    let mut it = cluster(2, |_| {});
    it.respond(0, 0, 500, 5);
    it.respond(0, 1, 500, 4);
    it.it.remove_host(2);
    assert_eq!((it.it.hosts().len(), it.it.ejected()), (2, 1));
    it.it.remove_host(0);
    assert_eq!((it.it.hosts().len(), it.it.ejected()), (1, 0));
    assert!(it.respond(0, 0, 500, 1), "the other one moved up");
}
