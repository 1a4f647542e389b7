//! Projects are the same from the same seed, in any order of reading.

use std::collections::BTreeSet;

use super::*;

const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// A huge one differs from a large one in its numbers only, and takes seconds to walk.
const MOST_SIZES: [Size; 3] = [Size::Tiny, Size::Small, Size::Large];

fn project(seed: u64, size: Size) -> Project {
    Project::generate(&mut Seed(seed).stream("project"), "shop", size, NOW)
}

fn hours(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_hours()
}

#[test]
fn a_seed_is_one_project() {
    let (a, b, other) = (project(1, Size::Small), project(1, Size::Small), project(2, Size::Small));
    assert_eq!(a.files().collect::<Vec<_>>(), b.files().collect::<Vec<_>>());
    assert_eq!(a.commits(), b.commits());
    assert_ne!(a.commits(), other.commits());
    assert_ne!(a.total_size(), other.total_size());
}

/// Golden values: a change here makes another project of every seed.
#[test]
fn projects_are_what_they_always_were() {
    let tiny = project(1, Size::Tiny);
    let file = tiny.files().nth(4).unwrap();
    let text = tiny.read(&file, 0).checksum;
    let seen = (tiny.total_size(), tiny.path(&file), file.size, &*tiny.commits()[0].hash);
    let path = "src/cache_1/channel_1.py".to_owned();
    let want = (70_101, path, 8_316, "d5528f6a9284f49b700d419dda3798b55c5f597f");
    assert_eq!(text, "467f21d5606aa134e65d394e44b99a0eaa81ce4b12c12f6c972e9f55c22b68ba");
    assert_eq!(seen, want);
}

#[test]
fn sizes_are_what_they_say() {
    let counts =
        [(Size::Tiny, 12), (Size::Small, 200), (Size::Large, 5_000), (Size::Huge, 100_000)];
    assert_eq!(counts.map(|(size, _)| size), Size::ALL);
    for (size, count) in counts {
        let project = project(3, size);
        assert_eq!((size.files(), project.files().count() as u64), (count, count), "{size:?}");
        assert_eq!(project.size(), size);
        assert_eq!(project.total_size(), project.files().map(|file| file.size).sum::<u64>());
        let commits = [5, 20, 100, 200][size as usize];
        assert_eq!(project.commits().len(), commits);
        assert_eq!(project.dependencies().len(), [2, 8, 20, 32][size as usize]);
    }
    let largest = |size| project(3, size).files().map(|file| file.size).max();
    assert!(largest(Size::Tiny) <= Some(16 << 10));
    let small = largest(Size::Small).unwrap();
    assert!((16 << 10..=256 << 10).contains(&small), "{small}");
    let large = largest(Size::Large).unwrap();
    assert!((1 << 20..=2 << 20).contains(&large), "{large}");
}

#[test]
fn paths_are_unique_and_stay_inside() {
    for size in MOST_SIZES {
        let project = project(5, size);
        let paths: BTreeSet<String> = project.files().map(|file| project.path(&file)).collect();
        assert_eq!(paths.len() as u64, size.files());
        let directories = project.directories();
        for path in &paths {
            assert!(
                path.split('/').all(|part| !part.is_empty() && !part.starts_with('.')),
                "{path}"
            );
            if let Some((directory, _)) = path.rsplit_once('/') {
                assert!(directories.contains(directory), "{path}");
            }
        }
        for directory in &directories {
            let parent = directory.rsplit_once('/').map(|(parent, _)| parent);
            assert!(parent.is_none_or(|parent| directories.contains(parent)), "{directory}");
        }
    }
    assert!(project(5, Size::Large).directories().iter().any(|path| path == "src/part_0"));
}

#[test]
fn every_project_has_all_kinds_of_files() {
    for size in MOST_SIZES {
        let project = project(7, size);
        for kind in [Kind::Source, Kind::Test, Kind::Config, Kind::Docs] {
            let file = project.files().find(|file| file.kind == kind).unwrap();
            assert_eq!(file.kind.is_code(), matches!(kind, Kind::Source | Kind::Test));
            let top = ["src/", "tests/", "", "docs/"][kind as usize];
            let path = project.path(&file);
            assert!(path.starts_with(top) || path == "README.md", "{path}");
        }
    }
    let mixed = project(7, Size::Large);
    let own = mixed.language();
    let code = || mixed.files().filter(|file| file.kind.is_code());
    let others = code().filter(|file| file.language != own).count();
    // One file in eight is drawn anew, and one in four of those comes out the same.
    assert!((250..500).contains(&others), "{others} of {}", code().count());
}

