//! Where requests come from.

use std::path::Path;

use super::Builder;
use crate::scenario::field::At;
use crate::scenario::model::{Load, Stage};
use crate::scenario::raw::RawLoad;
use crate::scenario::values::ScalePermille;

/// How many stages a ramp may have.
const STAGES_MAX: usize = 1_000;

impl Builder {
    pub(super) fn load(&mut self, sim: &Path, raw: At<RawLoad>) -> Option<Load> {
        let At { value: raw, span } = raw;
        if raw.trace.is_none() {
            let only = raw.scale.as_ref().map(|field| field.span);
            if let Some(span) = only.or(raw.limit.as_ref().map(|field| field.span)) {
                let message = "scale and limit belong to a trace";
                self.error(span, "", message, "add trace = \"<file>\", or remove this");
            }
        }
        let scale = self.read(raw.scale, ScalePermille(1000)).0;
        let limit = self.optional(raw.limit).map(|limit| limit.0);
        match (raw.poisson, raw.stages, raw.trace) {
            (Some(raw), None, None) => {
                let second = std::time::Duration::from_secs(1);
                let rate = self.value(raw.per_second);
                let r#for = self.positive(Some(raw.r#for), second);
                Some(Load::Poisson { per_kilosecond: rate?.0, r#for })
            }
            (None, Some(raw), None) => {
                if raw.value.is_empty() || raw.value.len() > STAGES_MAX {
                    let message = format!("a ramp has 1 to {STAGES_MAX} stages");
                    let help = "write stages = [{ for = \"1m\", to = 50 }]";
                    self.error(raw.span, "", &message, help);
                }
                let mut stages = Vec::new();
                for raw in raw.value {
                    let second = std::time::Duration::from_secs(1);
                    let r#for = self.positive(Some(raw.r#for), second);
                    if let Some(to) = self.value(raw.to) {
                        stages.push(Stage { r#for, to_per_kilosecond: to.0 });
                    }
                }
                Some(Load::Stages(stages))
            }
            (None, None, Some(trace)) => {
                if trace.value.is_empty() || trace.value.contains('\0') {
                    let help = "name a file, relative to the sim's";
                    self.error(trace.span, "", "this is not the name of a file", help);
                }
                let folder = sim.parent().unwrap_or_else(|| Path::new(""));
                let file = folder.join(&trace.value);
                Some(Load::Trace {
                    file,
                    trace: crate::scenario::Spanned { value: trace.value, span: trace.span },
                    scale_permille: scale,
                    limit,
                })
            }
            _ => {
                let help = "set exactly one of poisson, stages and trace; without [load], each \
                            agent makes its own `requests`";
                self.error(span, "", "a load has exactly one source", help);
                None
            }
        }
    }
}
