//! Gives stored posts another label, in their blocks and in the index of labels: what a person corrected.

use super::StoredPost;
use super::block;
use super::erase::ALWAYS;
use super::index::{Term, blocks_of_term, label_key};
use crate::classify::Label;
use crate::store::{Batch, Store, StoreError};
use crate::window::id_hash;

/// Gives the posts with identifier `id` the label `to`, with `batch`. Returns those that had another one, as they were.
pub(in crate::monitor) fn relabel(
    store: &Store,
    batch: &mut Batch,
    id: &str,
    to: Label,
) -> Result<Vec<StoredPost>, StoreError> {
    let reader = store.reader();
    let view = reader.view();
    let mut relabelled = Vec::new();
    for block_id in blocks_of_term(&view, Term::of_hash(id_hash(id)), ALWAYS)? {
        let block_id = block_id?;
        let Some(bytes) = view.get_raw(&block_id.key())? else { continue };
        let mut posts = block::decode(&bytes)?;
        let before = relabelled.len();
        for post in posts.iter_mut().filter(|post| post.id == id && post.label != to) {
            // It may have been the last one of its label: what still holds is put again below.
            post.topics.iter().for_each(|topic| batch.remove(&label_key(topic, post.label, block_id)));
            relabelled.push(post.clone());
            post.label = to;
        }
        let Some(block) = block::of_posts(&posts).filter(|_| relabelled.len() > before) else { continue };
        batch.put_raw(&block_id.key(), block.encode()?);
        for (topic, label, posts) in block.labels() {
            batch.put(&label_key(topic, label, block_id), &posts)?;
        }
    }
    Ok(relabelled)
}
