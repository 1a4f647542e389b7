//! What is refused outside the stack: syntax, keys, units, seeds, faults, expectations.

use super::{MINIMAL, check, check_tables, with};

#[test]
fn syntax() {
    check("purpose = ", &["1:11 [] "]);
    check("purpose = \"a\"\npurpose = \"b\"", &["2:1 [purpose] duplicate key"]);
    check("\u{0}", &["1:2 [] key with no value"]);
    check("router = 3", &["1:10 [3] invalid type: integer `3`, expected a table | write a value"]);
}

#[test]
fn unknown_keys_name_the_nearest_and_list_all() {
    check_tables(
        "[limits]\ntim = \"3s\"",
        &[
            "10:1 [tim] unknown key `tim` | did you mean `time`? expected one of: time, events, same_instant",
        ],
    );
    check(
        &format!("purpos = \"p\"\n{MINIMAL}"),
        &["1:1 [purpos] unknown key `purpos` | did you mean `purpose`?"],
    );
    check_tables(
        "[sidecar]\nqqqq = 1",
        &["10:1 [qqqq] unknown key `qqqq` | expected one of: enabled,"],
    );
    check_tables(
        "[network]\nlatency = { unifrm = [] }",
        &["10:13 [unifrm] unknown key `unifrm` | did you mean `uniform`?"],
    );
    check(
        &format!("must = \"fial\"\n{MINIMAL}"),
        &[
            "1:8 [\"fial\"] unknown value `fial` | did you mean `fail`? expected one of: pass, fail, diverge",
        ],
    );
    check(
        &format!("schedule = \"lifo\"\n{MINIMAL}"),
        &["1:12 [\"lifo\"] unknown value `lifo` | did you mean `fifo`?"],
    );
    check(
        &format!("leak = \"hash\"\n{MINIMAL}"),
        &["1:8 [\"hash\"] unknown value `hash` | did you mean `hash_order`?"],
    );
}

#[test]
fn missing_parts() {
    check(
        "",
        &[
            "1:1 [] the sim has no purpose | say in a sentence",
            "1:1 [] the sim has no [[backend]] | add at least one",
            "1:1 [] the sim has no [[agent]] | add at least one",
            "1:1 [] the sim has no [router] | add [router]",
        ],
    );
    check_tables("[[workspace]]\n", &["9:1 [[[workspace]]] missing field `name` | add name = …"]);
}

#[test]
fn wrong_values_are_all_reported_at_their_places() {
    check_tables(
        r#"[limits]
time = 250
events = 0
[network]
latency = "5 ms"
loss = "101%"
duplicate = -0.5
reorder = nan
corrupt = "0.00001%"
bandwidth = 1.5
"#,
        &[
            "10:8 [250] a duration needs a unit, found the number 250 | write \"250ms\"",
            "11:10 [0] expected a positive integer, found the number 0 |",
            "13:11 [\"5 ms\"] \"5 ms\" is not a duration | write a number and a unit",
            "14:8 [\"101%\"] a probability is at most 100%, found 101% |",
            "15:13 [-0.5] \"-0.5\" is negative |",
            "16:11 [nan] expected a probability, found the number NaN |",
            "17:11 [\"0.00001%\"] \"0.00001%\" is finer than one part per million |",
            "18:13 [1.5] expected a positive integer, found the number 1.5 |",
        ],
    );
}

#[test]
fn at_most_twenty_problems() {
    let tables: String = (0..50)
        .map(|i| format!("[[link]]\nfrom = \"x{i}\"\nto = \"router\"\nloss = 1\n"))
        .collect();
    check_tables(&tables, &[""; 20]);
}

