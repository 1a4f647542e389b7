//! Tables for a terminal: columns without lines between them, and nothing at the ends of lines.

use comfy_table::{ContentArrangement, Row, Table, presets};

/// A table without rows under this header, folded to this many columns of a screen if there is one.
pub fn table<H: Into<Row>>(header: H, width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    match width {
        Some(width) => {
            table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table
}

/// The lines of a table.
pub fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
