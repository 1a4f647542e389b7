//! `outlier_detection`: the hosts of a cluster.

use std::time::Duration;

use serde_json::Value;

use super::{Fields, Seen, Subject, Unsupported, first, tell, texts, times, whole};
use crate::{
    policy::outlier::{Detector, Kind, Origin, Result as Ended, Settings},
    world::{Seed, Stream, Time},
};

/// A cluster whose hosts have names.
pub(super) struct Cluster {
    detector: Detector,
    /// The names of the first hosts; the others have none yet.
    names: Vec<String>,
    draws: Stream,
}

impl Cluster {
    pub(super) fn new(config: &mut Fields) -> Result<Cluster, Unsupported> {
        let settings = settings(config)?;
        let (names, hosts) = match config.take("hosts") {
            Some(Value::Array(names)) => {
                let names: Vec<String> =
                    names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                let hosts = names.len();
                (names, hosts)
            }
            Some(Value::Number(hosts)) => (Vec::new(), hosts.as_u64().unwrap_or(0) as usize),
            None => (Vec::new(), 0),
            Some(other) => return Err(Unsupported(format!("the hosts are {other}"))),
        };
        let detector = Detector::new(settings, hosts);
        Ok(Cluster { detector, names, draws: Seed(1).stream("outliers") })
    }

    /// The number of a host, which is new if nobody has this name.
    fn host(&mut self, name: String) -> usize {
        if let Some(host) = self.names.iter().position(|it| *it == name) {
            return host;
        }
        self.names.push(name);
        if self.names.len() > self.detector.hosts().len() {
            self.detector.add_host();
        }
        self.names.len() - 1
    }

    fn hosts(&mut self, step: &mut Fields) -> Result<Vec<usize>, Unsupported> {
        let names = match texts(step, "hosts")? {
            Some(names) => names,
            None => {
                let name = step.text("host")?;
                vec![name.ok_or_else(|| Unsupported("a step has no host".to_owned()))?]
            }
        };
        Ok(names.into_iter().map(|name| self.host(name)).collect())
    }

