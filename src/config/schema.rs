//! The JSON Schema of a configuration, made from the ranges that validation uses.

use serde_json::{Map, Value as Json, json};

use super::{
    NAME_LEN_MAX,
    field::{Field, Range},
    preset::Preset,
    read::{DESCRIPTION_MAX, NAME_MAX},
    security::OVERRIDES_MAX,
    strategy::Strategy,
};

/// The JSON Schema (draft 2020-12) of a configuration, the same in TOML and in JSON. Rules over
/// several keys are checked beyond it.
#[must_use]
pub fn schema() -> Json {
    let names = json!({ "pattern": format!("^[a-z0-9_.-]{{1,{NAME_LEN_MAX}}}$") });
    let strategy = json!({ "enum": Strategy::ALL.map(Strategy::as_str) });
    let mut operation = fields();
    operation.insert("strategy".to_owned(), strategy.clone());
    let mut all = fields();
    all.insert(
        "preset".to_owned(),
        json!({
            "description": "the configuration to build on",
            "enum": Preset::ALL.map(Preset::as_str),
        }),
    );
    all.insert("default_strategy".to_owned(), strategy.clone());
    all.insert(
        "name".to_owned(),
        json!({ "type": "string", "minLength": 1, "maxLength": NAME_MAX }),
    );
    all.insert(
        "description".to_owned(),
        json!({
            "type": "string", "minLength": 1, "maxLength": DESCRIPTION_MAX,
        }),
    );
    all.insert(
        "operation_overrides".to_owned(),
        json!({
            "description": "operations with another strategy",
            "type": "object",
            "propertyNames": names,
            "additionalProperties": strategy,
            "maxProperties": OVERRIDES_MAX,
        }),
    );
    all.insert(
        "operations".to_owned(),
        json!({
            "description": "what holds for an operation, instead of what holds for all",
            "type": "object",
            "propertyNames": names,
            "maxProperties": OVERRIDES_MAX,
            "additionalProperties": {
                "type": "object",
                "properties": operation,
                "additionalProperties": false,
            },
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of a stack's resilience",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": false,
        "properties": all,
    })
}

/// [`schema`] as text, with a newline at its end.
#[must_use]
pub fn schema_text() -> String {
    format!("{:#}\n", schema())
}

fn fields() -> Map<String, Json> {
    let decimal = |thousandths: u32| f64::from(thousandths) / 1_000.0;
    let rule = |field: Field| match field.range() {
        Range::Counts(least, most) => json!({
            "description": field.about(), "type": "integer", "minimum": least, "maximum": most,
        }),
        Range::Millis(least, most) | Range::Permille(least, most) => json!({
            "description": field.about(),
            "type": "number",
            "minimum": decimal(least),
            "maximum": decimal(most),
            "multipleOf": 0.001,
        }),
        Range::Switch => json!({ "description": field.about(), "type": "boolean" }),
    };
    Field::ALL.into_iter().map(|field| (field.as_str().to_owned(), rule(field))).collect()
}
