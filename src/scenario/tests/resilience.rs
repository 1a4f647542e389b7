//! What a sim may say of the stack's configuration and of its changes, and what is refused.

use super::{MINIMAL, check, check_tables, with};
use crate::{config::audit::What, scenario::load, stack::settings::DueChange};

#[test]
fn a_configuration_gives_each_operation_its_numbers() {
    let sim = with(
        "[resilience]\npreset = \"production\"\nset = { recovery_timeout = 77 }\n\
         operations.qa = { retry_attempts = 4 }\n\
         [resilience.file]\nname = \"x.toml\"\ntext = \"retry_attempts = 6\"\n",
    );
    let layers = sim.router.resilience.expect("a configuration");
    let config = layers.config();
    assert_eq!(config.operation("qa").attempts, 4);
    assert_eq!(config.operation("unheard").attempts, 6);
    assert_eq!(config.operation("unheard").recovery.as_secs(), 77);
    assert_eq!(config.operation("sentiment").attempts, 2);
    assert_eq!(with("").router.resilience, None);
}

#[test]
fn changes_belong_to_their_operators_in_the_order_of_their_times() {
    let sim = with(
        "[resilience]\npreset = \"simple\"\n\
         [[change]]\nat = \"20s\"\nby = \"ops\"\npreset = \"production\"\n\
         [[change]]\nat = \"10s\"\nset = { retry_attempts = 2 }\n\
         [[change]]\nat = \"10s\"\nby = \"ops\"\nfile = { name = \"x.toml\", text = \"{\" }\n",
    );
    let names: Vec<&str> = sim.operators.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["ops", "operator"]);
    assert!(sim.node_names().contains(&"ops".to_owned()));
    let [DueChange { change: first, .. }, DueChange { change: second, .. }] =
        sim.operators[0].changes.as_slice()
    else {
        panic!("{:?}", sim.operators)
    };
    assert_eq!((&*first.id, &*second.id), ("ops/2", "ops/1"));
    assert!(matches!(first.what, What::File { .. }));
    assert_eq!(second.what, What::Settings("{\"preset\":\"production\"}".into()));
}

#[test]
fn one_change_may_be_asked_for_again_and_again() {
    let change = "[resilience]\npreset = \"simple\"\n[[change]]\nat = \"10s\"\nevery = \"500ms\"\n\
                  set = { retry_attempts = 2 }\n";
    let sim = with(&format!("{change}times = 3\n"));
    let due: Vec<(u128, &str)> =
        sim.operators[0].changes.iter().map(|due| (due.at.as_millis(), &*due.change.id)).collect();
    assert_eq!(due, [(10_000, "operator/1"), (10_500, "operator/2"), (11_000, "operator/3")]);
    check_tables(
        &format!("{change}times = 1001\n"),
        &["15:9 [1001] a sim has at most 1000 changes | write 1000 or fewer"],
    );
    check_tables(&format!("{change}times = 0\n"), &["15:9 [0] expected a positive integer"]);
}

#[test]
fn one_place_says_what_retries_and_breakers_are() {
    let router = "primary = \"opus\"\nretry = { attempts = 3 }\nbreaker = {}";
    let text = MINIMAL.replace("primary = \"opus\"", router);
    let tables = format!("{text}[resilience]\npreset = \"simple\"\n");
    check(
        &tables,
        &[
            "4:9 [{ attempts = 3 }] [[resilience]] [resilience] says what retry would | remove retry, and say it in [resilience]",
            "5:11 [{}] [[resilience]] [resilience] says what breaker would | remove breaker, and",
        ],
    );
}

