//! What is refused in the stack: names, references, counts, chains.

use super::{MINIMAL, check, check_tables, with};

#[test]
fn names() {
    check_tables(
        "[[backend]]\nname = \"opus\"",
        &["10:8 [\"opus\"] [\"opus\"] the name \"opus\" is taken"],
    );
    check_tables(
        "[[agent]]\nname = \"opus\"",
        &["10:8 [\"opus\"] [\"opus\"] the name \"opus\" is taken"],
    );
    check_tables(
        "[[backend]]\nname = \"world\"",
        &["10:8 [\"world\"] the name \"world\" is reserved | rename the backend"],
    );
    check_tables(
        "[[agent]]\nname = \"load\"",
        &["10:8 [\"load\"] the name \"load\" is reserved | rename the agent"],
    );
    for bad in ["", "Opus", "o pus", "ö", "a*", &"a".repeat(65)] {
        check_tables(&format!("[[backend]]\nname = \"{bad}\""), &[&format!("10:8 [\"{bad}\"] ")]);
    }
    check_tables(
        "[[workspace]]\nname = \"a\"\n[[workspace]]\nname = \"a\"",
        &["12:8 [\"a\"] [\"a\"] the name \"a\" is taken"],
    );
    check_tables(
        "[[agent]]\nname = \"rust-3\"",
        &["10:8 [\"rust-3\"] \"rust-3\" is already a member of the group rust"],
    );
    with("[[agent]]\nname = \"rust-4\"\n[[workspace]]\nname = \"opus\"");
}

#[test]
fn references() {
    let router = |keys: &str, expected: &[&str]| {
        check(&MINIMAL.replace("primary = \"opus\"", keys), expected);
    };
    router(
        "primary = \"opsu\"",
        &["3:11 [\"opsu\"] no backend is called \"opsu\" | did you mean \"opus\"?"],
    );
    router("primary = \"rust\"", &["3:11 [\"rust\"] no backend is called \"rust\""]);
    router(
        "primary = \"opus\"\nfallback = [\"opus\"]",
        &["4:13 [\"opus\"] [\"opus\"] \"opus\" is in the chain twice"],
    );
    router(
        "primary = \"opus\"\nfallback = [\"haiku\"]",
        &["4:13 [\"haiku\"] no backend is called \"haiku\" | expected one of: opus"],
    );
    check_tables(
        "workspace = \"acmee\"\n[[workspace]]\nname = \"acme\"",
        &["9:13 [\"acmee\"] no workspace is called \"acmee\" | did you mean \"acme\"?"],
    );
    check_tables(
        "workspace = \"acme\"",
        &["9:13 [\"acme\"] no workspace is called \"acme\" | there are none"],
    );
}

#[test]
fn retry() {
    let retry = |keys: &str, expected: &[&str]| {
        check(
            &MINIMAL.replace(
                "primary = \"opus\"",
                &format!("primary = \"opus\"\nretry = {{ {keys} }}"),
            ),
            expected,
        );
    };
    retry("attempts = 0", &["4:22 [0] expected a positive integer"]);
    retry("attempts = 101", &["4:22 [101] attempts can be at most 100"]);
    retry("factor = 0", &["4:20 [0] \"0\" is out of range"]);
    retry("factor = 0.5", &["4:20 [0.5] pauses that shrink would hammer a backend"]);
    retry(
        "preset = \"litelm\"",
        &["4:20 [\"litelm\"] no preset is called \"litelm\" | did you mean"],
    );
    retry("base = \"9s\"", &["4:18 [\"9s\"] the first pause is longer"]);
    retry("base = \"2s\", max = \"1s\"", &["4:30 [\"1s\"] the first pause is longer"]);
    retry("jitter = \"ful\"", &["4:20 [\"ful\"] unknown value `ful` | did you mean `full`?"]);
}

#[test]
fn groups_and_backends() {
    check(&MINIMAL.replace("count = 3", "count = 0"), &["8:9 [0] expected a positive integer"]);
    check(
        &MINIMAL.replace("count = 3", "count = 1000001"),
        &["8:9 [1000001] the count can be at most 1000000"],
    );
    check_tables(
        "[[agent]]\nname = \"more\"\ncount = 1000000",
        &["10:8 [\"more\"] a sim has at most 1000000 agents"],
    );
    check_tables(
        "task = \"code_revue\"",
        &["9:8 [\"code_revue\"] unknown value `code_revue` | did you mean `code_review`?"],
    );
    check_tables("input_tokens = { uniform = [3, 2] }", &["9:28 [[3, 2]] the range is empty"]);
    check_tables(
        "output_tokens = \"many\"",
        &["9:17 [\"many\"] expected a number of tokens, found \"many\""],
    );
    check_tables(
        "[[backend]]\nname = \"b\"\ntokens_per_second = 0",
        &["11:21 [0] expected a positive integer"],
    );
    check_tables(
        "[[backend]]\nname = \"b\"\nerrors = { reset = \"60%\", silence = 0.5 }",
        &["11:10 [{ reset = \"60%\", silence = 0.5 }] the errors add up to more than 100%: 110%"],
    );
    check_tables(
        "[[backend]]\nname = \"b\"\nprovider = \"openia\"",
        &["11:12 [\"openia\"] unknown value `openia` | did you mean `openai`?"],
    );
    check_tables(
        "[[backend]]\nname = \"b\"\ntier = 256",
        &["11:8 [256] invalid value: integer `256`, expected u8"],
    );
    check_tables(
        "[[link]]\nfrom = \"router\"\nto = \"opus\"",
        &["10:8 [\"router\"] the link is as any other"],
    );
    check_tables(
        "[[link]]\nfrom = \"router\"\nto = \"opuz\"\nloss = 1",
        &["11:6 [\"opuz\"] no node is called \"opuz\""],
    );
}

#[test]
fn too_many_tables() {
    let tables: String = (0..1000).map(|i| format!("[[backend]]\nname = \"b{i}\"\n")).collect();
    let report = "1:1 [] too many tables | a sim has at most 1000 [[backend]] tables, found 1001";
    check_tables(&tables, &[report]);
}
