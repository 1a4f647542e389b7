//! What a span says, in the parts that there are anyway: nothing is copied until somebody reads it,
//! for most spans are read by nobody.

use std::{fmt, rc::Rc};

use crate::stack::RequestId;

/// The name of a span.
#[derive(Clone, Debug)]
pub enum SpanName {
    /// One that is always the same.
    Fixed(&'static str),
    /// One of somebody, as in `a2a.` and `rust-1`.
    Of(&'static str, Rc<str>),
    /// Method and route of a request.
    Http(&'static str, &'static str),
}

impl fmt::Display for SpanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpanName::Fixed(name) => f.write_str(name),
            SpanName::Of(kind, name) => write!(f, "{kind}{name}"),
            SpanName::Http(method, route) => write!(f, "{method} {route}"),
        }
    }
}

impl PartialEq for SpanName {
    fn eq(&self, other: &SpanName) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for SpanName {}

impl From<&'static str> for SpanName {
    fn from(name: &'static str) -> SpanName {
        SpanName::Fixed(name)
    }
}

impl From<String> for SpanName {
    fn from(name: String) -> SpanName {
        SpanName::Of("", name.into())
    }
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpanValue {
    /// A text that is always the same.
    Fixed(&'static str),
    /// Any other text.
    Text(Rc<str>),
    /// A request, as its text.
    Request(RequestId),
    /// A whole number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// A number in hundredths.
    Hundredths(u64),
    /// Texts that are always the same.
    List(&'static [&'static str]),
}

macro_rules! span_value {
    ($($type:ty => $variant:ident $(.$via:ident())?),*) => {
        $(impl From<$type> for SpanValue {
            fn from(value: $type) -> SpanValue {
                SpanValue::$variant(value$(.$via())?)
            }
        })*
    };
}

span_value!(&'static str => Fixed, String => Text.into(), Rc<str> => Text, RequestId => Request,
    bool => Flag, u64 => Number, u32 => Number.into(), u16 => Number.into());

/// A name and a value.
pub type Attribute = (&'static str, SpanValue);
