//! Cascades against a model that compares each post with every post before it, and across restarts.

use proptest::prelude::*;

use super::*;
use crate::post::{Details, Reference};

const HORIZON: i64 = 86_400;
const TEXTS: [&str; 4] = [
    "after four hours on the tarmac the crew told us nothing and then the flight was cancelled",
    "lost my luggage again and nobody at the desk could tell me where it went or when it comes back",
    "never flying with this airline again the worst service that I have ever had to pay for",
    "thank you",
];

fn post(id: &str, text: &str, reference: Option<(ReferenceKind, &str)>) -> Post {
    let references = reference.map(|(kind, id)| Reference { kind, id: id.into() }).into_iter().collect();
    let details = Details { references, ..Details::default() };
    Post { id: id.into(), text: text.into(), details, ..Post::default() }
}

fn cascades() -> Cascades {
    Cascades::new(HORIZON)
}

fn cascades_of(store: &Store) -> Result<Cascades, StoreError> {
    cascades().load(store, "t")
}

fn restarted(store: &Store, cascades: &mut Cascades) -> Cascades {
    let mut batch = Batch::default();
    cascades.save(&mut batch, "t").unwrap();
    store.commit(batch).unwrap();
    cascades_of(store).unwrap()
}

#[test]
fn retweets_quotes_and_copies_repeat_and_answers_do_not() {
    let mut cascades = cascades();
    let mut repeats = |id: &str, text: &str, reference| cascades.place(0, &post(id, text, reference), true).repeats;
    assert!(!repeats("1", TEXTS[0], None));
    assert!(repeats("2", "RT @a: cut", Some((ReferenceKind::Reposted, "1"))));
    assert!(repeats("3", "look at this", Some((ReferenceKind::Quoted, "1"))));
    assert!(repeats("4", "RT @b: look at this", Some((ReferenceKind::Reposted, "3"))), "a retweet of the quote");
    assert!(repeats("5", &format!("{} wow", TEXTS[0]), None));
    assert!(!repeats("6", "so sorry", Some((ReferenceKind::RepliedTo, "1"))));
    assert!(!repeats("7", "thank you", None) && !repeats("8", "thank you", None));
    assert!(!repeats("9", "RT @c: what came before", Some((ReferenceKind::Reposted, "10"))), "its root never came");
    assert!(repeats("11", "RT @c: what came before", Some((ReferenceKind::Reposted, "10"))));
    assert!(repeats("10", "what came before", None), "it comes late: its retweet has voted");
}

#[test]
fn a_cascade_is_known_for_as_long_as_it_goes_on_and_the_horizon_more() {
    let mut cascades = cascades();
    for (hour, repeated) in [(0, false), (20, true), (40, true), (63, true), (90, false)] {
        let copy = post(&hour.to_string(), TEXTS[1], None);
        assert_eq!(cascades.place(hour * 3_600, &copy, true).repeats, repeated, "hour {hour}");
    }
    assert_eq!(cascades.known.len(), 1);
}

#[test]
fn a_horizon_of_nothing_lets_every_post_vote() {
    let mut cascades = Cascades::default();
    assert!(
        !cascades.place(0, &post("1", TEXTS[0], None), true).repeats
            && !cascades.place(0, &post("2", TEXTS[0], None), true).repeats
    );
}

#[test]
fn what_is_known_is_bounded_in_memory_and_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut cascades = cascades();
    for id in 0..MAX_POSTS * 2 {
        cascades.place(0, &post(&id.to_string(), "short", None), true);
        if id % 1_000 == 0 {
            let mut batch = Batch::default();
            cascades.save(&mut batch, "t").unwrap();
            store.commit(batch).unwrap();
        }
    }
    assert_eq!((cascades.known.len(), cascades.places.len()), (MAX_POSTS, MAX_POSTS));
    let loaded = restarted(&store, &mut cascades);
    assert_eq!(loaded.known, cascades.known);
    assert_eq!(loaded.places, cascades.places);
    assert!(cascades.records.len() <= MAX_POSTS / 1_000 + 2);
    assert_eq!(store.keys(&Key::new(Table::Cascade)).count(), cascades.records.len());
    assert!(cascades.places.contains_key(&id_hash(&(MAX_POSTS * 2 - 1).to_string())));
    assert!(!cascades.places.contains_key(&id_hash("0")));
}

#[test]
fn a_forgotten_post_is_in_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut cascades = cascades();
    cascades.place(0, &post("1", TEXTS[0], None), true);
    cascades.place(0, &post("2", TEXTS[1], None), true);
    let mut cascades = restarted(&store, &mut cascades);
    // Heard of again, it stands in two records.
    assert!(cascades.place(7_200, &post("3", TEXTS[0], None), true).repeats);
    let mut cascades = restarted(&store, &mut cascades);
    let mut batch = Batch::default();
    cascades.forget(&[id_hash("1")]);
    forget_stored(&store, &mut batch, &[id_hash("1")]).unwrap();
    store.commit(batch).unwrap();
    let stored = store.scan::<Vec<(u64, KnownPost)>>(&Key::new(Table::Cascade)).flat_map(|entry| entry.unwrap().1);
    assert!(stored.into_iter().all(|(_, known)| known.id != id_hash("1")));
    for mut cascades in [cascades, cascades_of(&store).unwrap()] {
        assert!(!cascades.place(7_200, &post("4", TEXTS[0], None), true).repeats, "nothing of it is left to repeat");
        assert!(cascades.place(7_200, &post("5", TEXTS[1], None), true).repeats);
    }
}

