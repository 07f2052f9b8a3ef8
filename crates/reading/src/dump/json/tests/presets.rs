//! One example of each tool.

use super::*;

/// 2021-05-04T20:18:04Z.
const AT: i64 = 1_620_159_484;

#[test]
fn each_tool_is_recognised_and_read() {
    for (layout, text, expected) in [
        (
            Layout::XV2,
            r#"{"data":{"id":"1","text":"late","author_id":"7","created_at":"2021-05-04T20:18:04.000Z"},"includes":{"users":[{"id":"7","username":"ann"}]}}"#,
            (Some("1"), Some("ann"), "late"),
        ),
        (
            Layout::XV1,
            r#"{"id":1,"id_str":"1","created_at":"Tue May 04 20:18:04 +0000 2021","text":"cut…","truncated":true,"extended_tweet":{"full_text":"whole"},"user":{"screen_name":"ann"}}"#,
            (Some("1"), Some("ann"), "whole"),
        ),
        (
            Layout::XV1,
            r#"{"id_str":"2","created_at":"Tue May 04 20:18:04 +0000 2021","full_text":"RT @bob: cut…","user":{"screen_name":"ann"},"retweeted_status":{"text":"cut…","extended_tweet":{"full_text":"whole: all"},"user":{"screen_name":"bob"}}}"#,
            (Some("2"), Some("ann"), "RT @bob: whole: all"),
        ),
        (
            Layout::XArchive,
            r#"window.YTD.tweets.part0 = [ {"tweet":{"id":"1","id_str":"1","full_text":"late","created_at":"Tue May 04 20:18:04 +0000 2021"}} ]"#,
            (Some("1"), None, "late"),
        ),
        (
            Layout::Twarc2,
            r#"{"data":[{"id":"1","text":"RT @bob: cut…","author_id":"7","created_at":"2021-05-04T20:18:04.000Z","referenced_tweets":[{"type":"retweeted","id":"0"}]}],"includes":{"users":[{"id":"7","username":"ann"}],"tweets":[{"id":"0","text":"whole","author_id":"9"}]},"__twarc":{"version":"2"}}"#,
            (Some("1"), Some("ann"), "RT @bob: whole"),
        ),
        (
            Layout::Snscrape,
            r#"{"_type":"snscrape.modules.twitter.Tweet","date":"2021-05-04T20:18:04+00:00","content":"late","id":1,"user":{"username":"ann"}}"#,
            (Some("1"), Some("ann"), "late"),
        ),
        (
            Layout::Snscrape,
            r#"{"date":"2021-05-04T20:18:04+00:00","rawContent":"late","renderedContent":"x","id":1,"user":{"username":"ann"}}"#,
            (Some("1"), Some("ann"), "late"),
        ),
        (
            Layout::Twint,
            r#"{"id":1,"conversation_id":"1","created_at":"2021-05-04 22:18:04 Paris, Madrid","date":"2021-05-04","time":"22:18:04","timezone":"+0200","username":"ann","name":"A","tweet":"late","language":"en"}"#,
            (Some("1"), Some("ann"), "late"),
        ),
        (
            Layout::Reddit,
            r#"{"author":"ann","body":"late","created_utc":"1620159484","id":"h1"}"#,
            (Some("h1"), Some("ann"), "late"),
        ),
        (
            Layout::Reddit,
            r#"{"author":"[deleted]","title":"Late","selftext":"again","created_utc":1620159484.0,"id":"n1"}"#,
            (Some("n1"), None, "Late\nagain"),
        ),
        (
            Layout::Mastodon,
            r#"[{"id":"1","created_at":"2021-05-04T20:18:04.123Z","spoiler_text":"rant","account":{"acct":"ann@e.org"},"content":"<p>late<br>again</p>"}]"#,
            (Some("1"), Some("ann@e.org"), "rant\nlate\nagain"),
        ),
        (
            Layout::Mastodon,
            r#"{"id":"2","created_at":"2021-05-04T20:18:04Z","account":{"acct":"ann"},"content":"","reblog":{"id":"9","content":"<p>bag lost</p>","account":{"acct":"c"}}}"#,
            (Some("2"), Some("ann"), "bag lost"),
        ),
        (
            Layout::Bluesky,
            r#"{"feed":[{"post":{"uri":"at://did:plc:x/app.bsky.feed.post/3k","cid":"b","author":{"did":"did:plc:x","handle":"ann.example"},"record":{"createdAt":"2021-05-04T20:18:04Z","langs":["fr"],"text":"late"}},"reason":{"by":{}}}]}"#,
            (Some("at://did:plc:x/app.bsky.feed.post/3k"), Some("ann.example"), "late"),
        ),
        (
            Layout::Bluesky,
            r#"{"did":"did:plc:x","time_us":1,"kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.post","rkey":"3k","record":{"createdAt":"2021-05-04T20:18:04Z","text":"late"}}}"#,
            (Some("at://did:plc:x/app.bsky.feed.post/3k"), Some("did:plc:x"), "late"),
        ),
        (
            Layout::Telegram,
            r#"{"name":"g","type":"public_supergroup","id":5,"messages":[{"id":1,"type":"message","date":"2021-05-04T22:18:04","date_unixtime":"1620159484","from":"Ann","from_id":"user1","text":["late ",{"type":"mention","text":"@AirParadis"},"!"]}]}"#,
            (Some("1"), Some("Ann"), "late @AirParadis!"),
        ),
        (
            Layout::Facebook,
            r#"[{"timestamp":1620159484,"data":[{"post":"D\u00c3\u00a9\u00c3\u00a7u"}],"title":"Ann updated her status."}]"#,
            (None, None, "Déçu"),
        ),
        (
            Layout::Facebook,
            r#"{"comments_v2":[{"timestamp":1620159484,"data":[{"comment":{"timestamp":1620159484,"comment":"late","author":"Ann"}}],"title":"t"}]}"#,
            (None, Some("Ann"), "late"),
        ),
        (
            Layout::Youtube,
            r#"{"kind":"youtube#commentThreadListResponse","items":[{"id":"U1","snippet":{"topLevelComment":{"id":"U1","snippet":{"textDisplay":"l<b>a</b>te","textOriginal":"late","authorDisplayName":"@ann","publishedAt":"2021-05-04T20:18:04Z"}}}}]}"#,
            (Some("U1"), Some("ann"), "late"),
        ),
        (
            Layout::Mongoexport,
            r#"{"_id":{"$oid":"5f"},"created_at":{"$date":{"$numberLong":"1620159484000"}},"text":"late","user":"ann"}"#,
            (Some("5f"), Some("ann"), "late"),
        ),
        (
            Layout::Zeeschuimer,
            r#"{"nav_index":"1","item_id":"1","source_platform":"twitter.com","data":{"rest_id":"1","core":{"user_results":{"result":{"legacy":{"screen_name":"ann"}}}},"legacy":{"full_text":"late","created_at":"Tue May 04 20:18:04 +0000 2021"}}}"#,
            (Some("1"), Some("ann"), "late"),
        ),
        (
            Layout::Zeeschuimer,
            r#"{"item_id":"1","source_platform":"tiktok.com","data":{"id":"1","desc":"late","createTime":1620159484,"author":{"uniqueId":"ann"}}}"#,
            (Some("1"), Some("ann"), "late"),
        ),
        (
            Layout::Elasticsearch,
            r#"{"took":1,"hits":{"total":{"value":1},"hits":[{"_index":"i","_id":"1","_source":{"@timestamp":"2021-05-04T20:18:04Z","message":"late","user":{"name":"ann"}}}]}}"#,
            (Some("1"), Some("ann"), "late"),
        ),
    ] {
        let (row, at, detected) = one(text);
        assert_eq!((row.id.as_deref(), row.author.as_deref(), row.text.as_str()), expected, "{text}");
        assert_eq!((at, detected), (Some(AT), layout), "{text}");
        let options = ReadOptions { layout, ..ReadOptions::default() };
        let (rows, _) = drain(&mut open(text.as_bytes(), &options));
        assert_eq!(
            (texts(&rows), rows[0].author.clone()),
            (vec![row.text.as_str()], row.author.clone()),
            "forced: {text}"
        );
    }
}

