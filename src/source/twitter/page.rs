//! [`ResponsePage`]: one response with posts. An unreadable post is rejected; the others are kept.

use serde_json::Value;

use super::error::{ApiError, Problem};
use super::model::{authors, edit_events, parse_id, read_post};
use crate::post::{ComplianceEvent, Post, RejectedRecord};

/// A page of search or of a timeline.
#[derive(Debug, Default)]
pub struct ResponsePage {
    pub posts: Vec<Post>,
    pub rejected: Vec<RejectedRecord>,
    /// Edits that the posts announce.
    pub compliance: Vec<ComplianceEvent>,
    /// The largest ID of the posts.
    pub newest: Option<u64>,
    /// The smallest ID of the posts.
    pub oldest: Option<u64>,
    pub next_token: Option<String>,
    /// Errors that X reported along with the posts.
    pub errors: usize,
    /// Posts that are included because others refer to them.
    pub included: usize,
}

impl ResponsePage {
    /// Parses a response.
    ///
    /// # Errors
    /// When the response is not a page.
    pub fn read(response: &Value) -> Result<Self, ApiError> {
        let Value::Object(object) = response else {
            return Err(ApiError::Malformed("expected an object with data and meta".into()));
        };
        let errors = object.get("errors").and_then(Value::as_array).map_or(0, Vec::len);
        let meta = object.get("meta").filter(|meta| meta.is_object());
        let data: &[Value] = match object.get("data") {
            Some(Value::Array(posts)) => posts,
            None | Some(Value::Null) if meta.is_some() => &[],
            None | Some(Value::Null) if errors > 0 => {
                return Err(ApiError::Invalid { status: 200, problem: Problem::read(response, None) });
            }
            None | Some(Value::Null) => {
                return Err(ApiError::Malformed("expected data or meta".into()));
            }
            Some(_) => return Err(ApiError::Malformed("data is not an array".into())),
        };
        let included = ["tweets", "posts"].iter().find_map(|key| object.get("includes")?.get(*key)?.as_array());
        let meta_text = |key| meta.and_then(|meta| meta.get(key)).and_then(Value::as_str);
        let mut page = Self {
            next_token: meta_text("next_token").filter(|token| !token.is_empty()).map(str::to_owned),
            errors,
            included: included.map_or(0, Vec::len),
            ..Self::default()
        };
        let authors = authors(response);
        for value in data {
            match read_post(value, &authors) {
                Ok(post) => page.add_post(post),
                Err(rejected) => page.rejected.push(rejected),
            }
        }
        // `meta` is used only when no post is readable: with it alone, a cursor could skip posts.
        if page.newest.is_none() && !page.is_empty() {
            page.newest = meta_text("newest_id").and_then(parse_id);
            page.oldest = meta_text("oldest_id").and_then(parse_id).filter(|oldest| Some(*oldest) <= page.newest);
        }
        Ok(page)
    }

    /// Posts that are charged; included ones count, as X may charge for them.
    pub fn billed(&self) -> u64 {
        (self.len() + self.included) as u64
    }

    /// Posts that were found, readable or not.
    pub fn len(&self) -> usize {
        self.posts.len() + self.rejected.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn add_post(&mut self, post: Post) {
        let id = parse_id(&post.id);
        self.newest = self.newest.max(id);
        self.oldest = self.oldest.into_iter().chain(id).min();
        self.compliance.extend(edit_events(&post));
        self.posts.push(post);
    }
}

#[cfg(test)]
mod tests;
