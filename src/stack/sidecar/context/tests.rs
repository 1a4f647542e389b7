//! What an agent is told, what is cut, and what is kept.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use jiff::SignedDuration;

use super::{
    prepared::{priority, skeleton},
    *,
};
use crate::{
    stack::sidecar::{
        project::{File, Kind, Language, Project, Size},
        wire::{AgentType, ResultId},
    },
    world::Seed,
};

mod cache;
mod knowledge;

const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);

fn project(size: Size) -> Project {
    named("shop", 1, size)
}

fn named(id: &str, seed: u64, size: Size) -> Project {
    Project::generate(&mut Seed(seed).stream("project"), id, size, NOW)
}

fn issue(id: &str) -> IssueId {
    IssueId::new(id).unwrap()
}

fn output(agent: &str, second: i64) -> AgentOutput {
    AgentOutput {
        agent: agent.to_owned(),
        agent_type: "rust-specialist".to_owned(),
        timestamp: Timestamp::from_second(second).unwrap(),
        decision: format!("decision of {agent}"),
        rationale: String::new(),
        files_affected: vec!["src/a.rs".to_owned()],
    }
}

fn ask(project: &Project, agent: AgentType, limits: &Limits) -> ContextResponse {
    let earlier = [("a", 2), ("b", 1)].map(|(agent, at)| Counted::new(Rc::new(output(agent, at))));
    Prepared::new(project.clone(), *limits).assemble(&issue("issue-32"), agent, &earlier, NOW)
}

fn outputs(answer: &ContextResponse) -> Vec<AgentOutput> {
    answer.context.previous_agent_outputs.iter().map(|output| AgentOutput::clone(output)).collect()
}

/// No limit but that of a file.
fn roomy() -> Limits {
    Limits { files: usize::MAX, context_bytes: u64::MAX, ..Limits::default() }
}

fn json(context: &Context) -> String {
    serde_json::to_string(context).unwrap()
}

/// What is in a context, by priority.
fn kept(project: &Project, answer: &ContextResponse) -> BTreeMap<Priority, u64> {
    let context = &answer.context;
    let mut counts = BTreeMap::new();
    let mut add = |what, count: usize| *counts.entry(what).or_default() += count as u64;
    add(Priority::Requirements, context.metadata.task_requirements.len());
    add(Priority::Decisions, context.previous_agent_outputs.len());
    add(Priority::Changed, context.git_context.uncommitted_changes.len());
    add(Priority::History, context.git_context.recent_commits.len());
    add(Priority::Listing, context.project_structure.directories.len());
    add(Priority::Listing, context.project_structure.files.len());
    let by_path: BTreeMap<String, File> =
        project.files().map(|file| (project.path(&file), file)).collect();
    for info in &context.relevant_files {
        add(priority(&by_path[&info.path], &Limits::default(), NOW), 1);
    }
    counts.retain(|_, count| *count > 0);
    counts
}

#[test]
fn the_limits_are_those_of_the_contract() {
    let limits = Limits::default();
    assert_eq!(
        (limits.file_bytes, limits.files, limits.context_bytes),
        (1_048_576, 50, 10_485_760)
    );
    assert_eq!((limits.commits, limits.outputs), (5, 20));
    assert_eq!(limits.changed_for, Duration::from_secs(86_400));
    assert_eq!((ANSWER_TTL.as_secs(), GATHERED_TTL.as_secs()), (60, 3_600));
    assert_eq!(CACHE_BYTES, 1_073_741_824);
}