#[test]
fn names_and_ends_of_files_fit_their_language() {
    let project = project(7, Size::Large);
    let mut seen = BTreeSet::new();
    for file in project.files() {
        let path = project.path(&file);
        let (end, comment) = match file.language {
            Language::Rust => (".rs", "//"),
            Language::Python => (".py", "#"),
            Language::Go => (".go", "//"),
            Language::TypeScript => (".ts", "//"),
            Language::Markdown => (".md", "#"),
            Language::Toml => (".toml", "#"),
            Language::Yaml => (".yaml", "#"),
        };
        assert!(path.ends_with(end), "{path}");
        if seen.insert(file.language) {
            let want = format!("{comment} shop: {path}\n");
            assert!(project.read(&file, 100).text.starts_with(&want), "{path}");
        }
    }
    let names: Vec<String> = seen.iter().map(Language::to_string).collect();
    assert_eq!(names, ["rust", "python", "go", "typescript", "markdown", "toml", "yaml"]);
}

#[test]
fn a_file_is_the_same_however_it_is_found() {
    let project = project(9, Size::Small);
    for file in project.files() {
        assert_eq!(project.file(file.id), Some(file));
    }
    assert_eq!(project.file(FileId { directory: 20, index: 0 }), None);
    assert_eq!(project.file(FileId { directory: 19, index: 10 }), None);
    assert!(project.file(FileId { directory: 19, index: 9 }).is_some());
}

#[test]
fn a_part_of_a_file_is_its_beginning_and_the_checksum_is_of_all() {
    let project = project(9, Size::Tiny);
    for file in project.files() {
        let all = project.read(&file, file.size);
        assert_eq!(all.text.len() as u64, file.size);
        assert!(all.text.is_ascii());
        assert_eq!(project.read(&file, u64::MAX), all);
        for most in [0, 1, 150, file.size / 2, file.size - 1] {
            let part = project.read(&file, most);
            assert_eq!(part.text.len() as u64, most);
            assert!(all.text.starts_with(&part.text));
            assert_eq!(part.checksum, all.checksum);
        }
        use sha2::{Digest as _, Sha256};
        let sum: String = Sha256::digest(&all.text).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(all.checksum, sum);
    }
}

#[test]
fn texts_differ_from_file_to_file_and_from_project_to_project() {
    let mut stream = Seed(1).stream("project");
    let (a, b) = (
        Project::generate(&mut stream.clone(), "a", Size::Tiny, NOW),
        Project::generate(&mut stream, "b", Size::Tiny, NOW),
    );
    assert_eq!((a.id(), b.id()), ("a", "b"));
    let sums = |project: &Project| -> BTreeSet<String> {
        project.files().map(|file| project.read(&file, 0).checksum).collect()
    };
    assert_eq!(sums(&a).len(), 12);
    assert!(sums(&a).is_disjoint(&sums(&b)));
    // A name that is not ASCII does not change how long a file is.
    let odd = Project::generate(&mut Seed(1).stream("project"), "läden\n", Size::Tiny, NOW);
    let file = odd.files().next().unwrap();
    assert_eq!(odd.read(&file, u64::MAX).text.len() as u64, file.size);
}

