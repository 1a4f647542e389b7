//! A sim as a document that can be made smaller: places in it, and edits of it.
//!
//! It knows TOML and nothing of what a sim means. Comments go: they speak of a larger sim.

use std::collections::BTreeSet;

use toml_edit::{DocumentMut, Item, TableLike, Value};

/// One step to a place in a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Into a table.
    Key(String),
    /// Into a list, from 0.
    At(usize),
}

/// A place in a document.
pub(super) type Path = Vec<Step>;

/// A path of keys and numbers: `place!["fault", 2, "for"]`.
macro_rules! place {
    ($($step:expr),* $(,)?) => { Vec::from([$($crate::explore::document::Step::from($step)),*]) };
}
pub(super) use place;

impl From<&str> for Step {
    fn from(key: &str) -> Step {
        Step::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Step {
        Step::At(index)
    }
}

/// One change.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Something is not there any more.
    Remove(Path),
    /// Something has another value.
    Set(Path, Value),
}

/// Changes that only make sense together.
pub(super) type Edit = Vec<Change>;

/// A sim's text, taken apart and put together again.
pub(crate) fn reprinted(text: &str) -> Option<String> {
    Document::parse(text).map(|document| document.text())
}

/// A sim's text, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Document(DocumentMut);

impl Document {
    /// Takes a text apart. `None` if it is not TOML.
    pub(super) fn parse(text: &str) -> Option<Document> {
        let mut document: DocumentMut = text.parse().ok()?;
        document.set_trailing("");
        plain_table(document.as_table_mut(), true);
        Some(Document(document))
    }

    pub(super) fn text(&self) -> String {
        self.0.to_string().trim_start().to_owned()
    }

    /// What is at a place.
    pub(super) fn get(&self, path: &[Step]) -> Option<&Item> {
        path.iter().try_fold(self.0.as_item(), |item, step| match step {
            Step::Key(key) => item.get(key.as_str()),
            Step::At(index) => item.get(*index),
        })
    }

    /// The text at a place.
    pub(super) fn text_at(&self, path: &[Step]) -> Option<&str> {
        self.get(path)?.as_str()
    }

    /// How many elements a list has; 0 if there is none.
    pub(super) fn len(&self, path: &[Step]) -> usize {
        match self.get(path) {
            Some(Item::ArrayOfTables(tables)) => tables.len(),
            Some(item) => item.as_array().map_or(0, toml_edit::Array::len),
            None => 0,
        }
    }

    /// Every place below one, tables and lists before what is in them.
    pub(super) fn places(&self, below: &[Step]) -> Vec<Path> {
        let mut found = Vec::new();
        if let Some(item) = self.get(below) {
            visit(item, &mut below.to_vec(), &mut found);
        }
        found
    }

    /// Every place with a value that is no table and no list.
    pub(super) fn leaves(&self, below: &[Step]) -> Vec<Path> {
        let mut leaves = self.places(below);
        leaves.retain(|path| {
            self.get(path).is_some_and(|item| !item.is_table_like() && !is_list(item))
        });
        leaves
    }

    /// The document after all these changes. Their paths are those of this document, whatever the
    /// others remove.
    pub(super) fn with<'a>(&self, changes: impl IntoIterator<Item = &'a Change>) -> Document {
        let mut document = self.clone();
        let mut removed = BTreeSet::new();
        for change in changes {
            match change {
                Change::Remove(path) => {
                    removed.insert(path.clone());
                }
                Change::Set(path, value) => document.set(path, value),
            }
        }
        // From the end, so that the places before keep their numbers.
        for path in removed.iter().rev() {
            document.remove(path);
        }
        document
    }

    fn parent(&mut self, path: &[Step]) -> Option<&mut Item> {
        // To ask for a key mutably would make it.
        self.get(path)?;
        path.iter().try_fold(self.0.as_item_mut(), |item, step| match step {
            Step::Key(key) => item.get_mut(key.as_str()),
            Step::At(index) => item.get_mut(*index),
        })
    }

    fn set(&mut self, path: &[Step], value: &Value) {
        let Some((Step::Key(last), before)) = path.split_last() else { return };
        let Some(table) = self.parent(before).and_then(Item::as_table_like_mut) else { return };
        let item = match value {
            // A table of the whole sim stands on lines of its own.
            Value::InlineTable(table) if path.len() == 1 => Item::Table(table.clone().into_table()),
            value => Item::Value(value.clone()),
        };
        table.insert(last, item);
    }

    fn remove(&mut self, path: &[Step]) {
        let Some((last, before)) = path.split_last() else { return };
        match (self.parent(before), last) {
            (Some(Item::ArrayOfTables(tables)), Step::At(index)) if *index < tables.len() => {
                tables.remove(*index);
            }
            (Some(item), Step::At(index)) => {
                if let Some(array) = item.as_array_mut().filter(|array| *index < array.len()) {
                    array.remove(*index);
                    array.fmt();
                }
            }
            (Some(item), Step::Key(key)) => {
                if let Some(table) = item.as_table_like_mut() {
                    table.remove(key);
                }
            }
            (None, _) => {}
        }
    }
}

