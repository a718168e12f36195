//! A small checker of JSON Schema: the keywords that the contract uses, and a loud refusal of any other.

use serde_json::{Map, Value};

/// Checks a value against a schema of the document.
pub(crate) fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(keywords) = schema.as_object() else {
        return if schema == &Value::Bool(true) {
            Ok(())
        } else {
            Err(format!("{value}: nothing is allowed"))
        };
    };
    for (keyword, rule) in keywords {
        check_keyword(document, keywords, keyword, rule, value).map_err(|error| format!("{error} ({keyword})"))?;
    }
    Ok(())
}

fn check_keyword(document: &Value, all: &Map<String, Value>, keyword: &str, rule: &Value, value: &Value) -> Result<(), String> {
    let when = |ok: bool| if ok { Ok(()) } else { Err(format!("{value} against {rule}")) };
    let fitting = || {
        rule.as_array()
            .unwrap()
            .iter()
            .filter(|r| check(document, r, value).is_ok())
            .count()
    };
    match keyword {
        "title" | "description" | "default" | "format" => Ok(()),
        "$ref" => {
            let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
            check(
                document,
                document.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not there")),
                value,
            )
        }
        "const" => when(rule == value),
        "enum" => when(rule.as_array().unwrap().contains(value)),
        "type" => when(match rule {
            Value::Array(types) => types.iter().any(|t| is_type(t, value)),
            one => is_type(one, value),
        }),
        "anyOf" => when(fitting() > 0),
        "oneOf" => when(fitting() == 1),
        "allOf" => when(fitting() == rule.as_array().unwrap().len()),
        "minimum" => when(value.as_f64().is_none_or(|v| v >= rule.as_f64().unwrap())),
        "maximum" => when(value.as_f64().is_none_or(|v| v <= rule.as_f64().unwrap())),
        "minLength" => when(
            value
                .as_str()
                .is_none_or(|s| s.chars().count() as u64 >= rule.as_u64().unwrap()),
        ),
        "maxLength" => when(
            value
                .as_str()
                .is_none_or(|s| s.chars().count() as u64 <= rule.as_u64().unwrap()),
        ),
        "items" => value
            .as_array()
            .into_iter()
            .flatten()
            .try_for_each(|item| check(document, rule, item)),
        "required" => {
            let missing = |name: &&Value| value.is_object() && value.get(name.as_str().unwrap()).is_none();
            rule.as_array()
                .unwrap()
                .iter()
                .find(missing)
                .map_or(Ok(()), |name| Err(format!("{name} is missing")))
        }
        "properties" => {
            let mut both = rule
                .as_object()
                .unwrap()
                .iter()
                .filter_map(|(name, r)| Some((name, r, value.get(name)?)));
            both.try_for_each(|(name, r, v)| check(document, r, v).map_err(|error| format!("{name}: {error}")))
        }
        "additionalProperties" => {
            let known = all.get("properties").and_then(Value::as_object);
            let further = value
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| known.is_none_or(|k| !k.contains_key(*name)));
            for (name, further) in further {
                check(document, rule, further).map_err(|error| format!("{name}: {error}"))?;
            }
            Ok(())
        }
        other => panic!("the checker does not know the keyword {other:?}: teach it"),
    }
}

fn is_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|x| x.fract() == 0.0),
        other => panic!("unknown type {other:?}"),
    }
}
