//! Takes posts out of the posts table and its indexes: on request, on a source's notice, and when they are too old. Blocks
//! are rewritten, or removed with all index records that point to them.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{BlockId, Posting, Postings, Term, blocks_of_term, key_of_term, label_key};
use super::{SLOT, StoredPost, block};
use crate::store::{Batch, Key, Store, StoreError, Table, View};
use crate::window::id_hash;

/// All of time, in Unix seconds.
pub(crate) const ALWAYS: (i64, i64) = (i64::MIN / 2, i64::MAX / 2);

/// The posts with one of `terms`, each once, and perhaps others.
pub(crate) fn posts_of_terms(
    view: &View<'_>,
    terms: impl IntoIterator<Item = Term>,
) -> Result<BTreeMap<BlockId, Vec<StoredPost>>, StoreError> {
    let mut blocks = BTreeMap::new();
    for term in terms {
        for id in blocks_of_term(view, term, ALWAYS)? {
            let id = id?;
            if !blocks.contains_key(&id)
                && let Some(bytes) = view.get_raw(&id.key())?
            {
                blocks.insert(id, block::decode(&bytes)?);
            }
        }
    }
    Ok(blocks)
}

/// The post `id`, where it is kept.
pub(crate) fn post_of_id(view: &View<'_>, id: &str) -> Result<Option<StoredPost>, StoreError> {
    let id = id.trim();
    for block in blocks_of_term(view, Term::of_hash(id_hash(id)), ALWAYS)? {
        if let Some(bytes) = view.get_raw(&block?.key())?
            && let Some(post) = block::decode(&bytes)?.into_iter().find(|post| post.id == id)
        {
            return Ok(Some(post));
        }
    }
    Ok(None)
}

/// Erases, with `batch`, the posts with one of `terms` that `erased` selects; returns them.
pub(in crate::monitor) fn erase(
    store: &Store,
    batch: &mut Batch,
    terms: impl IntoIterator<Item = Term>,
    erased: impl Fn(&StoredPost) -> bool,
) -> Result<Vec<StoredPost>, StoreError> {
    let reader = store.reader();
    let view = reader.view();
    let mut gone = Vec::new();
    // Terms of each record of postings that a block no longer has. Blocks share these records.
    let mut postings: BTreeMap<Key, BTreeSet<Posting>> = BTreeMap::new();
    for (id, posts) in posts_of_terms(&view, terms)? {
        let (out, rest): (Vec<StoredPost>, Vec<StoredPost>) = posts.into_iter().partition(|post| erased(post));
        if out.is_empty() {
            continue;
        }
        let kept: BTreeSet<Term> = rest.iter().flat_map(StoredPost::terms).collect();
        for term in out.iter().flat_map(StoredPost::terms).filter(|term| !kept.contains(term)) {
            postings.entry(key_of_term(term, id)).or_default().insert(Posting::new(term, id));
        }
        for post in &out {
            post.topics.iter().for_each(|topic| batch.remove(&label_key(topic, post.label, id)));
        }
        // The block keeps its key, though its newest post may be gone: later posts are read from it all the same.
        match block::of_posts(&rest) {
            Some(block) => {
                batch.put_raw(&id.key(), block.encode()?);
                for (topic, label, posts) in block.labels() {
                    batch.put(&label_key(topic, label, id), &posts)?;
                }
            }
            None => batch.remove(&id.key()),
        }
        gone.extend(out);
    }
    for (key, out) in postings {
        let Some(mut found) = view.get::<Vec<Posting>>(&key)? else { continue };
        found.retain(|posting| !out.contains(posting));
        if found.is_empty() {
            batch.remove(&key);
        } else {
            batch.put(&key, &found)?;
        }
    }
    Ok(gone)
}

