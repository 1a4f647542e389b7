//! The events of a run in columns, with every text once: what keeps a report of 100 000 events small.
//!
//! An event is a row: when, where, its cause, and its *shape*: the kind and the names of its fields.
//! The values of a field lie in a column of the shape. Texts are bounded one by one and together;
//! what is cut says so, in the text itself and in the counts.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::SerializeSeq as _};
use serde_json::{Map, Number, Value};

use super::EVENTS_MAX;
use crate::world::Sighting;

/// The longest text that is kept whole, in bytes.
pub(super) const TEXT_MAX: usize = 4_000;
/// A text up to this length, in bytes, is short: an id, a word. They have room of their own.
const SHORT_MAX: usize = 64;
/// The most that all short texts may be together, in bytes.
const SHORT_TEXTS_MAX: usize = 6_000_000;
/// The most that all other texts may be together, in bytes.
pub(super) const TEXTS_MAX: usize = 4_000_000;
/// The most fields of an event that are kept.
pub(super) const FIELDS_MAX: usize = 40;
/// The largest whole number that JavaScript holds exactly.
const SAFE_MAX: u64 = (1 << 53) - 1;
/// What stands for a text for which there was no room.
pub(super) const NO_ROOM: &str = "… (left out: the texts of this run are too long)";

/// A place in the list of texts.
type TextId = u32;

/// All texts, each once.
#[derive(Default)]
struct Texts {
    /// By the whole text, also where only its beginning is kept: two long names stay two.
    ids: BTreeMap<String, TextId>,
    kept: Vec<String>,
    short_bytes: usize,
    bytes: usize,
    cut: u64,
    left_out: u64,
}

impl Texts {
    /// The place of a text, or of one that says that there is no room for it.
    fn id(&mut self, text: &str) -> TextId {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let (used, most) = match text.len() {
            0..=SHORT_MAX => (&mut self.short_bytes, SHORT_TEXTS_MAX),
            _ => (&mut self.bytes, TEXTS_MAX),
        };
        let bytes = text.len().min(TEXT_MAX);
        if *used + bytes > most {
            self.left_out += 1;
            return self.name(NO_ROOM);
        }
        *used += bytes;
        self.name(text)
    }

    /// The place of a text for which there is always room: a kind, a node, a field. Their number
    /// does not grow with the run.
    fn name(&mut self, text: &str) -> TextId {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = TextId::try_from(self.kept.len()).unwrap_or(TextId::MAX);
        let kept = shortened(text);
        self.cut += u64::from(kept.len() != text.len());
        self.kept.push(kept);
        self.ids.insert(text.to_owned(), id);
        id
    }
}

/// A text, or its beginning and how long it is.
pub(super) fn shortened(text: &str) -> String {
    if text.len() <= TEXT_MAX {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(TEXT_MAX);
    let begin = text.get(..end).unwrap_or_default();
    format!("{begin}… (cut: {} bytes in all)", text.len())
}

/// One value of one field.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Null,
    Bool(bool),
    Number(Number),
    Text(TextId),
    /// Anything else, as JSON.
    Json(TextId),
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Null => serializer.serialize_unit(),
            Cell::Bool(value) => serializer.serialize_bool(*value),
            Cell::Number(number) => number.serialize(serializer),
            Cell::Text(id) => [*id].serialize(serializer),
            Cell::Json(id) => [*id, 1].serialize(serializer),
        }
    }
}

/// The values of one field.
struct Column(Vec<Cell>);

impl Column {
    fn is_of_texts(&self) -> bool {
        self.0.iter().all(|cell| matches!(cell, Cell::Null | Cell::Text(_)))
    }
}

/// A column of texts is a list of their places; in others a text is a list of one.
impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_of_texts = self.is_of_texts();
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for cell in &self.0 {
            match cell {
                Cell::Text(id) if is_of_texts => list.serialize_element(id)?,
                cell => list.serialize_element(cell)?,
            }
        }
        list.end()
    }
}

/// A kind of event with these fields.
struct Shape {
    kind: TextId,
    fields: Vec<TextId>,
    columns: Vec<Column>,
}

/// The events of one run.
pub(super) struct Columns {
    events_max: usize,
    texts: Texts,
    nodes: Vec<TextId>,
    nodes_by_name: BTreeMap<TextId, u32>,
    shapes: Vec<Shape>,
    /// By kind, then by the names of the fields.
    shapes_by_name: BTreeMap<(TextId, Vec<TextId>), u32>,
    at: Vec<u64>,
    last_at: u64,
    node: Vec<u32>,
    shape: Vec<u32>,
    cause: Vec<u64>,
    /// Events for which there was no room.
    left_out: u64,
    /// Events of which not all fields are kept.
    fields_cut: u64,
}