    fn act(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<(), Unsupported> {
        match event {
            "sweep" | "interval" => {
                self.detector.sweep(now, &mut self.draws);
                return Ok(());
            }
            "observe" | "advance" => return Ok(()),
            "health_check_success"
            | "health_check_passed"
            | "health_check_ok"
            | "healthy"
            | "active_health_check_success"
            | "active_health_check_passed" => {
                for host in self.hosts(step)? {
                    self.detector.healthy(now, host);
                }
                return Ok(());
            }
            "health_check" => {
                let healthy = first(step, &["healthy", "passed", "success"], Fields::flag)?;
                for host in self.hosts(step)? {
                    if healthy.unwrap_or(true) {
                        self.detector.healthy(now, host);
                    }
                }
                return Ok(());
            }
            "remove" | "remove_host" => {
                for host in self.hosts(step)? {
                    self.names.remove(host);
                    self.detector.remove_host(host);
                }
                return Ok(());
            }
            _ => {}
        }
        let hosts = self.hosts(step)?;
        let answers = match event {
            "responses" | "response" | "requests" | "result" | "results" => answers(step, "")?,
            "local_origin" | "connect" => answers(step, "local_origin_")?,
            "success" => vec![Answer::Status(200)],
            "failure" | "error" => vec![Answer::Status(500)],
            other => vec![Answer::Ended(ended(other)?)],
        };
        let times = times(step)?;
        for host in hosts {
            for answer in (0..times).flat_map(|_| &answers) {
                match *answer {
                    Answer::Status(code) => {
                        self.detector.respond(now, host, code, &mut self.draws);
                    }
                    Answer::Ended(how) => {
                        self.detector.result(now, host, how, &mut self.draws);
                    }
                }
            }
        }
        Ok(())
    }

    fn rates(&self, seen: &mut Seen) {
        let percent = |billionths: f64| billionths / 1e7;
        let nothing = -1.0;
        for (origin, suffix) in [(Origin::External, ""), (Origin::Local, "_local_origin")] {
            let threshold = self.detector.threshold(origin);
            let mean = threshold.map_or(nothing, |it| percent(it.mean as f64));
            let below = threshold.map_or(nothing, |it| percent(it.below as f64));
            for name in ["success_rate_average", "success_rate_mean", "average", "mean"] {
                tell(seen, &[&format!("{name}{suffix}")], mean);
            }
            for name in ["success_rate_ejection_threshold", "success_rate_threshold", "threshold"] {
                tell(seen, &[&format!("{name}{suffix}")], below);
            }
            let rates = self.names.iter().enumerate().map(|(host, name)| {
                let rate = self.detector.success_rate(host, origin);
                (name.clone(), Value::from(rate.map_or(nothing, |rate| percent(rate as f64))))
            });
            let rates: Vec<(String, Value)> = rates.collect();
            for (name, rate) in &rates {
                tell(seen, &[&format!("success_rate{suffix}_{name}")], rate.clone());
            }
            let rates = Value::Object(rates.into_iter().collect());
            for name in ["success_rate", "success_rates"] {
                tell(seen, &[&format!("{name}{suffix}")], rates.clone());
            }
        }
    }
}

impl Subject for Cluster {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        self.act(now, event, step)?;
        let mut seen = Seen::new();
        let mut out: Vec<&str> = self
            .names
            .iter()
            .enumerate()
            .filter(|(host, _)| self.detector.is_ejected(*host))
            .map(|(_, name)| name.as_str())
            .collect();
        out.sort_unstable();
        tell(&mut seen, &["ejections_active", "active", "ejected_count"], out.len());
        tell(&mut seen, &["ejected", "ejected_hosts"], out);
        let ejections = self.detector.ejections();
        for kind in Kind::ALL {
            let (found, out) =
                (ejections.detected[kind as usize], ejections.enforced[kind as usize]);
            tell(&mut seen, &[&format!("ejections_detected_{kind}")], found);
            tell(&mut seen, &[&format!("ejections_enforced_{kind}")], out);
            tell(&mut seen, &[&format!("detected_{kind}"), &format!("ejections_{kind}")], found);
            tell(&mut seen, &[&format!("enforced_{kind}")], out);
        }
        let enforced: u64 = ejections.enforced.iter().sum();
        tell(&mut seen, &["ejections_enforced_total"], enforced);
        tell(&mut seen, &["ejections_total"], ejections.total);
        let detected: u64 = ejections.detected.iter().sum();
        tell(&mut seen, &["ejections_detected_total"], detected);
        tell(&mut seen, &["ejections_overflow", "overflow"], ejections.overflow);
        for (host, name) in self.names.iter().enumerate() {
            let it = self.detector.hosts()[host];
            tell(&mut seen, &[&format!("ejections_{name}")], it.ejections);
            tell(
                &mut seen,
                &[&format!("multiplier_{name}"), &format!("backoff_{name}")],
                it.remembered,
            );
            tell(&mut seen, &[&format!("ejected_{name}")], it.ejected.is_some());
        }
        if let [host] = self.detector.hosts() {
            tell(&mut seen, &["multiplier", "backoff", "eject_time_backoff"], host.remembered);
        }
        self.rates(&mut seen);
        Ok(seen)
    }
}

/// What came of a request.
#[derive(Clone, Copy)]
enum Answer {
    Status(u16),
    Ended(Ended),
}

/// What came of the requests of a step: a list, or one; statuses, or words, which may
/// lack this prefix.
fn answers(step: &mut Fields, prefix: &str) -> Result<Vec<Answer>, Unsupported> {
    let wrong = |value: &Value| Unsupported(format!("the status is {value}"));
    let one = |value: &Value| match value.as_str() {
        Some(word) => ended(&format!("{prefix}{word}")).or_else(|_| ended(word)).map(Answer::Ended),
        None => value
            .as_u64()
            .and_then(|code| u16::try_from(code).ok())
            .map(Answer::Status)
            .ok_or_else(|| wrong(value)),
    };
    let names = ["codes", "code", "statuses", "status", "results", "result", "outcomes", "outcome"];
    match first(step, &names, |step, name| Ok(step.take(name)))? {
        Some(Value::Array(answers)) => answers.iter().map(one).collect(),
        Some(answer) => Ok(vec![one(&answer)?]),
        None => Err(Unsupported("a response has no status".to_owned())),
    }
}