#[test]
fn an_answer_has_all_that_is_promised() {
    let project = project(Size::Tiny);
    let answer = ask(&project, AgentType::ChiefArchitect, &Limits::default());
    assert!(!answer.truncated && answer.cut.is_empty() && !answer.cache_hit);
    assert_eq!(&*answer.truncation_strategy, "none");
    assert_eq!(
        (answer.issue_id.as_str(), answer.agent_type),
        ("issue-32", AgentType::ChiefArchitect)
    );
    assert_eq!((answer.timestamp, answer.file_count), (NOW, 12));
    assert_eq!(answer.total_size_bytes, json(&answer.context).len() as u64);

    let context = &*answer.context;
    let structure = &context.project_structure;
    assert_eq!((structure.root.as_str(), structure.total_files), ("/projects/shop", 12));
    assert_eq!(structure.total_size_bytes, project.total_size());
    assert_eq!(structure.files.len(), 12);
    assert_eq!(
        structure.directories,
        project.directories().into_iter().map(Rc::from).collect::<Vec<_>>()
    );
    let git = &context.git_context;
    assert_eq!(git.branch, "main");
    assert_eq!(git.recent_commits.len(), 5);
    assert!(git.recent_commits.is_sorted_by(|new, old| new.timestamp > old.timestamp));
    assert!(
        git.recent_commits
            .iter()
            .flat_map(|c| &c.files)
            .all(|f| structure.files.contains(&f.as_str().into()))
    );
    assert_eq!(git.uncommitted_changes.len(), project.uncommitted().count());
    assert_eq!(context.metadata.project_type, project.language().as_str());
    assert_eq!(*context.metadata.dependencies, *project.dependencies());
    let requirements = context.metadata.task_requirements.iter().map(|text| text.to_string());
    assert_eq!(requirements.collect::<Vec<_>>(), project.requirements("issue-32"));
    assert_eq!(outputs(&answer), [output("a", 2), output("b", 1)]);
    for info in &context.relevant_files {
        let file = project.files().find(|file| project.path(file) == info.path).unwrap();
        let contents = project.read(&file, u64::MAX);
        assert_eq!(*info.body.read(), contents);
        assert_eq!((info.size, info.last_modified), (file.size, file.last_modified));
        assert_eq!(info.language, file.language.as_str());
    }
}

#[test]
fn coverage_is_in_percent() {
    let covered = (0..9).map(|seed| named("shop", seed, Size::Tiny));
    let covered = covered.into_iter().find(|project| project.coverage().is_some()).unwrap();
    let answer = ask(&covered, AgentType::ChiefArchitect, &Limits::default());
    let percent = answer.context.metadata.test_coverage.unwrap();
    assert!((20.0..=100.0).contains(&percent), "{percent}");
}

#[test]
fn the_wire_form_is_that_of_the_contract() {
    let answer = ask(&project(Size::Tiny), AgentType::TestEngineer, &Limits::default());
    let text = serde_json::to_string(&answer).unwrap();
    assert_eq!(serde_json::from_str::<ContextResponse>(&text).unwrap(), answer);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let names = |value: &serde_json::Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let of = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        names(&value),
        of(&[
            "issue_id",
            "agent_type",
            "context",
            "truncated",
            "truncation_strategy",
            "total_size_bytes",
            "file_count",
            "timestamp",
            "cache_hit",
        ])
    );
    let context = &value["context"];
    assert_eq!(
        names(context),
        of(&[
            "project_structure",
            "relevant_files",
            "git_context",
            "previous_agent_outputs",
            "metadata",
        ])
    );
    assert_eq!(
        names(&context["relevant_files"][0]),
        of(&["path", "content", "last_modified", "size", "language", "checksum"])
    );
    assert_eq!(value["timestamp"], "2026-01-01T00:00:00Z");
    assert_eq!(value["agent_type"], "test-engineer");
}

