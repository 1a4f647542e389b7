//! What the contexts of one project have in common, made once: which files matter to whom, how long
//! each part is as JSON, and the list of the tree.
//!
//! It follows from the project alone, which does not change while it is here. It must never hold the
//! text of a file, as that can be drawn again. Start at [`Prepared::assemble`].

use std::{cmp::Reverse, collections::BTreeMap, rc::Rc, time::Duration};

use jiff::Timestamp;

use super::{
    super::{
        json_len,
        project::{File, FileId, Kind, Project},
        wire::{AgentType, IssueId},
    },
    AgentOutput, CommitInfo, Context, ContextResponse, FileInfo, GitContext, Limits, Priority,
    ProjectMetadata, ProjectStructure, View,
    budget::{Basket, Counted},
    file::Body,
};

/// A project, and what was made of it for the contexts so far.
#[derive(Debug)]
pub struct Prepared {
    project: Project,
    limits: Limits,
    /// What every context has, however little room there is, and its bytes.
    skeleton: (Context, u64),
    /// All directories, in order.
    directories: Vec<Rc<str>>,
    changes: Vec<Counted<str>>,
    commits: Vec<Counted<CommitInfo>>,
    /// The files that agents with a view are to read.
    chosen: BTreeMap<View, Chosen>,
    /// Those of them that were in a context.
    files: BTreeMap<FileId, Counted<FileInfo>>,
    /// The tree, once there was room for some of it.
    listing: Option<Listing>,
}

impl Prepared {
    /// Of a project that is as it is, within these limits.
    pub fn new(project: Project, limits: Limits) -> Prepared {
        let skeleton = skeleton(&project);
        let path = |id: &FileId| project.file(*id).map(|file| project.path(&file));
        let commits = project.commits().iter().take(limits.commits).map(|commit| {
            Counted::new(Rc::new(CommitInfo {
                hash: commit.hash.to_string(),
                message: commit.message.to_string(),
                author: commit.author.to_owned(),
                timestamp: commit.time,
                files: commit.files.iter().filter_map(path).collect(),
            }))
        });
        let changes = project.uncommitted().map(|change| Counted::new(change.to_string().into()));
        Prepared {
            directories: project.directories().into_iter().map(Into::into).collect(),
            changes: changes.collect(),
            commits: commits.collect(),
            skeleton: (skeleton.clone(), json_len(&skeleton)),
            chosen: BTreeMap::new(),
            files: BTreeMap::new(),
            listing: None,
            project,
            limits,
        }
    }

    /// How much a context of it may hold.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Puts together what an agent of this type is told about an issue. `earlier` is what agents of
    /// the project have found out, in the order in which it matters.
    pub fn assemble<'a>(
        &mut self,
        issue: &IssueId,
        agent: AgentType,
        earlier: impl IntoIterator<Item = &'a Counted<AgentOutput>>,
        now: Timestamp,
    ) -> ContextResponse {
        let Prepared { project, limits, skeleton, changes, commits, chosen, files, .. } = self;
        let mut basket = Basket::new(skeleton.0.clone(), skeleton.1, limits.context_bytes);
        let view = View::of(agent);
        let chosen = chosen.entry(view).or_default();
        if !chosen.is_of(now) {
            *chosen = choose(project, view, limits, now);
        }
        chosen.too_many.iter().for_each(|(what, count)| basket.left_out(*what, *count));

        for requirement in project.requirements(issue.as_str()) {
            let requirement = Counted::new(requirement.into());
            basket.put(Priority::Requirements, &requirement, |c| &mut c.metadata.task_requirements);
        }
        for output in earlier.into_iter().take(limits.outputs) {
            basket.put(Priority::Decisions, output, |c| &mut c.previous_agent_outputs);
        }
        for change in changes.iter() {
            basket.put(Priority::Changed, change, |c| &mut c.git_context.uncommitted_changes);
        }
        let named = chosen.files.partition_point(|(what, _)| *what < Priority::History);
        let (named, rest) = chosen.files.split_at(named);
        let mut put_file = |basket: &mut Basket, what: Priority, file: &File| {
            if basket.is_closed_to(what) {
                return basket.left_out(what, 1);
            }
            let is_short = file.size > limits.file_bytes;
            let info = files.entry(file.id).or_insert_with(|| info(project, file, limits));
            if basket.put(what, info, |c| &mut c.relevant_files) && is_short {
                basket.shortened(what);
            }
        };
        named.iter().for_each(|(what, file)| put_file(&mut basket, *what, file));
        for commit in commits.iter() {
            basket.put(Priority::History, commit, |c| &mut c.git_context.recent_commits);
        }
        rest.iter().for_each(|(what, file)| put_file(&mut basket, *what, file));
        self.list(&mut basket);

        let (context, total_size_bytes, cut) = basket.take();
        ContextResponse {
            issue_id: issue.clone(),
            agent_type: agent,
            truncated: !cut.is_empty(),
            truncation_strategy: if cut.is_empty() { "none" } else { "priority" }.into(),
            cut,
            total_size_bytes,
            file_count: context.relevant_files.len() as u64,
            context: Rc::new(context),
            timestamp: now,
            cache_hit: false,
        }
    }

    /// Lists the tree, as far as there is room.
    fn list(&mut self, basket: &mut Basket) {
        let all = self.directories.len() as u64 + self.project.size().files();
        if basket.is_closed_to(Priority::Listing) {
            return basket.left_out(Priority::Listing, all);
        }
        let listing = self.listing.get_or_insert_with(|| {
            Listing::of(&self.project, &self.skeleton.0.project_structure, &self.directories)
        });
        let room = basket.room();
        let fits = listing.ends.partition_point(|end| *end <= room);
        let bytes = fits.checked_sub(1).and_then(|last| listing.ends.get(last));
        basket.put_structure(listing.first(fits), bytes.copied().unwrap_or(0));
        basket.left_out(Priority::Listing, (listing.ends.len() - fits) as u64);
    }
}

