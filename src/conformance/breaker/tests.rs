use crate::conformance::{Verdict, parse, run};

/// The cases of this family that are kept here, all of which must pass.
#[test]
fn the_kept_cases_pass() {
    let cases = parse(include_str!("../../../tests/conformance/breaker.json")).unwrap();
    let failed: Vec<String> = cases
        .iter()
        .map(|case| (case, run(case)))
        .filter(|(_, verdict)| *verdict != Verdict::Passed)
        .map(|(case, verdict)| format!("{}: {verdict:?}", case.id))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
