//! A file in a context. Its text is made when somebody reads it, as in a run hardly anybody does.

use std::{borrow::Cow, rc::Rc};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::{
    json_len,
    project::{Contents, Draft},
};

/// A file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileInfo {
    /// Where it is, from the root on.
    pub path: String,
    /// What it says.
    pub body: Body,
    /// When it was last changed.
    pub last_modified: Timestamp,
    /// The bytes of the whole file.
    pub size: u64,
    /// What it is written in.
    pub language: String,
}

/// What a file says.
#[derive(Clone, Debug)]
pub enum Body {
    /// As it came.
    Given(Contents),
    /// The first bytes of what is drawn.
    Drawn {
        /// What its text follows from.
        draft: Rc<Draft>,
        /// How many bytes are shown.
        most: u64,
    },
}

impl Body {
    /// Its text, or the beginning of it, and the checksum of all.
    pub fn read(&self) -> Cow<'_, Contents> {
        match self {
            Body::Given(contents) => Cow::Borrowed(contents),
            Body::Drawn { draft, most } => Cow::Owned(draft.read(*most)),
        }
    }

    /// The first line of the text, without its end.
    pub fn first_line(&self) -> &str {
        let text = match self {
            Body::Given(contents) => &contents.text,
            Body::Drawn { draft, most } => draft.first_line(*most),
        };
        text.split('\n').next().unwrap_or_default()
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Body) -> bool {
        self.read() == other.read()
    }
}

impl FileInfo {
    /// How long it is as JSON.
    pub(super) fn json_len(&self) -> u64 {
        let Body::Drawn { draft, most } = &self.body else { return json_len(self) };
        // In the place of two empty texts: the text, and the digits of the checksum.
        json_len(&self.with(&Contents::default())) - 2 + draft.json_len(*most) + 64
    }

    fn with<'a>(&'a self, contents: &'a Contents) -> OnWire<'a> {
        OnWire {
            path: self.path.as_str().into(),
            content: contents.text.as_str().into(),
            last_modified: self.last_modified,
            size: self.size,
            language: self.language.as_str().into(),
            checksum: contents.checksum.as_str().into(),
        }
    }
}

/// A file as it is on the wire.
#[derive(Serialize, Deserialize)]
struct OnWire<'a> {
    path: Cow<'a, str>,
    content: Cow<'a, str>,
    last_modified: Timestamp,
    size: u64,
    #[serde(default)]
    language: Cow<'a, str>,
    #[serde(default)]
    checksum: Cow<'a, str>,
}

impl Serialize for FileInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with(&self.body.read()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FileInfo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FileInfo, D::Error> {
        let OnWire { path, content, last_modified, size, language, checksum } =
            OnWire::deserialize(deserializer)?;
        let contents = Contents { text: content.into_owned(), checksum: checksum.into_owned() };
        Ok(FileInfo {
            path: path.into_owned(),
            body: Body::Given(contents),
            last_modified,
            size,
            language: language.into_owned(),
        })
    }
}
