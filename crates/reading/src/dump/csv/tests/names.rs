//! Which column of public exports is which field.

use super::*;
use crate::dump::csv::{ColumnIndexes, HeaderNames};

/// The columns of fields, by name.
fn found(header: &str) -> Vec<(Field, String)> {
    let names: Vec<&str> = header.split(',').collect();
    let indexes = ColumnIndexes::find(&HeaderNames::of(names.iter().copied()), &Columns::default(), NOTHING).unwrap();
    Field::ALL.into_iter().filter_map(|field| Some((field, names[indexes.index(field)?].to_owned()))).collect()
}

#[test]
fn the_columns_of_public_exports_are_known() {
    use Field::{Author, CreatedAt, Id, Label, Lang, Reason, Text};
    let cases: &[(&str, &[(Field, &str)])] = &[
        // Twint
        (
            "id,conversation_id,created_at,date,time,timezone,user_id,username,name,place,tweet,language",
            &[(Id, "id"), (CreatedAt, "created_at"), (Text, "tweet"), (Author, "username"), (Lang, "language")],
        ),
        // snscrape
        (
            "url,date,rawContent,renderedContent,id,user,conversationId,lang,username",
            &[(Id, "id"), (CreatedAt, "date"), (Text, "rawContent"), (Author, "username"), (Lang, "lang")],
        ),
        (
            "Datetime,Tweet Id,Text,Username",
            &[(Id, "Tweet Id"), (CreatedAt, "Datetime"), (Text, "Text"), (Author, "Username")],
        ),
        // 4CAT
        (
            "id,thread_id,timestamp,body,author,unix_timestamp",
            &[(Id, "id"), (CreatedAt, "timestamp"), (Text, "body"), (Author, "author")],
        ),
        // minet
        (
            "query,id,timestamp_utc,local_time,user_screen_name,text,lang,user_id,user_name",
            &[(Id, "id"), (CreatedAt, "timestamp_utc"), (Text, "text"), (Author, "user_screen_name"), (Lang, "lang")],
        ),
        // CrowdTangle
        (
            "Page Name,User Name,Facebook Id,Post Created,Post Created Date,Post Created Time,Type,Message,Link,URL",
            &[(CreatedAt, "Post Created"), (Text, "Message"), (Author, "User Name")],
        ),
        // Facepager
        (
            "id,parent_id,level,object_id,query_time,message,created_time,from.name",
            &[(Id, "id"), (CreatedAt, "created_time"), (Text, "message"), (Author, "from.name")],
        ),
        // Brandwatch
        (
            "Query Id,Query Name,Date,Title,Snippet,Url,Sentiment,Language,Author,Full Text,Resource Id",
            &[
                (Id, "Resource Id"),
                (CreatedAt, "Date"),
                (Text, "Full Text"),
                (Author, "Author"),
                (Label, "Sentiment"),
                (Lang, "Language"),
            ],
        ),
        // Meltwater
        (
            "Date,Headline,URL,Opening Text,Hit Sentence,Influencer,Language,Sentiment,Document ID",
            &[
                (Id, "Document ID"),
                (CreatedAt, "Date"),
                (Text, "Hit Sentence"),
                (Author, "Influencer"),
                (Label, "Sentiment"),
                (Lang, "Language"),
            ],
        ),
        // Talkwalker
        (
            "url,published,title,content,lang,sentiment,extra_author_attributes.short_name",
            &[
                (CreatedAt, "published"),
                (Text, "content"),
                (Author, "extra_author_attributes.short_name"),
                (Label, "sentiment"),
                (Lang, "lang"),
            ],
        ),
        // Mention
        (
            "id,title,description,url,published_at,language_code,tone",
            &[(Id, "id"), (CreatedAt, "published_at"), (Text, "description"), (Label, "tone"), (Lang, "language_code")],
        ),
        // YouTube comments
        (
            "cid,text,time,author,channel,votes,time_parsed",
            &[(Id, "cid"), (CreatedAt, "time_parsed"), (Text, "text"), (Author, "author")],
        ),
        (
            "commentId,textDisplay,textOriginal,authorDisplayName,publishedAt,likeCount",
            &[(Id, "commentId"), (CreatedAt, "publishedAt"), (Text, "textOriginal"), (Author, "authorDisplayName")],
        ),
        // Reddit
        (
            "id,author,created_utc,body,parent_id,score,subreddit",
            &[(Id, "id"), (CreatedAt, "created_utc"), (Text, "body"), (Author, "author")],
        ),
        ("title,score,id,url,selftext,created", &[(Id, "id"), (CreatedAt, "created"), (Text, "selftext")]),
        // Kaggle
        (
            "tweet_id,airline_sentiment,negativereason,airline,name,text,tweet_created",
            &[
                (Id, "tweet_id"),
                (CreatedAt, "tweet_created"),
                (Text, "text"),
                (Author, "name"),
                (Label, "airline_sentiment"),
                (Reason, "negativereason"),
            ],
        ),
        (
            "UserName,ScreenName,Location,TweetAt,OriginalTweet,Sentiment",
            &[(CreatedAt, "TweetAt"), (Text, "OriginalTweet"), (Author, "ScreenName"), (Label, "Sentiment")],
        ),
        (
            "target,ids,date,flag,user,text",
            &[(Id, "ids"), (CreatedAt, "date"), (Text, "text"), (Author, "user"), (Label, "target")],
        ),
        // French
        (
            "Identifiant,Auteur,Publié le,Texte,Tonalité,Langue",
            &[
                (Id, "Identifiant"),
                (CreatedAt, "Publié le"),
                (Text, "Texte"),
                (Author, "Auteur"),
                (Label, "Tonalité"),
                (Lang, "Langue"),
            ],
        ),
    ];
    for (header, expected) in cases {
        let expected: Vec<(Field, String)> =
            expected.iter().map(|(field, name)| (*field, (*name).to_owned())).collect();
        assert_eq!(found(header), expected, "{header}");
    }
}

#[test]
fn fields_have_the_order_of_their_list() {
    assert!(Field::ALL.into_iter().enumerate().all(|(index, field)| field as usize == index));
}

#[test]
fn a_choice_between_columns_is_said() {
    let notes = |text: &str| read(text).notes;
    assert_eq!(
        notes("id,text,Text\n1,a,b\n"),
        ["2 columns are named \"text\"; text is read from the first, column 2 (--columns text=NUMBER decides)"]
    );
    assert_eq!(
        notes("id,message,content\n1,a,b\n"),
        ["text is read from \"content\", not from \"message\" (--columns text=NAME decides)"]
    );
    assert_eq!(notes("id,title,text,created_at,date\n1,a,b,,\n"), [""; 0]);
    let outcome = read_by("id,message,content\n1,a,b\n", &columns("text=Message"), NOTHING);
    assert_eq!((outcome.texts, outcome.notes), (vec!["a".into()], vec![]));
}

#[test]
fn the_nearest_column_is_suggested() {
    let message = error("id,created_at,tweet_txt\n1,2021-05-04,a\n", &ReadOptions::default(), NOTHING);
    let start = "tweets.csv has no column for text (expected one of full_text, text, tweet, tweet_text, tweet_content, \
                 raw_content, ...; did you mean \"tweet_txt\"?; map it with `--columns text=tweet_txt`); found columns";
    assert!(message.starts_with(start), "{message}");
    let mapped = error("id,Post Body,x\n1,a,b\n", &columns("text=post_boddy"), NOTHING);
    assert!(
        mapped.contains(
            "(expected \"post_boddy\"; did you mean \"Post Body\"?; map it with `--columns 'text=Post Body'`)"
        ),
        "{mapped}"
    );
}