#[test]
fn history_goes_back_in_time_and_agrees_with_the_tree() {
    for size in MOST_SIZES {
        let project = project(11, size);
        let commits = project.commits();
        assert!(commits[0].time < NOW);
        assert!(commits.is_sorted_by(|new, old| new.time > old.time));
        let most = [24, 8, 1, 1][size as usize];
        assert!(commits.is_sorted_by(|new, old| hours(old.time, new.time) <= most));
        let hashes: BTreeSet<&str> = commits.iter().map(|commit| &*commit.hash).collect();
        assert_eq!(hashes.len(), commits.len());
        for commit in commits {
            assert_eq!(commit.hash.len(), 40);
            assert!(commit.hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert!((1..=4).contains(&commit.files.len()));
            assert!(!commit.author.is_empty() && !commit.message.is_empty());
            for id in &commit.files {
                assert!(project.file(*id).unwrap().last_modified >= commit.time);
            }
        }
        let newest = project.file(commits[0].files[0]).unwrap();
        let is_open = project.uncommitted.contains_key(&newest.id);
        assert_eq!(newest.last_modified, if is_open { NOW } else { commits[0].time });
        let oldest = commits.last().unwrap().time;
        let touched = project.files().filter(|file| file.last_modified > oldest).count();
        assert!((1..=4 * commits.len() + 4).contains(&touched), "{touched}");
        let years_ago = project.files().map(|file| hours(file.last_modified, oldest)).max();
        assert!(years_ago < Some(2 * 365 * 24), "{years_ago:?}");
        assert!(years_ago > Some(180 * 24), "{years_ago:?}");
    }
}

#[test]
fn an_edit_makes_another_text_and_is_not_committed() {
    let mut project = project(13, Size::Small);
    let open: Vec<String> = project.uncommitted().map(|change| change.path).collect();
    let file = project.files().find(|file| !open.contains(&project.path(file))).unwrap();
    let neighbour = project.files().find(|other| other.id != file.id).unwrap();
    let before = (project.read(&file, 0), project.read(&neighbour, 0));
    let later = NOW + jiff::SignedDuration::from_secs(5);
    project.edit(file.id, later);

    let path = project.path(&file);
    let change = project.uncommitted().find(|change| change.path == path).unwrap();
    assert_eq!(change.to_string(), format!(" M {path}"));
    assert_eq!(project.file(file.id), Some(File { last_modified: later, ..file }));
    let once = project.read(&file, 0);
    assert_ne!(once, before.0);
    assert_eq!(project.read(&neighbour, 0), before.1);
    // Again, by a clock that went back.
    project.edit(file.id, NOW);
    assert_eq!(project.file(file.id).map(|file| file.last_modified), Some(later));
    assert_ne!(project.read(&file, 0), once);
    assert_eq!(project.uncommitted().count(), open.len() + 1);
}

#[test]
fn what_is_not_committed_shows_as_git_shows_it() {
    let lines = |seed| -> Vec<String> {
        project(seed, Size::Small).uncommitted().map(|change| change.to_string()).collect()
    };
    let all: Vec<String> = (0..40).flat_map(lines).collect();
    for start in [" M ", "A  ", "?? "] {
        assert!(all.iter().any(|line| line.starts_with(start)), "{start}");
    }
}

#[test]
fn issues_ask_for_something_and_always_for_the_same() {
    let project = project(15, Size::Tiny);
    let asked: Vec<_> = (0..40).map(|n| project.requirements(&format!("issue-{n}"))).collect();
    assert!(asked.iter().all(|all| (1..=4).contains(&all.len())));
    assert!((1..=4).all(|count| asked.iter().any(|all| all.len() == count)));
    assert_eq!(project.requirements("issue-7"), asked[7]);
    assert_ne!(asked[7], asked[8]);
}

#[test]
fn facts_take_all_their_values() {
    let all: Vec<Project> = (0..60).map(|seed| project(seed, Size::Tiny)).collect();
    let builds: Vec<_> = all.iter().map(|project| project.build().as_str()).collect();
    for build in [Some("success"), Some("failed"), None] {
        assert!(builds.contains(&build), "{build:?}");
    }
    assert!(all.iter().any(|project| project.coverage().is_none()));
    let covered = all.iter().filter_map(Project::coverage);
    assert!(covered.clone().count() > 30);
    assert!(covered.clone().all(|tenths| (200..=1_000).contains(&tenths)));
    let languages: BTreeSet<_> = all.iter().map(Project::language).collect();
    assert_eq!(languages.len(), 4);
    assert!(all.iter().all(|project| project.dependencies().is_sorted_by(|a, b| a < b)));
    assert_eq!(all[0].branch(), "main");
    assert_eq!(project(1, Size::Small).branch(), "develop");
}

#[test]
fn a_text_is_as_long_as_json_as_it_says() {
    let odd = Project::generate(&mut Seed(1).stream("project"), "l\"äd\\en\n", Size::Tiny, NOW);
    for project in [project(9, Size::Tiny), project(9, Size::Small), odd] {
        for file in project.files().take(40) {
            let draft = project.draft(&file);
            for most in [0, 1, 9, 150, 151, file.size / 2, file.size - 1, file.size, u64::MAX] {
                let text = draft.read(most).text;
                let json = serde_json::to_string(&text).unwrap();
                assert_eq!(draft.json_len(most), json.len() as u64, "{most} of {file:?}");
                let first = text.split_inclusive('\n').next().unwrap_or_default();
                assert_eq!(draft.first_line(most), first);
            }
        }
    }
}
