//! A store that an earlier vigie wrote: the records are those that it wrote, byte by byte.

use jiff::Timestamp;

use super::super::posts::{Counting, StoredPost, block};
use super::report::Totals;
use crate::rule::Baseline;
use crate::store::{Batch, Key, SCHEMA, Store, Table};
use crate::window::Counts;

/// A block of three posts in layout 1: with and without an author, an address, metrics.
const POSTS_1: &str = "\
    c0e880b00d0003080b41697220506172616469731b68747470733a2f2f782e636f6d2f692f7765622f7374617475732f0464756d701064 \
    656661756c742d343037343639623902656e0c6c6f73745f6c756767616765026672056f7468657200818086d08afdf7de1b0002030100 \
    01040103616e6e01002a01000100f2e6038f100105000001b00901030109000178344041697250617261646973206d7920626167206973 \
    206c6f737420616761696e2c20616e64206e6f626f647920616e737765727300828086d08afdf7de1b8ac1050203010001060103626f62 \
    010104622d343301011568747470733a2f2f6578616d706c652e6f72672f61029a18cb0e00010198ccd5ddc2dc9bc2280000274d657263 \
    692040416972506172616469732c20c3a97175697061676520666f726d696461626c6501076f64642d303037c0a9070203010700010463 \
    6c656f000000ace603f411000000000014766f6c20616e6e756cc3a92c20686f6e74657578";
const TOTALS_1: &str = "03020001000000000000000001a8eb80b00d0200";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn a_store_of_layout_1_is_upgraded() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_as_is(dir.path()).unwrap();
    let block_key = Key::new(Table::Post).time(1_795_168_920).number(0);
    let mut batch = Batch::default();
    batch.put(&Key::new(Table::Meta).text("schema"), &1_u32).unwrap();
    batch.put_raw(&block_key, bytes(POSTS_1));
    batch.put_raw(&Key::new(Table::Totals), bytes(TOTALS_1));
    store.commit(batch).unwrap();
    drop(store);

    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.schema().unwrap(), Some(SCHEMA));
    let totals: Totals = store.get(&Key::new(Table::Totals)).unwrap().unwrap();
    assert_eq!((totals.posts, totals.labels.negative, totals.labels.positive, totals.future), (3, 2, 1, 0));
    assert_eq!(totals.edge, Some(1_795_168_980));
    let block = store.records().map(Result::unwrap).find(|(key, _)| *key == block_key).unwrap();
    let posts = block::decode(&block.1).unwrap();
    let ids: Vec<&str> = posts.iter().map(|post| post.id.as_str()).collect();
    assert_eq!(ids, ["1999000000000000001", "1999000000000000002", "odd-007"]);
    assert!(posts.iter().all(|post| post.stated_at.is_none()));
    let StoredPost { created_at, author_id, url, followers, metrics, text, .. } = &posts[0];
    assert_eq!(*created_at, "2026-11-20T10:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!((author_id.as_deref(), followers, metrics.unwrap().views), (Some("42"), &Some(1_200), Some(120)));
    assert!(url.as_ref().is_some_and(|url| url.ends_with("/1999000000000000001")) && text.contains("my bag is lost"));
    let StoredPost { author_id, url, counting, lang, .. } = &posts[1];
    assert_eq!((author_id.as_deref(), url.as_deref()), (Some("b-43"), Some("https://example.org/a")));
    assert_eq!((counting, lang.as_deref()), (&Counting::Copied, Some("fr")));
    assert_eq!((posts[2].cascade.0 > 0, posts[2].text.as_str()), (true, "vol annulé, honteux"));
}

/// In layout 2, counts were five numbers, and a baseline ended with the hours to be skipped.
#[test]
fn counts_and_baselines_of_layout_2_are_upgraded() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_as_is(dir.path()).unwrap();
    let (hour, counts) = (1_795_168_800_i64, [3_u64, 2, 1, 4, 900]);
    let cell = |hours: f32| (hours, 10.0 * hours, 10.0 * hours, 6.0 * hours);
    let spreads = ((0.5_f32, 100.0_f32), (2.0_f32, 400.0_f32));
    let mut cells = vec![cell(0.0); 168];
    (cells[7], cells[8]) = (cell(20.0), cell(30.0));
    let baseline = ("m", None::<i64>, Some(hour), cells, spreads.0, spreads.1, vec![(hour, true)]);
    let mut batch = Batch::default();
    batch.put(&Key::new(Table::Meta).text("schema"), &2_u32).unwrap();
    batch.put(&Key::new(Table::Topic).text("t"), &(hour, Some(hour + 60))).unwrap();
    batch.put(&Key::new(Table::Bucket).text("t").time(hour), &vec![(hour, counts)]).unwrap();
    batch.put(&Key::new(Table::Late).text("t"), &counts).unwrap();
    batch.put(&Key::new(Table::History).text("t").time(hour), &(counts, Some(0.6))).unwrap();
    batch.put(&Key::new(Table::Baseline).text("t"), &baseline).unwrap();
    let totals = (10_u64, counts, [10_u64, 0, 0, 0, 0, 0, 0], Some(hour), 1_u64, 0_u64);
    batch.put(&Key::new(Table::Totals), &totals).unwrap();
    store.commit(batch).unwrap();
    drop(store);

    let store = Store::open(dir.path()).unwrap();
    let checked = super::check::check(&store).unwrap();
    assert_eq!((checked.problems.len(), checked.schema), (0, Some(SCHEMA)), "{:?}", checked.problems);
    let record = |key: &Key| store.get(key).unwrap().unwrap();
    let before = Counts { negative: 3, neutral: 2, positive: 1, copies: 4, reach: 900, ..Counts::default() };
    let late: Counts = record(&Key::new(Table::Late).text("t"));
    assert_eq!((late, late.votes(), late.negative_votes()), (before, 6.0, 3.0), "each post was a vote");
    let totals: Totals = store.get(&Key::new(Table::Totals)).unwrap().unwrap();
    assert_eq!((totals.labels, totals.edge), (before, Some(hour)));
    let mut baseline: Baseline = store.get(&Key::new(Table::Baseline).text("t")).unwrap().unwrap();
    baseline.prepare(hour);
    assert_eq!((baseline.learned_posts(), baseline.posts_per_vote()), (500, (1.0, 1.0)));
    assert_eq!(baseline.until(), Some(hour));
}