/// A shorter answer, as the real sidecar gives it.
#[test]
fn an_answer_without_the_newer_fields_is_read() {
    let context = serde_json::json!({
        "project_structure": { "root": ".", "files": ["a.md"], "directories": [] },
        "relevant_files": [{
            "path": "a.md", "content": "a", "last_modified": "2025-11-18T10:00:00+00:00", "size": 1,
        }],
        "git_context": { "branch": "main", "recent_commits": [], "uncommitted_changes": [" M a.md"] },
        "previous_agent_outputs": [
            { "agent": "a", "timestamp": "2025-11-18T10:00:00Z", "decision": "go on" },
        ],
        "metadata": {
            "project_type": "rust", "dependencies": [], "test_coverage": null,
            "last_build_status": null,
        },
    });
    let context: Context = serde_json::from_value(context).unwrap();
    assert_eq!(context.relevant_files[0].last_modified.to_string(), "2025-11-18T10:00:00Z");
}

#[test]
fn agents_see_what_matters_to_them() {
    use Kind::{Config, Docs, Source, Test};
    let mut project = project(Size::Small);
    while !matches!(project.language(), Language::Rust) {
        project = named("shop", project.total_size(), Size::Small);
    }
    let all = [Source, Test, Config, Docs];
    for (agent, kinds) in [
        (AgentType::ChiefArchitect, &all[..]),
        (AgentType::CodeReviewer, &all[..]),
        (AgentType::RustSpecialist, &[Source, Test, Config]),
        (AgentType::TestEngineer, &[Test, Config]),
        (AgentType::QaEngineer, &[Test, Config]),
        (AgentType::SecurityAuditor, &[Source, Config]),
        (AgentType::DevopsEngineer, &[Config]),
        (AgentType::DocumentationExpert, &[Docs]),
        (AgentType::ApiExplorer, &[Source, Docs]),
    ] {
        let rust_only = agent == AgentType::RustSpecialist;
        let due = |file: &File| {
            let fits = !rust_only || !file.kind.is_code() || file.language == Language::Rust;
            kinds.contains(&file.kind) && fits
        };
        let due: BTreeSet<String> =
            project.files().filter(due).map(|file| project.path(&file)).collect();
        let answer = ask(&project, agent, &roomy());
        let seen: BTreeSet<String> =
            answer.context.relevant_files.iter().map(|file| file.path.clone()).collect();
        assert!(!answer.truncated, "{agent}");
        assert_eq!(seen, due, "{agent}");
    }
    for (agent, language) in [
        (AgentType::PythonSpecialist, Language::Python),
        (AgentType::GoSpecialist, Language::Go),
        (AgentType::RustSpecialist, Language::Rust),
    ] {
        assert_eq!(View::of(agent), View::Language(language));
    }
}

#[test]
fn more_files_than_the_limit_are_cut_the_least_important_first() {
    let project = project(Size::Small);
    let whole = ask(&project, AgentType::ChiefArchitect, &roomy());
    for files in [0, 1, 50, 199] {
        let limits = Limits { files, ..roomy() };
        let answer = ask(&project, AgentType::ChiefArchitect, &limits);
        assert_eq!(answer.context.relevant_files, whole.context.relevant_files[..files]);
        assert_eq!((answer.file_count, answer.truncated), (files as u64, true));
        assert_eq!(&*answer.truncation_strategy, "priority");
        let cut: u64 = answer.cut.iter().map(|cut| cut.left_out).sum();
        assert_eq!(cut, 200 - files as u64);
        assert_eq!(answer.total_size_bytes, json(&answer.context).len() as u64);
    }
    let exact = ask(&project, AgentType::ChiefArchitect, &Limits { files: 200, ..roomy() });
    assert!(!exact.truncated);
}

#[test]
fn files_are_in_order_of_priority_then_age() {
    let project = project(Size::Small);
    let answer = ask(&project, AgentType::ChiefArchitect, &roomy());
    let by_path: BTreeMap<String, File> =
        project.files().map(|file| (project.path(&file), file)).collect();
    let order = |info: &FileInfo| {
        let file = &by_path[&info.path];
        (priority(file, &Limits::default(), NOW), Reverse(file.last_modified), file.id)
    };
    assert!(answer.context.relevant_files.is_sorted_by_key(|info| order(info)));
    let first = order(&answer.context.relevant_files[0]);
    assert_eq!(first.0, Priority::Changed);
}

