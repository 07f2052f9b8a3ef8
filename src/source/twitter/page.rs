//! [`Page`]: one answer with posts, read so that an unreadable post costs itself alone.

use serde_json::Value;

use super::error::{ApiError, Problem};
use super::model::{authors, edit_notices, number, read_post};
use crate::post::{Notice, Post, Unusable};

/// What a page of search or of a timeline holds.
#[derive(Debug, Default)]
pub struct Page {
    pub posts: Vec<Post>,
    pub unusable: Vec<Unusable>,
    /// Edits that the posts tell of.
    pub notices: Vec<Notice>,
    /// The largest identifier of its posts.
    pub newest: Option<u64>,
    /// The smallest.
    pub oldest: Option<u64>,
    pub next_token: Option<String>,
    /// What X could not give beside what it gave.
    pub errors: usize,
    /// Posts that came along because others refer to them.
    pub along: usize,
}

impl Page {
    /// Reads an answer.
    ///
    /// # Errors
    /// When it is no page at all.
    pub fn read(answer: &Value) -> Result<Self, ApiError> {
        let Value::Object(object) = answer else {
            return Err(ApiError::Malformed("it is no object, wanted a page with data and meta".into()));
        };
        let errors = object.get("errors").and_then(Value::as_array).map_or(0, Vec::len);
        let meta = object.get("meta").filter(|meta| meta.is_object());
        let data: &[Value] = match object.get("data") {
            Some(Value::Array(posts)) => posts,
            None | Some(Value::Null) if meta.is_some() => &[],
            None | Some(Value::Null) if errors > 0 => {
                return Err(ApiError::Invalid { status: 200, problem: Problem::read(answer, None) });
            }
            None | Some(Value::Null) => {
                return Err(ApiError::Malformed("it has neither data nor meta".into()));
            }
            Some(_) => return Err(ApiError::Malformed("data is no array".into())),
        };
        let along = ["tweets", "posts"].iter().find_map(|key| object.get("includes")?.get(*key)?.as_array());
        let told = |key| meta.and_then(|meta| meta.get(key)).and_then(Value::as_str);
        let mut page = Self {
            next_token: told("next_token").filter(|token| !token.is_empty()).map(str::to_owned),
            errors,
            along: along.map_or(0, Vec::len),
            ..Self::default()
        };
        let authors = authors(answer);
        for value in data {
            match read_post(value, &authors) {
                Ok(post) => page.take(post),
                Err(unusable) => page.unusable.push(unusable),
            }
        }
        // What `meta` says is for pages whose posts do not tell: by it alone a cursor could pass posts by.
        if page.newest.is_none() && !page.is_empty() {
            page.newest = told("newest_id").and_then(number);
            page.oldest = told("oldest_id").and_then(number).filter(|oldest| Some(*oldest) <= page.newest);
        }
        Ok(page)
    }

    /// Posts that are paid for: also those that came along, as X may ask for them.
    pub fn paid(&self) -> u64 {
        (self.len() + self.along) as u64
    }

    /// Posts that were found.
    pub fn len(&self) -> usize {
        self.posts.len() + self.unusable.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn take(&mut self, post: Post) {
        let id = number(&post.id);
        self.newest = self.newest.max(id);
        self.oldest = self.oldest.into_iter().chain(id).min();
        self.notices.extend(edit_notices(&post));
        self.posts.push(post);
    }
}

#[cfg(test)]
mod tests;
