//! Finding and loading files.

use std::fs;
use std::path::{Path, PathBuf};

use super::{MINIMAL, report};
use crate::scenario::files::sim_name;
use crate::scenario::{find, load};

#[test]
fn names() {
    for (path, name) in [
        ("sims/traffic/azure_code.toml", "traffic/azure_code"),
        ("/a/sims/b/sims/c/d.toml", "c/d"),
        ("./sims/quickstart.toml", "quickstart"),
        ("other/quickstart.toml", "quickstart"),
        ("sims/v1.2.toml", "v1.2"),
        ("sims", "sims"),
        ("quickstart", "quickstart"),
    ] {
        assert_eq!(sim_name(Path::new(path)), name, "{path}");
    }
}

#[test]
fn found_sorted_and_once() {
    let root = tempfile::tempdir().expect("a folder");
    let path = |name: &str| root.path().join(name);
    fs::create_dir_all(path("b/.hidden")).expect("a folder");
    fs::create_dir(path("empty")).expect("a folder");
    for file in ["z.toml", "b/y.toml", "b/.hidden/x.toml", "b/trace.csv", "a.toml"] {
        fs::write(path(file), MINIMAL).expect("a file");
    }
    let all = find(&[root.path().to_owned()]).expect("sims");
    assert_eq!(all, [path("a.toml"), path("b/y.toml"), path("z.toml")]);
    let twice = find(&[path("z.toml"), root.path().to_owned()]).expect("sims");
    assert_eq!(twice, [path("z.toml"), path("a.toml"), path("b/y.toml")]);
    let refused = |name: &str| report(&find(&[path(name)]).expect_err("nothing there"));
    assert!(refused("empty").starts_with("no sims in "), "{}", refused("empty"));
    assert!(refused("gone").starts_with("cannot read "), "{}", refused("gone"));
}

#[test]
fn a_search_is_bounded() {
    let root = tempfile::tempdir().expect("a folder");
    let deep: PathBuf = std::iter::repeat_n("d", 20).collect();
    fs::create_dir_all(root.path().join(&deep)).expect("folders");
    fs::write(root.path().join(deep).join("x.toml"), MINIMAL).expect("a file");
    let error = find(&[root.path().to_owned()]).expect_err("too deep");
    assert!(report(&error).contains("nested too deeply"), "{error}");
}

#[test]
fn what_cannot_be_loaded() {
    let root = tempfile::tempdir().expect("a folder");
    let refused = |name: &str, bytes: &[u8]| {
        let path = root.path().join(name);
        fs::write(&path, bytes).expect("a file");
        report(&load(&path).expect_err("refused"))
    };
    assert!(refused("big.toml", &vec![b'#'; 1024 * 1024 + 1]).contains("is larger than 1024 KiB"));
    assert!(refused("latin.toml", b"purpose = \"\xe4\"").contains("not UTF-8 text: byte 11"));
    let trace = format!("{MINIMAL}[load]\ntrace = \"gone.csv\"\n");
    assert!(
        refused("trace.toml", trace.as_bytes())
            .starts_with("10:9 [\"gone.csv\"] there is no trace at")
    );
    let folder = report(&load(root.path()).expect_err("a folder"));
    assert!(folder.contains("is a folder, not a sim | name one of"), "{folder}");
    let gone = report(&load(&root.path().join("gone.toml")).expect_err("not there"));
    assert!(gone.starts_with("cannot read ") && gone.contains("check the path"), "{gone}");
}

#[test]
fn what_just_fits_is_loaded() {
    let root = tempfile::tempdir().expect("a folder");
    let path = root.path().join("sims/group/fits.toml");
    fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    let padding = " ".repeat(1024 * 1024 - MINIMAL.len());
    fs::write(&path, format!("{MINIMAL}{padding}")).expect("a file");
    assert_eq!(load(&path).expect("a sim").name, "group/fits");
}