#[test]
fn a_day_ago_is_still_changed() {
    let project = project(Size::Tiny);
    let limits = Limits::default();
    for file in project.files() {
        let at = |seconds| {
            let now = file.last_modified + SignedDuration::from_secs(seconds);
            priority(&file, &limits, now)
        };
        let by_kind = match file.kind {
            Kind::Test => Priority::Tests,
            Kind::Config => Priority::Config,
            Kind::Docs => Priority::Docs,
            Kind::Source => Priority::Source,
        };
        assert_eq!([at(-1), at(0), at(86_399), at(86_400)], [Priority::Changed; 4]);
        assert_eq!(at(86_401), by_kind);
    }
}

/// For every limit: within it, in order, and nothing is lost without being told.
#[test]
fn what_is_kept_is_the_most_important_part() {
    for agent in [AgentType::ChiefArchitect, AgentType::TestEngineer] {
        let project = project(Size::Tiny);
        let whole = ask(&project, agent, &roomy());
        let all = kept(&project, &whole);
        let least = json(&skeleton(&project)).len() as u64;
        let most = whole.total_size_bytes;
        let exact = ask(&project, agent, &Limits { context_bytes: most, ..roomy() });
        assert_eq!(exact, whole, "it fits exactly");
        let steps = (0..50).map(|n| least + (most - 1 - least) * n / 49);
        for context_bytes in steps {
            let answer = ask(&project, agent, &Limits { context_bytes, ..roomy() });
            assert!(answer.truncated);
            assert!(answer.total_size_bytes <= context_bytes);
            assert_eq!(answer.total_size_bytes, json(&answer.context).len() as u64);
            let kept = kept(&project, &answer);
            let first_cut = answer.cut.first().unwrap().what;
            for (what, count) in &all {
                let cut = answer.cut.iter().find(|cut| cut.what == *what);
                let left_out = cut.map_or(0, |cut| cut.left_out);
                assert_eq!(kept.get(what).unwrap_or(&0) + left_out, *count, "{what:?}");
                assert!(*what <= first_cut || left_out == *count, "{what:?} after {first_cut:?}");
            }
            assert!(answer.cut.is_sorted_by_key(|cut| cut.what));
        }
    }
}

#[test]
fn the_skeleton_is_told_even_if_there_is_no_room() {
    let project = project(Size::Tiny);
    let answer = ask(&project, AgentType::ChiefArchitect, &Limits { context_bytes: 0, ..roomy() });
    assert_eq!(*answer.context, skeleton(&project));
    assert!(answer.truncated);
    let whole = ask(&project, AgentType::ChiefArchitect, &roomy());
    let cut: BTreeMap<Priority, u64> =
        answer.cut.iter().map(|cut| (cut.what, cut.left_out)).collect();
    assert_eq!(cut, kept(&project, &whole));
}

#[test]
fn of_long_code_the_first_half_is_kept_and_other_long_files_are_not() {
    let project = project(Size::Tiny);
    let code = project.files().filter(|file| file.kind == Kind::Source).max_by_key(|f| f.size);
    let code = code.unwrap();
    let path = project.path(&code);
    let look = |file_bytes| {
        let answer = ask(&project, AgentType::SecurityAuditor, &Limits { file_bytes, ..roomy() });
        let file = answer.context.relevant_files.iter().find(|file| file.path == path).cloned();
        let shortened: u64 = answer.cut.iter().map(|cut| cut.shortened).sum();
        let file = file.unwrap();
        let contents = file.body.read().into_owned();
        ((file.size, contents), shortened, answer)
    };
    let whole = project.read(&code, u64::MAX).text;
    let (exact, shortened, _) = look(code.size);
    assert_eq!((&exact.1.text, shortened), (&whole, 0), "exactly at the limit");
    let (half, shortened, answer) = look(code.size - 1);
    assert_eq!((half.1.text.as_str(), shortened), (&whole[..whole.len() / 2], 1));
    assert!(answer.truncated);
    assert_eq!((half.0, &half.1.checksum), (code.size, &exact.1.checksum), "those of the whole");
    let (least, _, answer) = look(100);
    assert_eq!(least.1.text, whole[..100], "never more than the limit");
    let settings = project.files().filter(|file| file.kind == Kind::Config).count() as u64;
    let cut: u64 = answer.cut.iter().map(|cut| cut.left_out).sum();
    assert_eq!(cut, settings);
    assert!(
        answer.context.relevant_files.iter().all(|file| file.language == code.language.as_str()
            || project.files().any(|f| project.path(&f) == file.path && f.kind.is_code()))
    );
}

