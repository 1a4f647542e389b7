//! `seedbed schema`: the JSON Schema of a sim, as it is in `sims/schema.json`.

use super::{error::CliError, exit::Exit, screen::Screen};
use crate::scenario::schema_text;

pub(super) fn schema(screen: &mut Screen) -> Result<Exit, CliError> {
    screen.data(&schema_text())?;
    Ok(Exit::Ok)
}