/// A copy of a retweet of a quote belongs to the cascade of the first post, before and after a restart.
#[test]
fn every_post_of_a_cascade_names_its_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut cascades = cascades();
    let root = |cascades: &mut Cascades, id: &str, text: &str, reference| {
        cascades.place(0, &post(id, text, reference), true).root
    };
    let first = id_hash("1");
    assert_eq!(root(&mut cascades, "2", "look at this", Some((ReferenceKind::Quoted, "1"))), first, "before it came");
    assert_eq!(root(&mut cascades, "1", TEXTS[0], None), first);
    assert_eq!(root(&mut cascades, "3", "RT @b: look at this", Some((ReferenceKind::Reposted, "2"))), first);
    let mut cascades = restarted(&store, &mut cascades);
    assert_eq!(root(&mut cascades, "4", "RT @c: RT @b", Some((ReferenceKind::Reposted, "3"))), first);
    assert_eq!(root(&mut cascades, "5", "so sorry", Some((ReferenceKind::RepliedTo, "1"))), id_hash("5"));
    assert_eq!(root(&mut cascades, "6", TEXTS[1], None), id_hash("6"));
    assert_eq!(root(&mut cascades, "7", TEXTS[1], None), id_hash("6"), "a copy");
}

/// The same said over a list of all posts.
#[derive(Default)]
struct Model(Vec<KnownPost>);

impl Model {
    fn repeats(&mut self, now: i64, post: &Post) -> bool {
        let slot = now - now.rem_euclid(SLOT);
        self.0.retain(|known| known.last_seen + SLOT > now - HORIZON);
        let roots: Vec<u64> = post.details.references.iter().map(|one| id_hash(&one.id)).collect();
        let id = id_hash(&post.id);
        let sketch = Sketch::of(&post.text);
        let by_id = self.0.iter_mut().find(|known| known.id == id || roots.contains(&known.id));
        let repeated = match by_id {
            Some(known) => {
                known.last_seen = slot;
                true
            }
            None => {
                let same =
                    |known: &&mut KnownPost| matches!((&known.sketch, &sketch), (Some(a), Some(b)) if a.is_similar(b));
                self.0.iter_mut().rev().find(same).map(|known| known.last_seen = slot).is_some()
            }
        };
        for id in roots.into_iter().chain([id]) {
            match self.0.iter_mut().find(|known| known.id == id) {
                Some(known) => known.last_seen = slot,
                None => {
                    let own = id == id_hash(&post.id);
                    let sketch = sketch.clone().filter(|_| own && !repeated);
                    self.0.push(KnownPost { id, last_seen: slot, sketch, root: None });
                }
            }
        }
        repeated
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// One of the texts, with words put before and behind it.
    Say(usize, u8, u8),
    Refer(ReferenceKind, u8),
    Wait(i64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..TEXTS.len(), 0_u8..3, 0_u8..3).prop_map(|(text, before, behind)| Step::Say(text, before, behind)),
        3 => (prop_oneof![Just(ReferenceKind::Reposted), Just(ReferenceKind::Quoted)], 0_u8..60)
            .prop_map(|(kind, id)| Step::Refer(kind, id)),
        2 => (0_i64..40_000).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_sequence_agrees_with_a_model_that_looks_at_every_post(steps in proptest::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let (mut cascades, mut model, mut now) = (cascades(), Model::default(), 0);
        for (id, step) in steps.into_iter().enumerate() {
            let id = id.to_string();
            let post = match step {
                Step::Say(text, before, behind) => {
                    let (before, behind) = ("so ".repeat(before.into()), " wow".repeat(behind.into()));
                    post(&id, &format!("{before}{}{behind}", TEXTS[text]), None)
                }
                Step::Refer(kind, to) => post(&id, "look", Some((kind, &to.to_string()))),
                Step::Wait(seconds) => {
                    now += seconds;
                    continue;
                }
                Step::Restart => {
                    cascades = restarted(&store, &mut cascades);
                    continue;
                }
            };
            prop_assert_eq!(cascades.place(now, &post, true).repeats, model.repeats(now, &post), "{} at {}", id, now);
        }
        let loaded = restarted(&store, &mut cascades);
        let live = |cascades: &Cascades| -> Vec<KnownPost> {
            cascades.known.values().filter(|known| known.last_seen + SLOT > now - HORIZON).cloned().collect()
        };
        prop_assert_eq!(live(&loaded), live(&cascades));
    }
}
