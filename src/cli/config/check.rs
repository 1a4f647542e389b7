//! `seedbed config check`: says everything that is wrong with configurations.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::load::{self, ProblemDocument};
use crate::{
    cli::{
        error::{CliError, problem_report},
        exit::Exit,
        list::pretty,
        options::Format,
        screen::Screen,
    },
    config::Layers,
    report::{
        document::VERSION,
        text::{counted, mark},
    },
};

/// What to check.
#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// Files of TOML, or of JSON that end in .json
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Document {
    version: u32,
    files: Vec<FileDocument>,
}

#[derive(Serialize)]
struct FileDocument {
    path: String,
    ok: bool,
    problems: Vec<ProblemDocument>,
    nearest_template: Option<&'static str>,
}

pub(in crate::cli) fn check(args: CheckArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let (mut wrong, mut warned, mut files) = (0_u64, 0_u64, Vec::new());
    for path in &args.files {
        let name = path.display().to_string();
        let mut layers = Layers::new();
        let (ok, problems) = match layers.replace_file(&name, &load::text(path)?) {
            Ok(warnings) => (true, warnings),
            Err(refused) => (false, refused.problems),
        };
        wrong += u64::from(!ok);
        warned += problems.iter().filter(|problem| problem.is_warning).count() as u64;
        for problem in &problems {
            screen.talk(&problem_report(problem));
        }
        match args.format {
            Format::Text => screen.data(&format!("{} {name}\n", mark(ok)))?,
            Format::Json => files.push(FileDocument {
                path: name,
                ok,
                problems: problems.iter().map(ProblemDocument::from).collect(),
                nearest_template: layers.template().filter(|_| ok).map(|it| it.name),
            }),
        }
    }
    match args.format {
        Format::Text => {
            let all = counted(args.files.len() as u64, "configuration");
            let verdict = if wrong == 0 { "all good".to_owned() } else { format!("{wrong} wrong") };
            let warnings = match warned {
                0 => String::new(),
                warned => format!(", {}", counted(warned, "warning")),
            };
            screen.data(&format!("{all}, {verdict}{warnings}\n"))?;
        }
        Format::Json => screen.data(&pretty(&Document { version: VERSION, files })?)?,
    }
    Ok(if wrong == 0 { Exit::Ok } else { Exit::Usage })
}