#[test]
fn head() {
    check(&MINIMAL.replace("\"p\"", "\" \""), &["1:11 [\" \"] the purpose is empty"]);
    check(
        &format!("covers = [\"a b\", \"X\", \"X\"]\n{MINIMAL}"),
        &[
            "1:11 [\"a b\"] not the ID of a requirement row",
            "1:23 [\"X\"] [\"X\"] X is listed twice",
        ],
    );
    check(&format!("seeds = []\n{MINIMAL}"), &["1:9 [[]] a sim has 1 to 1000 seeds, found 0"]);
    check(
        &format!("seeds = [1, 2, \"0x1\"]\n{MINIMAL}"),
        &["1:16 [\"0x1\"] [1] seed 1 is listed twice"],
    );
    check(
        &format!("seeds = [-1, \"0xg\", \"+3\", 1.0]\n{MINIMAL}"),
        &[
            "1:10 [-1] expected a seed, found the number -1 |",
            "1:14 [\"0xg\"] expected a seed, found \"0xg\" |",
            "1:21 [\"+3\"] expected a seed",
            "1:27 [1.0] expected a seed",
        ],
    );
    check(
        &format!("start = \"yesterday\"\n{MINIMAL}"),
        &["1:9 [\"yesterday\"] \"yesterday\" is not an instant | write a UTC"],
    );
    check(
        &format!("start = \"1969-01-01T00:00:00Z\"\n{MINIMAL}"),
        &["1:9 [\"1969-01-01T00:00:00Z\"] \"1969-01-01T00:00:00Z\" is not between"],
    );
    check(
        &format!("start = 2026-01-01\n{MINIMAL}"),
        &["1:9 [2026-01-01] \"2026-01-01\" is not an instant"],
    );
    check(
        &format!("schedule = {{ pct = {{ depth = 0 }} }}\n{MINIMAL}"),
        &["1:12 [{ pct = { depth = 0 } }] the depth is from 1 to 100"],
    );
    check(
        &format!("leak = \"thread\"\n{MINIMAL}"),
        &["1:8 [\"thread\"] a leak makes runs of one seed differ | add must = \"diverge\""],
    );
    check(
        &format!("must = \"fail\"\nfails_by = [\"a\"]\nleak = \"thread\"\n{MINIMAL}"),
        &["3:8 [\"thread\"] a leak makes"],
    );
}

#[test]
fn canaries() {
    check(
        &format!("must = \"fail\"\n{MINIMAL}"),
        &["1:1 [] the sim has no fails_by, and must fail | name what must fail"],
    );
    check(
        &format!("fails_by = [\"a\"]\n{MINIMAL}"),
        &["1:13 [\"a\"] nothing here must fail | add must = \"fail\""],
    );
    check(
        &format!("must = \"fail\"\nfails_by = [\"a\", \"a\"]\n{MINIMAL}"),
        &["2:18 [\"a\"] [\"a\"] a is listed twice"],
    );
}

#[test]
fn delays() {
    let latency = |delay: &str, expected: &str| {
        check_tables(&format!("[network]\nlatency = {delay}"), &[&format!("10:{expected}")]);
    };
    latency("{ uniform = [\"5ms\", \"1ms\"] }", "23 [[\"5ms\", \"1ms\"]] the range is empty");
    latency("{ uniform = [\"5ms\"] }", "23 [[\"5ms\"]] a range is a list of two");
    latency(
        "{ lognormal = { p50 = \"0s\", p99 = \"1s\" } }",
        "33 [\"0s\"] the median cannot be zero",
    );
    latency(
        "{ lognormal = { p50 = \"2s\", p99 = \"1s\" } }",
        "45 [\"1s\"] the 99th percentile is below",
    );
    latency(
        "{ lognormal = { p50 = \"2s\" } }",
        "25 [{ p50 = \"2s\" }] missing field `p99` | add p99",
    );
    latency("{ empirical = [] }", "25 [[]] a delay has 1 to 10000 measured values, found 0");
    latency("{ empirical = [\"1ms\", 3] }", "33 [3] a duration needs a unit");
    latency("{}", "11 [{}] a distribution is of exactly one kind");
    latency("true", "11 [true] expected a duration, found true");
    latency("[1]", "11 [[1]] expected a duration, found a list");
    let many = format!("{{ empirical = [{}] }}", "\"1ms\",".repeat(10_001));
    check_tables(&format!("[network]\nlatency = {many}"), &["10:25 "]);
}

#[test]
fn loads() {
    let load = |load: &str, expected: &[&str]| check_tables(&format!("[load]\n{load}"), expected);
    load("", &["9:1 [[load]] a load has exactly one source | set exactly one of poisson"]);
    load(
        "poisson = { per_second = 1, for = \"1m\" }\ntrace = \"x\"",
        &["9:1 [[load]] a load has exactly one source"],
    );
    load(
        "poisson = { per_second = 0, for = \"0s\" }",
        &[
            "10:26 [0] \"0\" is out of range | write a number from 0.001 to 1000000",
            "10:35 [\"0s\"] this cannot be zero",
        ],
    );
    load(
        "poisson = { per_second = \"0.0001\", for = \"1s\" }",
        &["10:26 [\"0.0001\"] \"0.0001\" is finer than a thousandth"],
    );
    load("stages = []", &["10:10 [[]] a ramp has 1 to 1000 stages"]);
    load("trace = \"\"", &["10:9 [\"\"] this is not the name of a file"]);
    load("trace = \"x\"\nscale = 0", &["11:9 [0] \"0\" is out of range"]);
    load("trace = \"x\"\nlimit = 0", &["11:9 [0] expected a positive integer"]);
    load(
        "stages = [{ for = \"1s\", to = 3 }]\nscale = 1",
        &["11:9 [1] scale and limit belong to a trace"],
    );
}