#[test]
fn threads_are_read_with_their_replies() {
    for text in [
        r#"[{"kind":"Listing","data":{"children":[{"kind":"t3","data":{"title":"a","selftext":"","id":"1"}}]}},
            {"kind":"Listing","data":{"children":[{"kind":"t1","data":{"body":"b","id":"2","replies":{"kind":"Listing","data":{"children":[
              {"kind":"t1","data":{"body":"c","replies":""}},{"kind":"more","data":{"count":2,"children":["x"]}}]}}}}]}}]"#,
        r#"{"items":[{"id":"1","snippet":{"topLevelComment":{"snippet":{"textOriginal":"a"}}},
            "replies":{"comments":[{"id":"2","snippet":{"textOriginal":"b"}},{"id":"3","snippet":{"textOriginal":"c"}}]}}]}"#,
        r#"{"thread":{"post":{"uri":"u1","record":{"text":"a"}},"replies":[{"post":{"uri":"u2","record":{"text":"b"}},
            "replies":[{"post":{"uri":"u3","record":{"text":"c"}}}]}]}}"#,
        r#"{"ancestors":[{"id":"1","content":"a"},{"id":"2","content":"b"}],"descendants":[{"id":"3","content":"c"}]}"#,
        r#"{"wall":[{"id":"1","body":"a"},{"id":"2","body":"b"},{"id":"3","body":"c"}],"tags":[]}"#,
    ] {
        assert_eq!(texts(&read(text).0), ["a", "b", "c"], "{text}");
    }
}

