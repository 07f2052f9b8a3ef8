//! Where one post ends and the next begins.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::dump::tests::fuzz::Steps;
use crate::dump::text_repair::repair_text;

#[test]
fn arrays_are_read_post_by_post_in_any_layout() {
    let posts = [r#"{"text":"a"}"#, r#"{"text":"b","x":[{"y":"}]"}]}"#, r#"{"text":"c"}"#];
    for (text, lines) in [
        (format!("[\n{}\n]\n", posts.join(",\n")), [2, 3, 4]),
        (format!("[{}]", posts.join(",\n")), [1, 2, 3]),
        (format!("[{},\n]", posts.join(",\n")), [1, 2, 3]),
        (format!("\n[\n  {}\n]", posts.join("\n  ,\n  ")), [3, 5, 7]),
        (posts.concat(), [1, 1, 1]),
        (posts.join(" "), [1, 1, 1]),
        (posts.join("\n"), [1, 2, 3]),
        (posts.join("\r\n\r\n"), [1, 3, 5]),
        (posts.map(|post| format!("\u{1e}{post}\n")).concat(), [1, 2, 3]),
        (posts.join("\n\u{feff}"), [1, 2, 3]),
        (posts.join("\n\0"), [1, 2, 3]),
        (format!("window.YTD.tweets.part0 = [\n{}\n]", posts.join(",\n")), [2, 3, 4]),
        (format!("window.YTD.tweets.part0 =\n[{}]", posts.join(",\n")), [2, 3, 4]),
        (format!("var posts = [{}];", posts.join(",\n")), [1, 2, 3]),
        (format!(")]}}'\n[{}]", posts.join(",\n")), [2, 3, 4]),
        (format!("callback([{}]);", posts.join(",\n")), [1, 2, 3]),
        (format!("{{\"posts\": [\n{}\n], \"cursor\": \"x\"}}", posts.join(",\n")), [2, 3, 4]),
        (format!("{{\"data\": {{\"posts\": [\n{}\n]\n,\"n\": [1]}}}}\n", posts.join(",\n")), [2, 3, 4]),
        (format!("[[{}],\n[{}]]", posts[..2].join(",\n"), posts[2]), [1, 2, 3]),
    ] {
        let (rows, _) = read(&text);
        assert_eq!(texts(&rows), ["a", "b", "c"], "{text}");
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), lines, "{text}");
    }
}