#[test]
fn faults() {
    let fault = |fault: &str, expected: &[&str]| {
        check_tables(&format!("[[fault]]\nat = \"1s\"\n{fault}"), expected);
    };
    fault(
        "",
        &["9:1 [[[fault]]] a fault is of exactly one kind, found 0 | set one of partition, crash"],
    );
    fault(
        "crash = { node = \"opus\" }\npause = { node = \"opus\" }",
        &["9:1 [[[fault]]] a fault is of exactly one kind, found 2"],
    );
    fault(
        "for = \"0s\"\ncrash = { node = \"opsu\" }",
        &[
            "11:7 [\"0s\"] this cannot be zero",
            "12:18 [\"opsu\"] no node is called \"opsu\" | did you mean \"opus\"? nodes are: router, opus, rust",
        ],
    );
    fault(
        "crash = { node = \"sidecar\" }",
        &["11:18 [\"sidecar\"] no node is called \"sidecar\" | add a [sidecar] table"],
    );
    fault(
        "crash = { node = \"rust-4\" }",
        &["11:18 [\"rust-4\"] no node is called \"rust-4\" | did you mean \"rust\""],
    );
    fault("crash = { node = \"rust-01\" }", &["11:18 [\"rust-01\"] no node"]);
    fault("crash = { node = \"go-*\" }", &["11:18 [\"go-*\"] no node"]);
    fault(
        "partition = { between = [\"router\"] }",
        &["11:25 [[\"router\"]] a partition is between two"],
    );
    fault(
        "partition = { between = [\"router\", \"router\"] }",
        &["11:36 [\"router\"] \"router\" is on both sides"],
    );
    fault(
        "partition = { from = \"router\" }",
        &["11:13 [{ from = \"router\" }] a partition has one shape"],
    );
    fault("clock = { node = \"opus\" }", &["11:9 [{ node = \"opus\" }] the clock stays right"]);
    fault(
        "clock = { node = \"opus\", drift_ppm = -1000000 }",
        &["11:38 [-1000000] a clock drifts by less"],
    );
    fault(
        "clock = { node = \"opus\", skew = \"-30\" }",
        &["11:33 [\"-30\"] \"30\" has no unit | write \"30ms\""],
    );
    fault(
        "link = { from = \"router\", to = \"opus\" }",
        &["11:8 [{ from = \"router\", to = \"opus\" }] the link is as any other"],
    );
    fault(
        "backend = { name = \"opus\" }",
        &["11:11 [{ name = \"opus\" }] the backend stays as it is"],
    );
    fault(
        "backend = { name = \"opuss\", retry_after = \"1s\" }",
        &["11:20 [\"opuss\"] no backend is called \"opuss\" | did you mean \"opus\"?"],
    );
    check_tables(
        "[[fault]]\nat = \"10m\"\ncrash = { node = \"opus\" }",
        &["10:6 [\"10m\"] the fault can never fire: the run ends before"],
    );
}

