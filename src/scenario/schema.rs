//! The JSON Schema of a sim, made from the very types that read one.
//!
//! It is what an editor completes and checks with. References between tables, and units beyond what
//! a pattern can say, are checked by `build` only.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json;

use super::field::{At, Read, ScalarOr, Value};
use super::raw::RawSim;

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: Value> JsonSchema for Read<T> {
    fn schema_name() -> Cow<'static, str> {
        T::SCHEMA_NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::schema()
    }
}

impl<T: Value, U: JsonSchema> JsonSchema for ScalarOr<T, U> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Or{}", T::SCHEMA_NAME, U::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "oneOf": [generator.subschema_for::<Read<T>>(), generator.subschema_for::<U>()]
        })
    }
}

/// The JSON Schema (draft 2020-12) of a sim as TOML writes it.
#[must_use]
pub fn schema() -> Json {
    let mut schema = Json::from(schemars::schema_for!(RawSim));
    without_null(&mut schema);
    schema
}

/// [`schema`] as it is committed in `sims/schema.json`, with a newline at its end.
#[must_use]
pub fn schema_text() -> String {
    format!("{:#}\n", schema())
}

/// TOML has no null: an optional key is left out. Takes away what schemars says about null.
fn without_null(schema: &mut Json) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(without_null),
        Json::Object(object) => {
            if let Some(Json::Array(any)) = object.get_mut("anyOf") {
                any.retain(|item| item.get("type") != Some(&Json::from("null")));
                if let [Json::Object(only)] = any.as_mut_slice() {
                    let only = std::mem::take(only);
                    object.remove("anyOf");
                    object.extend(only);
                }
            }
            if let Some(Json::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_mut_slice() {
                    let only = only.take();
                    object.insert("type".to_owned(), only);
                }
            }
            object.retain(|key, value| key != "default" || !value.is_null());
            object.values_mut().for_each(without_null);
        }
        _ => {}
    }
}