impl Default for Columns {
    fn default() -> Columns {
        Columns {
            events_max: EVENTS_MAX,
            texts: Texts::default(),
            nodes: Vec::new(),
            nodes_by_name: BTreeMap::new(),
            shapes: Vec::new(),
            shapes_by_name: BTreeMap::new(),
            at: Vec::new(),
            last_at: 0,
            node: Vec::new(),
            shape: Vec::new(),
            cause: Vec::new(),
            left_out: 0,
            fields_cut: 0,
        }
    }
}

impl Columns {
    /// No events, on these nodes and others that have any.
    pub(super) fn new(nodes: Vec<String>) -> Columns {
        Columns::with_room(nodes, EVENTS_MAX)
    }

    /// Such with room for so many events.
    pub(super) fn with_room(nodes: Vec<String>, events_max: usize) -> Columns {
        let mut columns = Columns { events_max, ..Columns::default() };
        for node in nodes {
            columns.node(&node);
        }
        columns
    }

    pub(super) fn push(&mut self, sighting: &Sighting<'_>) {
        if self.at.len() >= self.events_max {
            self.left_out += 1;
            return;
        }
        let at = sighting.at.as_nanos();
        self.at.push(at.saturating_sub(self.last_at));
        self.last_at = at;
        let node = self.node(sighting.node);
        self.node.push(node);
        self.cause.push(match sighting.cause {
            0 => 0,
            cause => sighting.seq.saturating_sub(cause),
        });
        self.fields(sighting.what.kind(), sighting.what.fields());
    }

    fn node(&mut self, name: &str) -> u32 {
        let text = self.texts.name(name);
        let next = self.nodes.len() as u32;
        let place = *self.nodes_by_name.entry(text).or_insert(next);
        if place == next {
            self.nodes.push(text);
        }
        place
    }

    fn fields(&mut self, kind: &str, fields: Map<String, Value>) {
        self.fields_cut += u64::from(fields.len() > FIELDS_MAX);
        let kind = self.texts.name(kind);
        let (mut names, mut cells) = (Vec::new(), Vec::new());
        for (name, value) in fields.into_iter().take(FIELDS_MAX) {
            names.push(self.texts.name(&name));
            cells.push(self.cell(value));
        }
        let next = self.shapes.len() as u32;
        let key = (kind, names);
        let place = match self.shapes_by_name.get(&key) {
            Some(place) => *place,
            None => {
                let columns = key.1.iter().map(|_| Column(Vec::new())).collect();
                self.shapes.push(Shape { kind, fields: key.1.clone(), columns });
                self.shapes_by_name.insert(key, next);
                next
            }
        };
        self.shape.push(place);
        if let Some(shape) = self.shapes.get_mut(place as usize) {
            for (column, cell) in shape.columns.iter_mut().zip(cells) {
                column.0.push(cell);
            }
        }
    }

    fn cell(&mut self, value: Value) -> Cell {
        match value {
            Value::Null => Cell::Null,
            Value::Bool(value) => Cell::Bool(value),
            Value::Number(number) if is_safe(&number) => Cell::Number(number),
            Value::String(text) => Cell::Text(self.texts.id(&text)),
            other => Cell::Json(self.texts.id(&other.to_string())),
        }
    }
}

fn is_safe(number: &Number) -> bool {
    match (number.as_u64(), number.as_i64()) {
        (Some(value), _) => value <= SAFE_MAX,
        (None, Some(value)) => value.unsigned_abs() <= SAFE_MAX,
        (None, None) => true,
    }
}

/// What a page is given of the events. The names are short, as they stand in the file once each.
impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            texts: &'a [String],
            nodes: &'a [TextId],
            shapes: Vec<WrittenShape<'a>>,
            at: &'a [u64],
            node: &'a [u32],
            shape: &'a [u32],
            cause: &'a [u64],
            cut: Cut,
        }
        #[derive(Serialize)]
        struct WrittenShape<'a> {
            kind: TextId,
            fields: &'a [TextId],
            texts: Vec<bool>,
            columns: &'a [Column],
        }
        #[derive(Serialize)]
        struct Cut {
            events: u64,
            texts_cut: u64,
            texts_left_out: u64,
            fields: u64,
        }
        let shapes = self.shapes.iter().map(|shape| WrittenShape {
            kind: shape.kind,
            fields: &shape.fields,
            texts: shape.columns.iter().map(Column::is_of_texts).collect(),
            columns: &shape.columns,
        });
        Written {
            texts: &self.texts.kept,
            nodes: &self.nodes,
            shapes: shapes.collect(),
            at: &self.at,
            node: &self.node,
            shape: &self.shape,
            cause: &self.cause,
            cut: Cut {
                events: self.left_out,
                texts_cut: self.texts.cut,
                texts_left_out: self.texts.left_out,
                fields: self.fields_cut,
            },
        }
        .serialize(serializer)
    }
}
