//! Paths into a JSON value: `record.text`, `data.0.post`.

use std::borrow::Cow;

use serde_json::Value;

use super::Object;

/// The value at a path that the user wrote. A key that contains dots goes before a path of the same name. `None` also for
/// null.
pub(super) fn find_mapped<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    let literal = object.get(path);
    let found = literal.or_else(|| {
        let (head, rest) = path.split_once('.')?;
        inside(object.get(head)?, rest, find_mapped)
    });
    found.filter(|value| !value.is_null())
}

/// The value at a known path. `None` also for null.
pub(super) fn find<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    let found = match path.split_once('.') {
        None => object.get(path),
        Some((head, rest)) => object.get(head).and_then(|value| inside(value, rest, find)),
    };
    found.filter(|value| !value.is_null())
}

type Find = for<'b> fn(&'b Object, &str) -> Option<&'b Value>;

fn inside<'a>(value: &'a Value, path: &str, find: Find) -> Option<&'a Value> {
    match value {
        Value::Object(object) => find(object, path),
        Value::Array(items) => {
            let (index, rest) = path.split_once('.').unwrap_or((path, ""));
            let item = items.get(index.parse::<usize>().ok()?)?;
            if rest.is_empty() { Some(item) } else { inside(item, rest, find) }
        }
        _ => None,
    }
}

pub(super) fn find_str<'a>(object: &'a Object, path: &str) -> Option<&'a str> {
    find(object, path)?.as_str()
}

/// A string or number as text; also MongoDB's extended JSON, such as `{"$oid": "..."}`.
pub(super) fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Object(object) if object.len() == 1 => {
            let (key, value) = object.iter().next()?;
            EXTENDED.contains(&key.as_str()).then(|| scalar(value))?
        }
        _ => None,
    }
}

/// The keys of extended JSON that hold a scalar.
const EXTENDED: [&str; 8] =
    ["$oid", "$date", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal", "$uuid", "$symbol"];

pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_through_objects_and_arrays() {
        let value = json!({"a": {"b": [{"c": 1}, [2, null]], "x.y": 5}, "a.b": 3, "n": null});
        let object = value.as_object().unwrap();
        let found = |path| find_mapped(object, path).and_then(Value::as_i64);
        assert_eq!(
            [found("a.b.0.c"), found("a.b.1.0"), found("a.b"), found("a.x.y")].map(Option::unwrap),
            [1, 2, 3, 5]
        );
        for none in ["", ".", "a.b.2", "a.b.1.1", "a.b.x", "a.c", "n", "a.b.-1"] {
            assert_eq!(found(none), None, "{none}");
        }
        assert_eq!(find(object, "a.b.0.c"), Some(&json!(1)));
        assert_eq!(find(object, "a.b"), value.pointer("/a/b"));
    }

    #[test]
    fn extended_json_is_scalar() {
        let text = |value: Value| scalar(&value).map(Cow::into_owned);
        assert_eq!(text(json!({"$oid": "5f"})).as_deref(), Some("5f"));
        assert_eq!(text(json!({"$date": {"$numberLong": "1620159484000"}})).as_deref(), Some("1620159484000"));
        assert_eq!(text(json!({"$numberInt": 7})).as_deref(), Some("7"));
        assert_eq!((text(json!({"$ref": "x"})), text(json!({"a": 1})), text(json!(true))), (None, None, None));
    }
}