#[test]
fn what_is_wrong_is_shown_where_the_sim_says_it() {
    check_tables(
        "[resilience]\npreset = \"prod\"\nstrategy = \"calm\"\n\
         set = { retry_attempts = 99, retry_attemps = 3 }\n\
         [resilience.operations.\"q.a\"]\nstrategy = \"critical\"\nexponential_min = \"x\"\n",
        &[
            "10:10 [\"prod\"] `preset` is \"prod\": there is no such name | did you mean \"production\"?",
            "11:12 [\"calm\"] `default_strategy` is \"calm\": there is no such name | one of",
            "12:26 [99] `retry_attempts` is 99: every attempt more is load on a model that is already \
             failing: it is 1 to 10 | 10 would do",
            "12:30 [retry_attemps] the key `retry_attemps` is unknown: a key that is passed over is a \
             setting that does not hold | did you mean `retry_attempts`?",
            "15:19 [\"x\"] `operations.q.a.exponential_min` is \"x\": it is a number, without quotation \
             marks or a unit | 2 would do",
        ],
    );
}

#[test]
fn what_would_change_nothing_is_refused() {
    let resilience = "[resilience]\npreset = \"simple\"\n";
    check_tables(
        "[[change]]\nat = \"1s\"\npreset = \"simple\"\n",
        &["9:1 [[[change]]] there is no configuration to change | add [resilience]"],
    );
    check_tables(
        &format!("{resilience}[[change]]\nat = \"1s\"\n"),
        &["11:1 [[[change]]] nothing changes | add set = "],
    );
    let both =
        "[[change]]\nat = \"1s\"\npreset = \"simple\"\nfile = { name = \"x\", text = \"\" }\n";
    check_tables(
        &format!("{resilience}{both}"),
        &[
            "14:8 [{ name = \"x\", text = \"\" }] a change is a file or settings, not both | make two",
        ],
    );
    check_tables(
        "[[agent]]\nname = \"b\"\noperation = \"qa\"\n",
        &["11:13 [\"qa\"] no operation is configured | add [resilience], or remove this"],
    );
    check_tables(
        &format!("{resilience}[[agent]]\nname = \"b\"\noperation = \"q a\"\n"),
        &["13:13 [\"q a\"] \"q a\" is not the name of an operation | use 1 to 64"],
    );
    check_tables(
        &format!("{resilience}[[change]]\nat = \"1s\"\nby = \"opus\"\npreset = \"simple\"\n"),
        &["13:6 [\"opus\"] [\"opus\"] the name \"opus\" is taken | "],
    );
    check(
        "purpose = \"p\"\n[resilience]\n[[service]]\nname = \"db\"\n[[caller]]\nname = \"c\"\nservice = \"db\"\n",
        &["2:1 [[resilience]] there is no router to configure | add [router]"],
    );
}

#[test]
fn a_configuration_may_lie_beside_the_sim() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &[u8]| {
        std::fs::write(folder.path().join(name), text).expect("a file");
    };
    let load = |file: &str| {
        write(
            "a.toml",
            format!("{MINIMAL}[resilience]\nfile = {{ name = \"{file}\" }}\n").as_bytes(),
        );
        load(&folder.path().join("a.toml")).map_err(|error| super::report(&error))
    };
    write("ours.json", b"{\"retry_attempts\": 7}");
    let sim = load("ours.json").expect("a sim");
    assert_eq!(sim.router.resilience.expect("layers").config().operation("x").attempts, 7);
    write("long.toml", &[b'#'; 1 << 20]);
    assert!(load("long.toml").is_err_and(|it| it.contains("longer than 4096 bytes")));
    write("bytes.toml", &[0xff]);
    assert!(load("bytes.toml").is_err_and(|it| it.contains("bytes.toml is not UTF-8 text")));
    write("wrong.toml", b"retry_attempts = 99");
    assert!(load("wrong.toml").is_err_and(|it| it.contains("wrong.toml:1:18")));
    assert!(load("gone.toml").is_err_and(|it| it.contains("cannot read")));
    check_tables(
        "[resilience]\nfile = { name = \"x.toml\" }\n",
        &["10:17 [\"x.toml\"] \"x.toml\" lies beside a sim that was given as a text | add text = "],
    );
}