#[test]
fn outputs_and_commits_have_limits() {
    let project = project(Size::Small);
    for (limit, kept) in [(0, 0), (1, 1), (2, 2), (3, 2)] {
        let limits = Limits { outputs: limit, commits: limit, ..Limits::default() };
        let answer = ask(&project, AgentType::TestEngineer, &limits);
        assert_eq!(answer.context.previous_agent_outputs.len(), kept);
        assert_eq!(answer.context.git_context.recent_commits.len(), limit);
    }
}

#[test]
fn a_huge_project_fits_into_the_limit() {
    let project = project(Size::Huge);
    let answer = ask(&project, AgentType::ChiefArchitect, &Limits::default());
    assert!(answer.truncated);
    assert!(answer.total_size_bytes <= 10 << 20);
    assert!(answer.total_size_bytes > 1 << 20);
    assert_eq!(answer.context.project_structure.total_files, 100_000);
    assert!(!answer.context.metadata.task_requirements.is_empty());
    assert_eq!(answer.context.previous_agent_outputs.len(), 2);
    assert!(answer.file_count <= 50);
}

#[test]
fn no_context_has_anything_of_another_project() {
    let (a, b) = (named("shop-a", 1, Size::Small), named("shop-b", 2, Size::Small));
    for (own, other) in [(&a, "shop-b"), (&b, "shop-a")] {
        let answer = ask(own, AgentType::ChiefArchitect, &roomy());
        let text = json(&answer.context);
        assert!(text.contains(own.id()) && !text.contains(other));
    }
}

/// Also when the clock goes back, and when files stop being new.
#[test]
fn what_was_prepared_before_answers_as_what_is_prepared_now() {
    let project = project(Size::Tiny);
    let limits = Limits { files: 5, ..Limits::default() };
    let mut kept = Prepared::new(project.clone(), limits);
    let none: [Counted<AgentOutput>; 0] = [];
    let hours = [0, 1, 30, 23, 24, 25, 48, 2, 200, -5, 0];
    let ages = project.files().map(|file| (file.last_modified, 24 * 3_600));
    let edges: Vec<Timestamp> = ages
        .flat_map(|(at, day)| [day - 1, day, day + 1].map(|s| at + SignedDuration::from_secs(s)))
        .filter(|at| NOW.duration_since(*at).as_hours().abs() < 48)
        .chain(hours.map(|hours| NOW + SignedDuration::from_hours(hours)))
        .collect();
    let mut changed = BTreeSet::new();
    for agent in [AgentType::ChiefArchitect, AgentType::TestEngineer, AgentType::ChiefArchitect] {
        for now in &edges {
            let mut fresh = Prepared::new(project.clone(), limits);
            let answer = fresh.assemble(&issue("1"), agent, &none, *now);
            changed.insert(
                answer
                    .context
                    .relevant_files
                    .iter()
                    .map(|file| file.path.clone())
                    .collect::<Vec<_>>(),
            );
            let again = kept.assemble(&issue("1"), agent, &none, *now);
            assert_eq!(json(&again.context), json(&answer.context), "{agent} at {now}");
            assert_eq!(again, answer);
        }
    }
    assert!(changed.len() > 2, "files stop being new");
}