#[test]
fn what_is_no_post_is_skipped_and_counted() {
    for (text, note) in [
        (r#"{"author":"[deleted]","body":"[removed]","created_utc":1}"#, "only the stub of a deleted post"),
        (r#"{"title":"[deleted by user]","selftext":"[removed]"}"#, "only the stub of a deleted post"),
        (r#"{"id":1,"type":"service","actor":"A","action":"join_group","text":""}"#, "a message of the platform"),
        (r#"{"id":2,"type":"message","from":"A","text":"","photo":"p.jpg"}"#, "a post without a text"),
        (
            r#"{"did":"d","kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.like","rkey":"1","record":{}}}"#,
            "another record than a post",
        ),
        (r#"{"did":"d","kind":"identity","identity":{}}"#, "another record than a post"),
        (
            r#"{"did":"d","kind":"commit","commit":{"operation":"delete","collection":"app.bsky.feed.post","rkey":"1"}}"#,
            "the deletion of another post",
        ),
        (r#"{"delete":{"status":{"id":1,"id_str":"1","user_id":2}}}"#, "the deletion of another post"),
        (r#"{"limit":{"track":5}}"#, "another record than a post"),
        (
            r#"{"timestamp":1620159484,"attachments":[{"data":[{"media":{"uri":"u"}}]}],"title":"A added a photo."}"#,
            "a post without a text",
        ),
        (r#"{"id":"1","account":{"acct":"a"},"content":"","reblog":null}"#, "a post without a text"),
    ] {
        let (rows, notes) = read(&format!("{text}\n{{\"text\":\"kept\"}}"));
        assert_eq!(texts(&rows), ["kept"], "{text}");
        assert!(notes.len() == 1 && notes[0].starts_with("1 row is ") && notes[0].contains(note), "{text}: {notes:?}");
    }
    for page in [r#"{"meta":{"result_count":0},"__twarc":{}}"#, r#"{"data":[],"meta":{}}"#, r#"{"posts":[]}"#, "[]"] {
        assert_eq!(read(&format!("{page}\n{{\"text\":\"kept\"}}")), read("\n{\"text\":\"kept\"}"), "{page}");
    }
}

#[test]
fn the_chats_of_telegram_number_their_posts_each() {
    let (rows, _) = read(
        r#"{"chats":{"about":"x","list":[{"id":5,"messages":[{"id":1,"type":"message","text":"a"}]},
            {"id":6,"messages":[{"id":1,"type":"message","text":"b"}]}]}}"#,
    );
    assert_eq!(rows.iter().map(|row| row.id.as_deref().unwrap()).collect::<Vec<_>>(), ["5/1", "6/1"]);
}

#[test]
fn paths_are_mapped_from_the_post_or_from_the_record() {
    let text = r#"{"a.b":"literal","a":{"b":"nested","c":[{"d":"deep"}]},"commit":{"when":"2021-05-04T20:18:04Z"},"text":"no"}"#;
    for (columns, expected) in [("text=a.b", "literal"), ("text=a.c.0.d", "deep"), ("text=text", "no")] {
        let options = ReadOptions {
            columns: Columns::parse(&format!("{columns},created_at=commit.when")).unwrap(),
            ..ReadOptions::default()
        };
        let (rows, rejects) = drain(&mut open(text.as_bytes(), &options));
        assert!(rejects.is_empty(), "{rejects:?}");
        assert_eq!((rows[0].text.as_str(), rows[0].created_at.map(jiff::Timestamp::as_second)), (expected, Some(AT)));
    }
    let hit = r#"{"_id":"1","_source":{"body":"late","brand":"Air Paradis"}}"#;
    for path in ["brand", "_source.brand"] {
        let options =
            ReadOptions { columns: Columns::parse(&format!("topic={path}")).unwrap(), ..ReadOptions::default() };
        assert_eq!(drain(&mut open(hit.as_bytes(), &options)).0[0].topic.as_deref(), Some("Air Paradis"));
    }
}

#[test]
fn tools_that_also_write_csv_are_read_as_csv() {
    let options = ReadOptions { layout: Layout::Twint, ..ReadOptions::default() };
    let mut reader = open(b"id,date,tweet\n1,2021-05-04T20:18:04Z,late\n", &options);
    assert_eq!((texts(&drain(&mut reader).0), reader.layout()), (vec!["late"], Layout::Csv));
}

#[test]
fn keys_that_mean_other_things_elsewhere_lose_no_post() {
    let (rows, _) = read(
        "{\"id\":1,\"uri\":\"https://x/a\",\"text\":\"late\",\"blocked\":true,\"incident\":true}\n\
                         {\"id\":2,\"uri\":\"https://x/a\",\"text\":\"again\"}\n",
    );
    let ids: Vec<_> = rows.iter().map(|row| row.id.as_deref()).collect();
    assert_eq!((ids, rows[0].incident), (vec![Some("1"), Some("2")], Some(true)));
    let thread = r#"{"body":"late","replies":{"data":{"children":[{"data":{"body":"again"}}]}}}"#;
    let options = ReadOptions { columns: Columns::parse("text=body").unwrap(), ..ReadOptions::default() };
    assert_eq!(texts(&drain(&mut open(thread.as_bytes(), &options)).0), ["late", "again"]);
}