#[test]
fn what_a_page_says_of_its_posts_is_not_a_post() {
    let users = "\"users\":[\n{\"id\":\"7\",\"username\":\"ann\",\"description\":\"I fly\"}\n]";
    let page =
        format!("{{\"data\":[\n{{\"id\":\"1\",\"text\":\"a\"}}\n],\"includes\":{{{users}}}}}\n{{\"text\":\"next\"}}\n");
    assert_eq!(texts(&read(&page).0), ["a", "next"]);
    for page in [
        r#"{"title":"Posts about Air Paradis","posts":[{"text":"a"},{"text":"b"}]}"#,
        r#"{"description":"export","results":[{"text":"a"},{"text":"b"}]}"#,
        r#"{"content":[{"id":1,"text":"a"},{"id":2,"text":"b"}],"totalElements":2}"#,
    ] {
        assert_eq!(texts(&read(page).0), ["a", "b"], "{page}");
    }
    // Alone, a title is what there is to read.
    assert_eq!(texts(&read(r#"{"id":1,"title":"late again"}"#).0), ["late again"]);
}

#[test]
fn an_object_whose_braces_begin_lines_is_read() {
    let (rows, _) = read("[\n{\n\"text\": \"a\",\n\"urls\": [\n{\n\"u\": 1\n}\n]\n},\n{\n\"text\": \"b\"\n}\n]\n");
    assert_eq!(texts(&rows), ["a", "b"]);
}

#[test]
fn a_line_end_within_a_text_is_kept() {
    let (rows, notes) = read("{\"text\":\"late\nagain\"}\n{\"text\":\"b\"}\n");
    assert_eq!(texts(&rows), ["late\nagain", "b"]);
    assert_eq!(rows[1].line, 3);
    assert!(notes[0].starts_with("1 row has raw control characters"), "{notes:?}");
}

#[test]
fn a_page_too_long_to_hold_is_read_post_by_post() {
    let long = "x".repeat(1 << 20);
    let posts =
        |from: usize| (from..from + 18).map(|id| json!({"id": id, "text": long}).to_string()).collect::<Vec<_>>();
    for (before, separator, after) in [
        ("{\"meta\":{\"a\":[{}]},\"posts\":[", ",", "],\"users\":[{\"text\":\"no post\"}]}\n{\"text\":\"next\"}"),
        (
            "{\n  \"chat\": {\n \"messages\": [\n  ",
            ",\n  ",
            "\n  ]\n},\n\"x\": {\"text\": \"no\"}}\n{\"text\":\"next\"}",
        ),
    ] {
        let (rows, notes) = read(&format!("{before}{}{after}", posts(0).join(separator)));
        assert_eq!(rows.len(), 19);
        assert_eq!(rows[17].id.as_deref(), Some("17"));
        assert_eq!(rows[18].text, "next");
        assert!(notes[0].starts_with("a page is longer than 8 MiB"), "{notes:?}");
    }
    let nested = format!(
        r#"{{"chats":{{"list":[{{"name":"a","messages":[{}]}},{{"name":"b","messages":[{}]}}]}}}}"#,
        posts(0).join(","),
        posts(18).join(",")
    );
    let (rows, _) = read(&nested);
    let ids: Vec<_> = rows.iter().filter_map(|row| row.id.clone()).collect();
    assert_eq!(ids, (0..36).map(|id| id.to_string()).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn posts_are_read_back_from_each_layout(
        posts in prop::collection::vec(("[^\u{0}<]{1,12}", "[ -~\n\"\\\\é]{0,8}"), 1..6),
        layout in 0usize..9,
        step in 1usize..60,
    ) {
        let values: Vec<_> =
            posts.iter().map(|(text, more)| json!({"text": format!("t{text}"), "more": {"a": [{"b": more}]}})).collect();
        let compact: Vec<String> = values.iter().map(ToString::to_string).collect();
        let text = match layout {
            0 => compact.join("\n"),
            1 => compact.concat(),
            2 => format!("[{}]", compact.join(",")),
            3 => format!("[\n{}\n]\n", compact.join(",\n")),
            4 => serde_json::to_string_pretty(&values).unwrap(),
            5 => values.iter().map(|value| serde_json::to_string_pretty(value).unwrap()).collect::<Vec<_>>().join("\n"),
            6 => format!("window.YTD.tweets.part0 = [ {} ]", compact.join(", ")),
            7 => json!({"items": values, "next": null}).to_string(),
            _ => format!("{{\"meta\":{{}},\"items\":[\n{}\n]}}", compact.join(",\n")),
        };
        let steps = Box::new(Steps(text.clone().into_bytes(), 0, step));
        let mut reader = Reader::from_bytes("t".into(), steps, None, &ReadOptions::default(), NOTHING).unwrap();
        let (rows, rejects) = drain(&mut reader);
        prop_assert!(rejects.is_empty(), "{:?}", rejects);
        // Some random texts look as if they were decoded twice.
        let repaired = |text: &str| repair_text(format!("t{text}").into(), |_| ()).into_owned();
        let written: Vec<String> = posts.iter().map(|(text, _)| repaired(text)).collect();
        prop_assert_eq!(texts(&rows), written);
    }

    #[test]
    fn any_bytes_of_json_are_read_to_an_end(
        text in "(\\{\"text\":\"a\"\\}|\\{\"data\":\\[|\\{\"posts\":\\[|\\]\\}|,|\n|\\[|\\]|\\{|\\}|\"|\\\\|NaN|x = |\u{0}|\u{1e}|\"id\":1|:|é){0,30}",
        step in 1usize..30,
    ) {
        let options = ReadOptions { layout: Layout::Json, ..ReadOptions::default() };
        let steps = Box::new(Steps(text.into_bytes(), 0, step));
        if let Ok(mut reader) = Reader::from_bytes("t".into(), steps, None, &options, NOTHING) {
            let mut line = 0;
            while let Some(read) = reader.next_row().unwrap() {
                let at = read.map_or_else(|reject| reject.line, |row| row.line);
                prop_assert!(at >= line, "lines only grow");
                line = at;
            }
        }
    }
}