/// What every context has, however little room there is.
pub(super) fn skeleton(project: &Project) -> Context {
    Context {
        project_structure: Rc::new(ProjectStructure {
            root: format!("/projects/{}", project.id()),
            total_files: project.size().files(),
            total_size_bytes: project.total_size(),
            ..ProjectStructure::default()
        }),
        git_context: GitContext {
            branch: project.branch().to_owned(),
            remote: Some("origin".to_owned()),
            remote_url: Some(format!("https://git.example/{}.git", project.id())),
            ..GitContext::default()
        },
        metadata: ProjectMetadata {
            project_type: project.language().to_string(),
            dependencies: project.dependencies().iter().map(|&name| name.to_owned()).collect(),
            test_coverage: project.coverage().map(|tenths| f64::from(tenths) / 10.0),
            last_build_status: project.build().as_str().map(str::to_owned),
            task_requirements: Vec::new(),
        },
        ..Context::default()
    }
}

/// A file as a context shows it.
fn info(project: &Project, file: &File, limits: &Limits) -> Counted<FileInfo> {
    let is_short = file.size > limits.file_bytes;
    let most = if is_short { (file.size / 2).min(limits.file_bytes) } else { file.size };
    let info = FileInfo {
        path: project.path(file),
        body: Body::Drawn { draft: Rc::new(project.draft(file)), most },
        last_modified: file.last_modified,
        size: file.size,
        language: file.language.to_string(),
    };
    let bytes = info.json_len();
    Counted { item: Rc::new(info), bytes }
}

/// The files that agents with a view are to read, for as long as none of them stops being new.
#[derive(Debug, Default)]
struct Chosen {
    /// It is so after this instant, until the other and at that, in nanoseconds since 1970.
    after: i128,
    until: i128,
    /// By priority, then the newest first, then by place.
    files: Vec<(Priority, File)>,
    /// How many more there are.
    too_many: BTreeMap<Priority, u64>,
}

impl Chosen {
    fn is_of(&self, now: Timestamp) -> bool {
        (self.after + 1..=self.until).contains(&now.as_nanosecond())
    }
}

fn choose(project: &Project, view: View, limits: &Limits, now: Timestamp) -> Chosen {
    let (mut after, mut until) = (i128::MIN, i128::MAX);
    let (mut chosen, mut too_many) = (BTreeMap::new(), BTreeMap::new());
    for file in project.files().filter(|file| view.sees(file)) {
        let what = priority(&file, limits, now);
        match new_until(&file, limits) {
            end if now.as_nanosecond() <= end => until = until.min(end),
            end => after = after.max(end),
        }
        if file.size > limits.file_bytes && !file.kind.is_code() {
            *too_many.entry(what).or_default() += 1;
            continue;
        }
        chosen.insert((what, Reverse(file.last_modified), file.id), file);
        if chosen.len() > limits.files
            && let Some(((what, ..), _)) = chosen.pop_last()
        {
            *too_many.entry(what).or_default() += 1;
        }
    }
    let files = chosen.into_iter().map(|((what, ..), file)| (what, file)).collect();
    Chosen { after, until, files, too_many }
}

/// The last instant at which a file counts as changed, in nanoseconds since 1970.
fn new_until(file: &File, limits: &Limits) -> i128 {
    let nanos = |duration: Duration| i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
    file.last_modified.as_nanosecond().saturating_add(nanos(limits.changed_for))
}

/// What a file is kept as. One from the future has just been changed.
pub(super) fn priority(file: &File, limits: &Limits, now: Timestamp) -> Priority {
    if now.as_nanosecond() <= new_until(file, limits) {
        return Priority::Changed;
    }
    match file.kind {
        Kind::Test => Priority::Tests,
        Kind::Config => Priority::Config,
        Kind::Docs => Priority::Docs,
        Kind::Source => Priority::Source,
    }
}

/// The tree: directories, then files.
#[derive(Debug)]
struct Listing {
    structure: Rc<ProjectStructure>,
    /// The bytes of the list up to the end of each entry.
    ends: Vec<u64>,
}

impl Listing {
    fn of(project: &Project, root: &ProjectStructure, directories: &[Rc<str>]) -> Listing {
        let files: Vec<Rc<str>> = project.files().map(|file| project.path(&file).into()).collect();
        let (mut ends, mut end) = (Vec::with_capacity(directories.len() + files.len()), 0);
        for list in [directories, &files] {
            for (turn, path) in list.iter().enumerate() {
                end += json_len(&**path) + u64::from(turn > 0);
                ends.push(end);
            }
        }
        let directories = directories.to_vec();
        let structure = Rc::new(ProjectStructure { files, directories, ..root.clone() });
        Listing { structure, ends }
    }

    /// The first so many entries.
    fn first(&self, count: usize) -> Rc<ProjectStructure> {
        if count == self.ends.len() {
            return Rc::clone(&self.structure);
        }
        let ProjectStructure { root, files, directories, total_files, total_size_bytes } =
            &*self.structure;
        let of_files = count.saturating_sub(directories.len());
        Rc::new(ProjectStructure {
            root: root.clone(),
            files: files.iter().take(of_files).cloned().collect(),
            directories: directories.iter().take(count).cloned().collect(),
            total_files: *total_files,
            total_size_bytes: *total_size_bytes,
        })
    }
}
