//! From one post in JSON to a [`RowBuilder`]: the value of each field.

use std::borrow::Cow;

use serde_json::Value;

use super::fields::{first_paths, last_paths};
use super::includes::Includes;
use super::path::{find, find_mapped, find_str, scalar, type_name};
use super::preset::preset_paths;
use super::skipped::post_uri;
use super::wrappers::PostIn;
use super::{Object, text};
use crate::dump::columns::{Columns, Field};
use crate::dump::options::Layout;
use crate::dump::reject::{RejectReason, RowError};
use crate::dump::row_builder::RowBuilder;
use crate::dump::time_parts::TimeParts;

/// How the fields of posts are found.
#[derive(Debug)]
pub(super) struct FieldFinder {
    pub columns: Columns,
    /// The tool whose names are tried first.
    pub layout: Layout,
}

impl FieldFinder {
    /// `found`: its text, if no mapping names another.
    pub(super) fn row_builder<'a>(
        &self,
        at: &PostIn<'a>,
        found: Option<Cow<'a, str>>,
        includes: &Includes<'a>,
    ) -> Result<RowBuilder<'a>, RowError> {
        let cell = |field| self.values(field, at).find_map(|(_, value)| scalar(value));
        let parts = TimeParts::of(&self.columns);
        let part = |path: Option<&str>| scalar(find(at.post, path?)?);
        Ok(RowBuilder {
            id: self.at_uri(at).or_else(|| cell(Field::Id)).map(|id| in_chat(at, id)).or_else(|| outer_id(at)),
            created_at: cell(Field::CreatedAt),
            date: part(Some(parts.date)),
            time: part(Some(parts.time)),
            zone: part(parts.zone),
            author: self.author(at, includes),
            text: self.text(at, found, includes)?,
            lang: cell(Field::Lang),
            topic: cell(Field::Topic),
            label: cell(Field::Label),
            reason: cell(Field::Reason),
            incident: self.values(Field::Incident, at).find_map(|(_, value)| flag(value).or_else(|| scalar(value))),
        })
    }

    /// The address of a post on Bluesky. On other networks `uri` may be a link that several posts share.
    fn at_uri<'a>(&self, at: &PostIn<'a>) -> Option<Cow<'a, str>> {
        let uri = find_str(at.post, "uri").filter(|uri| uri.starts_with("at://") && self.columns.id.is_none());
        uri.map(Cow::Borrowed)
    }

    /// Where the fields of a post stand.
    pub(super) fn paths<'s, 'a: 's>(&'s self, at: &'s PostIn<'a>) -> impl Iterator<Item = (Field, &'s str)> {
        let has_value = |field| {
            let mut values = self.values(field, at);
            values.find(|(_, value)| scalar(value).is_some() || text::text_value(value).is_some() || value.is_object())
        };
        Field::ALL.into_iter().filter_map(move |field| Some((field, has_value(field)?.0)))
    }

    /// The values of a field that are there, with their paths, best first.
    fn values<'s, 'a: 's>(&'s self, field: Field, at: &'s PostIn<'a>) -> impl Iterator<Item = (&'s str, &'a Value)> {
        let mapped = self.columns.mapped(field);
        // A path of the user's may begin at the post or at what is around it.
        let around = [at.post, at.envelope, at.root];
        let mapped_values =
            mapped.and_then(|path| Some((path, around.into_iter().find_map(|o| find_mapped(o, path))?)));
        let known = mapped.is_none().then(|| {
            let names = self.columns.names(field);
            let paths = preset_paths(self.layout, field).iter().chain(first_paths(field)).copied();
            paths.chain(names).chain(last_paths(field).iter().copied())
        });
        let known = known.into_iter().flatten().filter_map(move |path| Some((path, find(at.post, path)?)));
        mapped_values.into_iter().chain(known)
    }

    fn text<'a>(
        &self,
        at: &PostIn<'a>,
        found: Option<Cow<'a, str>>,
        includes: &Includes<'a>,
    ) -> Result<Option<Cow<'a, str>>, RowError> {
        let value = match &self.columns.text {
            Some(_) => self.values(Field::Text, at).next().map(|(_, value)| value),
            None => {
                if let Some(whole) = includes.retweet(at.post) {
                    return Ok(Some(Cow::Owned(whole)));
                }
                let preset = preset_paths(self.layout, Field::Text).iter();
                if let Some(text) = preset.filter_map(|path| find(at.post, path)).find_map(text::text_value) {
                    return Ok(Some(text));
                }
                if found.is_some() {
                    return Ok(found);
                }
                text::wrong_text(at.post)
            }
        };
        match value {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(Cow::Borrowed(text))),
            Some(other) => text::text_value(other).map(Some).ok_or_else(|| {
                let detail = format!("text is {}; expected a string", type_name(other));
                RowError::new(RejectReason::Json, detail)
            }),
        }
    }

    fn author<'a>(&self, at: &PostIn<'a>, includes: &Includes<'a>) -> Option<Cow<'a, str>> {
        let author = self.values(Field::Author, at).find_map(|(path, value)| match value {
            Value::String(id) if path == "author_id" => Some(Cow::Borrowed(includes.username(id).unwrap_or(id))),
            Value::Object(user) => handle_of(user).map(Cow::Borrowed).or_else(|| scalar(value)),
            other => scalar(other),
        });
        // Reddit: all who left share this name.
        author.filter(|author| author != "[deleted]")
    }
}

/// The handle in an object that describes a user.
fn handle_of(user: &Object) -> Option<&str> {
    let keys = ["username", "screen_name", "handle", "acct", "userName", "uniqueId", "login", "name", "displayName"];
    keys.iter().find_map(|key| find_str(user, key))
}

fn flag(value: &Value) -> Option<Cow<'static, str>> {
    value.as_bool().map(|flag| Cow::Borrowed(if flag { "true" } else { "false" }))
}

/// The identifier of a post in one of several chats.
fn in_chat<'a>(at: &PostIn<'a>, id: Cow<'a, str>) -> Cow<'a, str> {
    match at.chat.and_then(scalar) {
        Some(chat) => Cow::Owned(format!("{chat}/{id}")),
        None => id,
    }
}

/// An identifier that is not in the post itself: of a hit in Elasticsearch, an item of Zeeschuimer, a commit in Jetstream.
fn outer_id<'a>(at: &PostIn<'a>) -> Option<Cow<'a, str>> {
    let outer = ["_id", "item_id"].iter().find_map(|key| scalar(find(at.envelope, key)?));
    outer.or_else(|| post_uri(at.post).map(Cow::Owned))
}