/// Erases, with `batch`, the blocks of slots that end at or before `time` (Unix seconds), the oldest first, until about `most`
/// records are changed. Returns how many posts went, and how many records changed.
pub(in crate::monitor) fn expire(
    store: &Store,
    batch: &mut Batch,
    time: i64,
    most: usize,
) -> Result<(u64, usize), StoreError> {
    let reader = store.reader();
    let view = reader.view();
    let (mut posts, mut keys) = (0, BTreeSet::new());
    let oldest = Key::new(Table::Post).time(ALWAYS.0);
    for entry in view.range(&oldest, &Key::new(Table::Post).time(time - time.rem_euclid(SLOT)))? {
        if keys.len() >= most {
            break;
        }
        let (key, bytes) = entry?;
        let Some(id) = BlockId::of_key(&key) else { continue };
        for post in block::decode(&bytes)? {
            keys.extend(post.topics.iter().map(|topic| label_key(topic, post.label, id)));
            // The other blocks of these records lie in the same slot, and go with this call or the next.
            keys.extend(post.terms().into_iter().map(|term| key_of_term(term, id)));
            posts += 1;
        }
        keys.insert(key);
    }
    keys.iter().for_each(|key| batch.remove(key));
    Ok((posts, keys.len()))
}

/// Makes the indexes again from the posts, with `batch`.
pub(in crate::monitor) fn rebuild_index(store: &Store, batch: &mut Batch) -> Result<(), StoreError> {
    for table in [Table::PostLabel, Table::PostTerm] {
        for key in store.keys(&Key::new(table)) {
            batch.remove(&key?);
        }
    }
    let mut postings: BTreeMap<(i64, u64), Postings> = BTreeMap::new();
    let reader = store.reader();
    let view = reader.view();
    for entry in view.range(&Key::new(Table::Post).time(ALWAYS.0), &Key::new(Table::Post).time(ALWAYS.1))? {
        let (key, bytes) = entry?;
        let Some(id) = BlockId::of_key(&key) else { continue };
        let posts = block::decode(&bytes)?;
        let terms = posts.iter().flat_map(StoredPost::terms).map(|term| (term, id));
        postings.entry((id.slot(), id.commit())).or_default().extend(terms);
        if let Some(block) = block::of_posts(&posts) {
            for (topic, label, posts) in block.labels() {
                batch.put(&label_key(topic, label, id), &posts)?;
            }
        }
    }
    for ((slot, commit), postings) in postings {
        postings.put_all(batch, slot, commit)?;
    }
    Ok(())
}

/// What is wrong with an index of the posts table at this record of one of its tables, if anything is.
pub(in crate::monitor) fn index_problem(view: &View<'_>, table: Table, key: &Key, value: &[u8]) -> Option<String> {
    let id = BlockId::of_key(key)?;
    let exists = |key: &Key| view.get_raw(key).is_ok_and(|found| found.is_some());
    let no_block = || Some("it points to a block of posts that does not exist".to_owned());
    match table {
        Table::Post => {
            let posts = block::decode(value).ok()?;
            let block = block::of_posts(&posts)?;
            let counted = |(topic, label, posts): (&str, _, u32)| matches!(view.get::<u32>(&label_key(topic, label, id)), Ok(Some(found)) if found == posts);
            let found = |term: Term| {
                let postings = view.get::<Vec<Posting>>(&key_of_term(term, id)).ok().flatten().unwrap_or_default();
                postings.contains(&Posting::new(term, id))
            };
            let complete = block.labels().all(counted) && posts.iter().flat_map(StoredPost::terms).all(found);
            (!complete).then(|| "its posts are missing in an index".to_owned())
        }
        Table::PostLabel if !exists(&id.key()) => no_block(),
        Table::PostTerm => {
            let postings: Vec<Posting> = postcard::from_bytes(value).ok()?;
            let (slot, commit) = (id.newest, id.number);
            if postings.iter().all(|posting| exists(&posting.block(slot, commit).key())) { None } else { no_block() }
        }
        _ => None,
    }
}
