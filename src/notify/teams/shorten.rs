//! Shortens a card to Teams' size limit: cuts its longest texts until it fits.

use serde_json::Value;

/// The keys of an Adaptive Card that hold text for people; all others are structure.
const TEXTS: [&str; 4] = ["text", "value", "altText", "fallbackText"];

/// `card` with at most `most` bytes of JSON, as far as cutting texts and removing inline images allows.
pub(super) fn fit(mut card: Value, most: usize) -> Value {
    if size(&card) <= most {
        return card;
    }
    remove_inline_images(&mut card);
    // The longest length, in characters, at which it fits.
    let (mut fits, mut too_long) = (1, most);
    while fits + 1 < too_long {
        let length = fits.midpoint(too_long);
        if size(&cut(&card, length)) <= most {
            fits = length;
        } else {
            too_long = length;
        }
    }
    cut(&card, fits)
}

fn size(card: &Value) -> usize {
    serde_json::to_vec(card).map_or(usize::MAX, |bytes| bytes.len())
}

/// Embedded images take more bytes than all texts of a card.
fn remove_inline_images(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.retain(|item| !item.get("url").and_then(Value::as_str).is_some_and(|url| url.starts_with("data:")));
            items.iter_mut().for_each(remove_inline_images);
        }
        Value::Object(entries) => entries.values_mut().for_each(remove_inline_images),
        _ => {}
    }
}

fn cut(value: &Value, length: usize) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| cut(item, length)).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if TEXTS.contains(&key.as_str()) => (key.clone(), shortened(text, length).into()),
                _ => (key.clone(), cut(value, length)),
            })
            .collect(),
        _ => value.clone(),
    }
}

fn shortened(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((cut, _)) => format!("{}…", text[..cut].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn card(texts: &[String]) -> Value {
        let blocks: Vec<Value> = texts.iter().map(|text| json!({ "type": "TextBlock", "text": text })).collect();
        json!({ "type": "AdaptiveCard", "version": "1.5", "body": [
            { "type": "Image", "url": "data:image/png;base64,AAAA", "altText": "chart" },
            { "type": "Container", "items": blocks },
        ] })
    }

    #[test]
    fn what_fits_is_left_as_it_is() {
        let card = card(&["short".into()]);
        assert_eq!(fit(card.clone(), 20_000), card);
    }

    proptest! {
        #[test]
        fn it_fits_and_no_block_is_lost(texts in proptest::collection::vec("[a-zé\"\\\\😀]{0,400}", 1..40), most in 4_000_usize..9_000) {
            let fitted = fit(card(&texts), most);
            prop_assert!(size(&fitted) <= most, "{} > {most}", size(&fitted));
            let find = |value: &Value| value["body"].as_array().and_then(|body| body.last()).map(|last| last["items"].clone());
            let blocks = find(&fitted).and_then(|items| items.as_array().map(Vec::len));
            prop_assert_eq!(blocks, Some(texts.len()));
        }
    }
}