#[test]
fn expectations() {
    let expect =
        |expect: &str, expected: &[&str]| check_tables(&format!("[[expect]]\n{expect}"), expected);
    expect("", &["9:1 [[[expect]]] an expectation is about one thing"]);
    expect(
        "metric = \"requests.sucess_rate\"\nat_least = 1",
        &[
            "10:10 [\"requests.sucess_rate\"] no metric is called \"requests.sucess_rate\" | did you mean \"requests.success_rate\"?",
        ],
    );
    expect("metric = \"requests.ok\"", &["10:10 [\"requests.ok\"] the metric may be anything"]);
    expect(
        "metric = \"requests.ok\"\nat_least = \"3%\"",
        &["11:12 [\"3%\"] expected a count, found \"3%\""],
    );
    expect(
        "metric = \"latency.p50\"\nat_most = 250",
        &["11:11 [250] expected a duration, found the number 250"],
    );
    expect(
        "metric = \"requests.success_rate\"\nat_least = 99",
        &["11:12 [99] expected a ratio, found the number 99"],
    );
    expect(
        "metric = \"requests.ok\"\nat_least = 3\nat_most = 2",
        &["12:11 [2] no value is within these bounds"],
    );
    for (of, bound, place) in [
        ("event = \"node_crashed\"", "at_least = 0", "11:12 [0]"),
        ("metric = \"requests.ok\"", "at_least = 0", "11:12 [0]"),
        ("metric = \"latency.p50\"", "at_least = \"0ms\"", "11:12 [\"0ms\"]"),
        ("metric = \"requests.success_rate\"", "at_most = \"100%\"", "11:11 [\"100%\"]"),
    ] {
        expect(&format!("{of}\n{bound}"), &[&format!("{place} no run can break this bound")]);
    }
    expect(
        "metric = \"requests.ok\"\nat_least = 3\nequals = 3",
        &["12:10 [3] equals leaves nothing"],
    );
    expect(
        "metric = \"requests.ok\"\nat_most = 3\nequals = 3",
        &["12:10 [3] equals leaves nothing"],
    );
    expect(
        "metric = \"requests.ok\"\nequals = true\nnode = \"opus\"",
        &[
            "9:1 [[[expect]]] where, node, from and until belong to an event",
            "11:10 [true] expected a bound, found true",
        ],
    );
    expect(
        "event = \"request_ruted\"",
        &[
            "10:9 [\"request_ruted\"] no event is called \"request_ruted\" | did you mean \"request_routed\"?",
        ],
    );
    expect(
        "event = \"request_routed\"\nwhere = { modle = \"opus\", model = 1.5 }",
        &[
            "11:19 [\"opus\"] the event request_routed has no field \"modle\" | did you mean \"model\"?",
            "11:35 [1.5] expected the value of a field, found the number 1.5",
        ],
    );
    expect(
        "event = \"node_crashed\"\nnode = \"opux\"\nat_least = -1",
        &[
            "11:8 [\"opux\"] no node is called \"opux\"",
            "12:12 [-1] expected a count, found the number -1",
        ],
    );
    expect(
        "event = \"fault_fired\"\nfrom = \"50s\"\nuntil = \"50s\"",
        &[
            "12:9 [\"50s\"] no event can be in this window: it ends before it begins | make until later",
        ],
    );
    expect(
        "event = \"fault_fired\"\nuntil = \"0s\"",
        &["11:9 [\"0s\"] no event can be in this window: it ends before it begins"],
    );
    expect(
        "event = \"fault_fired\"\nfrom = \"10m\"",
        &["11:8 [\"10m\"] no event can be in this window: the run ends before | begin it earlier"],
    );
    expect("event = \"fault_fired\"\nfrom = 5", &["11:8 [5] a duration needs a unit"]);
    expect(
        "metric = \"requests.ok\"\nequals = 1\nuntil = \"1s\"",
        &["9:1 [[[expect]]] where, node, from and until belong to an event"],
    );
    expect(
        "order = { first = { event = \"fault_fired\" }, then = { event = \"fault_healed\" } }\nfrom = \"1s\"",
        &["9:1 [[[expect]]] an order has no bounds, where, node, from or until of its own"],
    );
    expect(
        "event = \"request_ended\"\nwhere = { latency_ms = { at_least = 2, at_most = 1 } }",
        &["11:24 [{ at_least = 2, at_most = 1 }] no value is within these limits"],
    );
    expect(
        "event = \"request_ended\"\nwhere = { latency_ms = {} }",
        &["11:24 [{}] the field may be anything | set at_least or at_most"],
    );
    expect(
        "event = \"request_ended\"\nwhere = { latency_ms = { at_lest = 2 } }",
        &["11:26 [at_lest] unknown key `at_lest` | did you mean `at_least`?"],
    );
    expect(
        "order = { first = { event = \"fault_fired\" }, then = { event = \"fault\" } }\nat_most = 1",
        &[
            "9:1 [[[expect]]] an order has no bounds",
            "10:63 [\"fault\"] no event is called \"fault\"",
        ],
    );
}

#[test]
fn checks() {
    check_tables(
        "[checks]\noff = [{ check = \"a\", why = \" \" }, { check = \"a\", why = \"x\" }]",
        &[
            "10:29 [\" \"] a check is switched off without a reason",
            "10:46 [\"a\"] [\"a\"] \"a\" is switched off twice",
        ],
    );
    let sim = with("[checks]\noff = [{ check = \"a\", why = \"x\" }]");
    assert_eq!(sim.checks.off[0].check.value, "a");
}

/// The report as a terminal shows it: the line, the place, the suggestion.
#[test]
fn a_report_for_people() {
    let text = format!("{MINIMAL}[limits]\ntim = \"3s\"\n");
    let error = crate::scenario::parse("sims/a.toml", &text).expect_err("an unknown key");
    let mut report = String::new();
    miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor())
        .render_report(&mut report, &error)
        .expect("a report is rendered to a string");
    for part in
        ["unknown key `tim`", "sims/a.toml:10:1", "10 │ tim = \"3s\"", "did you mean `time`?"]
    {
        assert!(report.contains(part), "no {part:?} in\n{report}");
    }
}