/// What one of Envoy's words for the end of a call means.
fn ended(name: &str) -> Result<Ended, Unsupported> {
    Ok(match name.to_lowercase().as_str() {
        "local_origin_connect_success" | "connect_success" | "local_origin_success" => {
            Ended::ConnectSuccess
        }
        "local_origin_connect_success_final" | "connect_success_final" => {
            Ended::ConnectSuccessFinal
        }
        "local_origin_connect_failed"
        | "connect_failed"
        | "connect_failure"
        | "connect_failures"
        | "local_origin_failed"
        | "local_origin_failure"
        | "local_origin_failures" => Ended::ConnectFailed,
        "local_origin_timeout" | "timeout" => Ended::Timeout,
        "ext_origin_request_success" | "request_success" => Ended::RequestSuccess,
        "ext_origin_request_failed" | "request_failed" => Ended::RequestFailed,
        _ => return Err(Unsupported(format!("a call does not end as {name:?}"))),
    })
}

fn settings(config: &mut Fields) -> Result<Settings, Unsupported> {
    let mut it = Settings::default();
    let duration = |config: &mut Fields, names: &[&str], into: &mut Duration| {
        first(config, names, Fields::duration).map(|found| *into = found.unwrap_or(*into))
    };
    duration(config, &["interval"], &mut it.interval)?;
    let base = ["base_ejection", "base_ejection_time"];
    duration(config, &base, &mut it.base_ejection_time)?;
    it.max_ejection_time = it.max_ejection_time.max(it.base_ejection_time);
    duration(config, &["max_ejection", "max_ejection_time"], &mut it.max_ejection_time)?;
    let jitter = ["jitter", "max_ejection_time_jitter", "max_ejection_jitter"];
    duration(config, &jitter, &mut it.max_ejection_time_jitter)?;
    let number = |config: &mut Fields, names: &[&str], into: &mut u32| {
        whole(config, names).map(|found| *into = found.unwrap_or(*into))
    };
    let long = |config: &mut Fields, names: &[&str], into: &mut u64| {
        first(config, names, Fields::whole).map(|found| *into = found.unwrap_or(*into))
    };
    let flag = |config: &mut Fields, name: &str, into: &mut bool| {
        config.flag(name).map(|found| *into = found.unwrap_or(*into))
    };
    number(config, &["max_ejection_percent"], &mut it.max_ejection_percent)?;
    flag(config, "always_eject_one_host", &mut it.always_eject_one_host)?;
    number(config, &["consecutive_5xx"], &mut it.consecutive_5xx)?;
    let gateway = ["consecutive_gateway_failure", "consecutive_gateway_failures"];
    number(config, &gateway, &mut it.consecutive_gateway_failure)?;
    let local = ["consecutive_local_origin_failure"];
    number(config, &local, &mut it.consecutive_local_origin_failure)?;
    let split = "split_external_local_origin_errors";
    flag(config, split, &mut it.split_external_local_origin_errors)?;
    number(config, &["success_rate_minimum_hosts"], &mut it.success_rate_minimum_hosts)?;
    long(config, &["success_rate_request_volume"], &mut it.success_rate_request_volume)?;
    number(config, &["success_rate_stdev_factor"], &mut it.success_rate_stdev_factor)?;
    number(config, &["failure_percentage_threshold"], &mut it.failure_percentage_threshold)?;
    let hosts = ["failure_percentage_minimum_hosts"];
    number(config, &hosts, &mut it.failure_percentage_minimum_hosts)?;
    let volume = ["failure_percentage_request_volume"];
    long(config, &volume, &mut it.failure_percentage_request_volume)?;
    let uneject = "successful_active_health_check_uneject_host";
    flag(config, uneject, &mut it.successful_active_health_check_uneject_host)?;
    for kind in Kind::ALL {
        let mut names = vec![format!("enforcing_{kind}")];
        if kind == Kind::LocalOriginFailurePercentage {
            names.push("enforcing_failure_percentage_local_origin".to_owned());
        }
        names.push(format!("enforcing_{kind}_pct"));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        number(config, &names, &mut it.enforcing[kind as usize])?;
    }
    Ok(it)
}
