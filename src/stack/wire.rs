//! What errors look like over the wire.
use super::{message::HttpError, settings::Provider};
/// The names in an error's body.
pub struct ErrorParts {
    /// t
    pub error_type: String,
    /// c
    pub code: String,
    /// m
    pub message: String,
}
/// Reads a body.
pub fn read_error(_: Provider, error: &HttpError) -> ErrorParts {
    let json: serde_json::Value = serde_json::from_str(&error.body).unwrap_or_default();
    let error_type = json["error"]["type"].as_str().unwrap_or_default().to_owned();
    ErrorParts { error_type, code: String::new(), message: String::new() }
}