fn is_list(item: &Item) -> bool {
    item.is_array() || item.is_array_of_tables()
}

fn visit(item: &Item, path: &mut Path, found: &mut Vec<Path>) {
    let mut enter = |item: &Item, step: Step| {
        path.push(step);
        found.push(path.clone());
        visit(item, path, found);
        path.pop();
    };
    if let Some(table) = item.as_table_like() {
        for (key, item) in table.iter() {
            enter(item, key.into());
        }
    } else if let Some(tables) = item.as_array_of_tables() {
        for (index, table) in tables.iter().enumerate() {
            enter(&Item::Table(table.clone()), index.into());
        }
    } else if let Some(array) = item.as_array() {
        for (index, value) in array.iter().enumerate() {
            enter(&Item::Value(value.clone()), index.into());
        }
    }
}

/// Takes comments and columns out of a table of its own lines.
fn plain_table(table: &mut toml_edit::Table, is_root: bool) {
    if !is_root {
        table.decor_mut().set_prefix("\n");
        table.decor_mut().set_suffix("");
    }
    plain_keys(table);
    for (_, item) in table.iter_mut() {
        plain_item(item);
    }
}

fn plain_item(item: &mut Item) {
    match item {
        Item::Table(table) => plain_table(table, false),
        Item::ArrayOfTables(tables) => {
            for table in tables.iter_mut() {
                plain_table(table, false);
            }
        }
        Item::Value(value) => plain_value(value),
        Item::None => {}
    }
}

fn plain_value(value: &mut Value) {
    value.decor_mut().clear();
    match value {
        Value::Array(array) => {
            array.iter_mut().for_each(plain_value);
            array.fmt();
            array.set_trailing("");
            array.set_trailing_comma(false);
        }
        Value::InlineTable(table) => {
            plain_keys(table);
            for (_, value) in table.iter_mut() {
                plain_value(value);
            }
            table.fmt();
            table.set_trailing("");
            table.set_trailing_comma(false);
        }
        _ => {}
    }
}

fn plain_keys(table: &mut dyn TableLike) {
    let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        if let Some(mut key) = table.key_mut(&key) {
            key.fmt();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "#:schema x\n# why\na  = 1 # one\nlist = [\n  1, # x\n  2,\n]\n\n[t]\n\
                        in   = { x = 1,  y = [\"p\"] }\n\n# of the first\n[[f]]\nat = 1\n[[f]]\nat = 2\n\
                        [[f]]\nat = 3\n# the end\n";

    #[test]
    fn comments_and_columns_go() {
        let document = Document::parse(TEXT).unwrap();
        assert_eq!(
            document.text(),
            "a = 1\nlist = [1, 2]\n\n[t]\nin = { x = 1, y = [\"p\"] }\n\n[[f]]\nat = 1\n\n[[f]]\n\
             at = 2\n\n[[f]]\nat = 3\n"
        );
        assert!(Document::parse("a = ").is_none());
    }

    #[test]
    fn paths_of_changes_are_those_of_the_document_before() {
        let document = Document::parse(TEXT).unwrap();
        let changes = [
            Change::Remove(place!["f", 0]),
            Change::Remove(place!["f", 2]),
            Change::Remove(place!["list", 0]),
            Change::Remove(place!["t", "in", "y"]),
            Change::Remove(place!["gone", 7, "x"]),
            Change::Set(place!["f", 1, "for"], "5s".into()),
            Change::Set(place!["t", "in", "x"], 9.into()),
            Change::Set(place!["no", "where"], 9.into()),
        ];
        assert_eq!(
            document.with(&changes).text(),
            "a = 1\nlist = [2]\n\n[t]\nin = { x = 9 }\n\n[[f]]\nat = 2\nfor = \"5s\"\n"
        );
    }

    #[test]
    fn places_and_leaves_are_all_there_are() {
        let document = Document::parse(TEXT).unwrap();
        assert_eq!(document.places(&place!["t"]).len(), 4);
        assert_eq!(
            document.leaves(&place!["t"]),
            [place!["t", "in", "x"], place!["t", "in", "y", 0]]
        );
        assert_eq!((document.len(&place!["f"]), document.len(&place!["list"])), (3, 2));
        assert_eq!(document.text_at(&place!["t", "in", "y", 0]), Some("p"));
    }
}
