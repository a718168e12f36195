//! A small checker of JSON Schema: the keywords that the contract uses, and a loud refusal of any other.

use serde_json::Value;

/// A parsed schema.
pub(crate) struct Schema {
    root: Value,
}

type Verdict = Result<(), String>;

impl Schema {
    pub(crate) fn parse(text: &str) -> Self {
        Self {
            root: serde_json::from_str(text).unwrap(),
        }
    }

    /// Checks a value against one of the definitions.
    pub(crate) fn check(&self, definition: &str, value: &Value) -> Verdict {
        self.any(&self.root["$defs"][definition], value)
    }

    fn any(&self, schema: &Value, value: &Value) -> Verdict {
        if let Some(all) = schema.as_bool() {
            return if all { Ok(()) } else { Err(format!("{value} is not allowed")) };
        }
        let keywords = schema.as_object().expect("a schema is an object or a boolean");
        for (keyword, rule) in keywords {
            self.keyword(keyword, rule, schema, value)
                .map_err(|e| format!("{e} ({keyword})"))?;
        }
        Ok(())
    }

    fn each_value(&self, rule: &Value, map: &Value) -> Verdict {
        let mut values = map.as_object().into_iter().flatten();
        values.try_for_each(|(_, value)| self.any(rule, value))
    }

    fn keyword(&self, keyword: &str, rule: &Value, schema: &Value, value: &Value) -> Verdict {
        let when = |ok: bool| if ok { Ok(()) } else { Err(format!("{value} against {rule}")) };
        match keyword {
            "title" | "description" => Ok(()),
            "$ref" => self.check(rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap(), value),
            "const" => when(same(rule, value)),
            "enum" => when(rule.as_array().unwrap().iter().any(|r| same(r, value))),
            "type" => when(match rule {
                Value::Array(types) => types.iter().any(|t| is_type(t, value)),
                one => is_type(one, value),
            }),
            "not" => when(self.any(rule, value).is_err()),
            "oneOf" => {
                let fits = rule.as_array().unwrap().iter().filter(|r| self.any(r, value).is_ok()).count();
                if fits == 1 {
                    Ok(())
                } else {
                    Err(format!("{value} fits {fits} cases"))
                }
            }
            "minimum" => when(value.as_f64().is_none_or(|v| v >= rule.as_f64().unwrap())),
            "maximum" => when(value.as_f64().is_none_or(|v| v <= rule.as_f64().unwrap())),
            "maxLength" => when(characters(value).is_none_or(|n| n <= rule.as_u64().unwrap())),
            "minLength" => when(characters(value).is_none_or(|n| n >= rule.as_u64().unwrap())),
            "pattern" => when(value.as_str().is_none_or(|s| pattern(rule.as_str().unwrap(), s))),
            "minItems" => when(value.as_array().is_none_or(|a| a.len() as u64 >= rule.as_u64().unwrap())),
            "maxItems" => when(value.as_array().is_none_or(|a| a.len() as u64 <= rule.as_u64().unwrap())),
            "items" => value
                .as_array()
                .into_iter()
                .flatten()
                .try_for_each(|item| self.any(rule, item)),
            "prefixItems" => {
                let pairs = rule.as_array().unwrap().iter().zip(value.as_array().into_iter().flatten());
                pairs.into_iter().try_for_each(|(r, item)| self.any(r, item))
            }
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
                    .filter_map(|(name, r)| Some((r, value.get(name)?)));
                both.try_for_each(|(r, v)| self.any(r, v))
            }
            "patternProperties" => {
                assert!(rule.as_object().unwrap().values().all(|r| *r == Value::Bool(true)));
                Ok(())
            }
            "additionalProperties" if rule.is_object() => self.each_value(rule, value),
            "propertyNames" => {
                let mut names = value.as_object().into_iter().flatten();
                names.try_for_each(|(name, _)| self.any(rule, &Value::String(name.clone())))
            }
            "maxProperties" => when(value.as_object().is_none_or(|o| o.len() as u64 <= rule.as_u64().unwrap())),
            "additionalProperties" => {
                assert_eq!(rule, &Value::Bool(false));
                let known = |name: &str| {
                    let patterns = schema["patternProperties"].as_object().into_iter().flatten();
                    schema["properties"].get(name).is_some() || patterns.into_iter().any(|(p, _)| pattern(p, name))
                };
                let unknown = value.as_object().into_iter().flatten().find(|(name, _)| !known(name));
                unknown.map_or(Ok(()), |(name, _)| Err(format!("{name:?} is unknown")))
            }
            other => panic!("the checker does not know the keyword {other:?}: teach it"),
        }
    }
}

fn characters(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

/// JSON Schema compares numbers by value.
fn same(a: &Value, b: &Value) -> bool {
    a == b || (a.is_number() && b.is_number() && a.as_f64() == b.as_f64())
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

/// The patterns of the contract.
fn pattern(pattern: &str, text: &str) -> bool {
    let hexadecimal = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    match pattern {
        "^(3[2-9]|[4-9][0-9]|[1-9][0-9]{2,8})$" => {
            let digits = text.len() <= 9 && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
            digits && text.parse::<u32>().is_ok_and(|n| n >= 32)
        }
        "^[a-z0-9_]{1,32}$" => {
            let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            (1..=32).contains(&text.len()) && text.bytes().all(allowed)
        }
        "^[0-9a-f]{64}$" => text.len() == 64 && text.bytes().all(hexadecimal),
        "^[0-9a-f]{128}$" => text.len() == 128 && text.bytes().all(hexadecimal),
        other => panic!("the checker does not know the pattern {other:?}: teach it"),
    }
}
