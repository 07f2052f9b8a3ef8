//! [`PackedPost`]: a post as it lies in its block. Most readers compare or count posts, and need no copy of their parts: on a page
//! of counts, copying takes as long as everything else.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{Header, Id, Packed, SHARES, Url, damaged};
use crate::classify::Label;
use crate::monitor::{CascadeId, Counting, StoredPost};
use crate::store::StoreError;
use crate::window::id_hash;

/// A post by reference to the bytes of its block.
pub(crate) struct PackedPost<'a> {
    header: &'a Header,
    packed: Packed<'a>,
    created_at: Timestamp,
}

impl<'a> PackedPost<'a> {
    /// # Errors
    /// When a name is missing in the header, or the time is none.
    pub(super) fn new(header: &'a Header, packed: Packed<'a>) -> Result<Self, StoreError> {
        let before = match packed.url {
            Some(Url::BeforeId(before)) => Some(before),
            _ => None,
        };
        let single = [Some(packed.source), Some(packed.model), packed.lang, packed.reason, before];
        let mut places = single.into_iter().flatten().chain(packed.topics.iter().copied());
        if places.any(|place| place as usize >= header.names.len()) {
            return Err(damaged(&"a name is missing"));
        }
        let millis = header.slot.checked_mul(1_000).and_then(|start| start.checked_add(packed.after.into()));
        let time = millis.ok_or_else(|| damaged(&"a time is out of range"))?;
        let created_at = Timestamp::from_millisecond(time).map_err(|error| damaged(&error))?;
        Ok(Self { header, packed, created_at })
    }

    pub(crate) fn id(&self) -> Cow<'a, str> {
        self.packed.id.text()
    }

    pub(crate) fn created_at(&self) -> Timestamp {
        self.created_at
    }

    pub(crate) fn source(&self) -> &'a str {
        self.header.name(self.packed.source)
    }

    pub(crate) fn author(&self) -> Option<&'a str> {
        self.packed.author
    }

    pub(crate) fn author_id(&self) -> Option<Cow<'a, str>> {
        self.packed.author_id.as_ref().map(Id::text)
    }

    pub(crate) fn text(&self) -> &'a str {
        self.packed.text
    }

    pub(crate) fn lang(&self) -> Option<&'a str> {
        self.packed.lang.map(|place| self.header.name(place))
    }

    pub(crate) fn topics(&self) -> impl Iterator<Item = &'a str> {
        self.packed.topics.iter().map(|place| self.header.name(*place))
    }

    pub(crate) fn label(&self) -> Label {
        self.packed.label
    }

    /// In the order of [`Label::ALL`].
    pub(crate) fn probabilities(&self) -> [f32; 3] {
        let (negative, neutral) = (f32::from(self.packed.negative) / SHARES, f32::from(self.packed.neutral) / SHARES);
        [negative, neutral, (1.0 - negative - neutral).max(0.0)]
    }

    /// Whether a person gave it another label than the model.
    pub(crate) fn is_corrected(&self) -> bool {
        self.label() != Label::most_likely(self.probabilities())
    }

    pub(crate) fn reason(&self) -> Option<&'a str> {
        self.packed.reason.map(|place| self.header.name(place))
    }

    pub(crate) fn counting(&self) -> Counting {
        self.packed.counting
    }

    pub(crate) fn cascade(&self) -> CascadeId {
        CascadeId(self.packed.cascade.unwrap_or_else(|| id_hash(&self.id())))
    }

    /// Followers of the author, and reactions.
    pub(crate) fn reach(&self) -> u64 {
        let sum =
            |metrics: crate::post::PublicMetrics| metrics.reposts + metrics.replies + metrics.likes + metrics.quotes;
        self.packed.followers.unwrap_or(0).saturating_add(self.packed.metrics.map_or(0, sum))
    }

    /// A copy that outlives the block.
    pub(crate) fn to_post(&self) -> StoredPost {
        let Self { packed, .. } = self;
        let id = self.id().into_owned();
        let url = match packed.url {
            Some(Url::BeforeId(before)) => Some(self.header.name(before).to_owned() + &id),
            Some(Url::Whole(url)) => Some(url.to_owned()),
            None => None,
        };
        StoredPost {
            source: self.source().to_owned(),
            created_at: self.created_at,
            stated_at: packed.stated.and_then(|time| Timestamp::from_millisecond(time).ok()),
            author: packed.author.map(str::to_owned),
            author_id: self.author_id().map(Cow::into_owned),
            url,
            text: packed.text.to_owned(),
            lang: self.lang().map(str::to_owned),
            topics: self.topics().map(str::to_owned).collect(),
            label: packed.label,
            probabilities: self.probabilities(),
            reason: self.reason().map(str::to_owned),
            model: self.header.name(packed.model).to_owned(),
            counting: packed.counting,
            cascade: self.cascade(),
            followers: packed.followers,
            metrics: packed.metrics,
            id,
        }
    }
}
