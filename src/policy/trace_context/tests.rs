//! The headers that a tracer takes and those that it must not.

use super::*;

const TRACE: &str = "12345678901234567890123456789012";

fn parse(header: &str) -> Result<TraceContext, HeaderError> {
    TraceContext::parse(header)
}

/// The cases of the validity tests of w3c/trace-context (test/test.py), and some of our own.
#[test]
fn headers_are_taken_as_the_recommendation_says() {
    let good = format!("00-{TRACE}-1234567890123456-01");
    let later = format!("cc-{TRACE}-1234567890123456-01");
    for header in [
        good.clone(),
        later.clone(),
        format!("{later}-what-the-future-will-be-like"),
        format!("{later}-"),
        format!(" {good}"),
        format!("\t{good}"),
        format!("{good} "),
        format!("{good}\t"),
        format!("\t {good} \t"),
    ] {
        let context = parse(&header).unwrap_or_else(|error| panic!("{header:?}: {error}"));
        assert_eq!(context.to_string(), good, "{header:?}");
    }
    use HeaderError::{Character, Length, Version, Zero};
    for (header, error) in [
        (format!("{good}."), Length),
        (format!("{good}-what-the-future-will-be-like"), Length),
        (format!("{later}.what-the-future-will-be-like"), Character),
        (good.replacen("00", "ff", 1), Version),
        (good.replacen("00", ".0", 1), Character),
        (good.replacen("00", "000", 1), Character),
        (good.replacen("00", "0", 1), Length),
        (good.replace(TRACE, &"0".repeat(32)), Zero),
        (good.replace(TRACE, ".2345678901234567890123456789012"), Character),
        (good.replace(TRACE, "123456789012345678901234567890123"), Character),
        (good.replace(TRACE, "1234567890123456789012345678901"), Length),
        (good.replace("-1234567890123456-", "-0000000000000000-"), Zero),
        (good.replace("-1234567890123456-", "-.234567890123456-"), Character),
        (good.replace("-1234567890123456-", "-12345678901234567-"), Character),
        (good.replace("-1234567890123456-", "-123456789012345-"), Length),
        (good.replace("-01", "-.0"), Character),
        (good.replace("-01", "-001"), Length),
        (good.replace("-01", "-1"), Length),
        (good.replace(TRACE, "1234567890123456789012345678901A"), Character),
        (good.replace(TRACE, "1234567890123456789012345678901é"), Character),
        (String::new(), Length),
        ("-".repeat(10_000), Character),
    ] {
        assert_eq!(parse(&header), Err(error), "{header:?}");
    }
}

/// The published vectors, where they are at hand.
#[test]
fn the_published_vectors_hold() {
    let Some(path) = std::env::var_os("SEEDBED_VECTORS") else { return };
    let text = std::fs::read_to_string(path).expect("a file of vectors");
    let vectors: serde_json::Value = serde_json::from_str(&text).expect("vectors");
    let is_ours = |vector: &&serde_json::Value| vector["kind"] == "traceparent";
    let mut cases = 0;
    for vector in vectors.as_array().expect("a list").iter().filter(is_ours) {
        let steps = vector["steps"].as_array().expect("steps");
        for wanted in vector["expect"].as_array().expect("expectations") {
            let step = usize::try_from(wanted["after_step"].as_u64().expect("a step")).unwrap();
            let header = steps[step]["header"].as_str().expect("a header");
            assert_eq!(parse(header).is_ok(), wanted["valid"] == true, "{header:?}");
            cases += 1;
        }
    }
    assert!(cases >= 26, "only {cases} cases");
}

#[test]
fn one_header_is_read_two_are_none() {
    let header = format!("00-{TRACE}-1234567890123456-00");
    let context = parse(&header).unwrap();
    assert!(!context.sampled);
    assert_eq!(TraceContext::read([].into_iter()), Ok(None));
    assert_eq!(TraceContext::read([header.as_str()].into_iter()), Ok(Some(context)));
    let twice = [header.as_str(), header.as_str()];
    assert_eq!(TraceContext::read(twice.into_iter()), Err(HeaderError::Twice));
}

#[test]
fn only_the_flag_that_is_known_is_passed_on() {
    let context = parse(&format!("00-{TRACE}-1234567890123456-ff")).unwrap();
    assert!(context.to_string().ends_with("-01"), "{context}");
}

#[test]
fn a_share_of_the_traces_is_kept_and_it_is_the_same_one_everywhere() {
    let share = Probability::percent(10);
    let mut stream = crate::world::Seed(1).stream("traces");
    let mut draw = || u128::from(stream.below(u64::MAX)) << 64 | u128::from(stream.below(u64::MAX));
    let kept = (0..10_000).filter(|_| TraceId::new(draw()).is_sampled(share)).count();
    assert!((900..1_100).contains(&kept), "{kept}");
    let id = TraceId::new(draw());
    assert!(id.is_sampled(Probability::ALWAYS) && !id.is_sampled(Probability::NEVER));
    assert!(TraceId::new(u128::MAX).is_sampled(Probability::ALWAYS));
    // Who is kept at a lower share is kept at a higher one.
    for _ in 0..1_000 {
        let id = TraceId::new(draw());
        assert!(!id.is_sampled(share) || id.is_sampled(Probability::percent(20)));
    }
}

#[test]
fn a_state_is_passed_on_whole_or_not_at_all() {
    let read = |headers: &[&str]| read_state(headers.iter().copied());
    assert_eq!(read(&["a=1 , b=2,,\t", "c@d=x y"]).as_deref(), Some("a=1,b=2,c@d=x y"));
    for bad in ["a", "A=1", "=1", "a=", "a=1,a=2", "a=b=c", "a=é", "a=1\n", "é=1"] {
        assert_eq!(read(&[bad]), None, "{bad:?}");
    }
    // The grammar of level 1; level 2 takes more of these.
    for bad in ["1=x", "a@=x", "@a=x", "a@1=x", "a@@b=x", "a@b@c=x", "*=x"] {
        assert_eq!(read(&[bad]), None, "{bad:?}");
    }
    let (tenant, system) = ("1".repeat(241), "s".repeat(14));
    let longest = format!("{tenant}@{system}=x");
    assert_eq!(read(&[&longest]).as_deref(), Some(&*longest));
    assert_eq!(read(&[&format!("1{longest}")]), None);
    assert_eq!(read(&[&longest.replace("s=", "ss=")]), None);
    assert_eq!(read(&[]), None);
    let list = |count: usize| {
        (0..count).map(|number| format!("k{number}=v")).collect::<Vec<_>>().join(",")
    };
    assert_eq!(read(&[&list(32)]), Some(list(32)));
    assert_eq!(read(&[&list(33)]), None);
    assert_eq!(read(&[&format!("a={}", "x".repeat(257))]), None);
    assert_eq!(read(&[&format!("{}=x", "a".repeat(257))]), None);
}
