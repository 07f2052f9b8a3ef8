#!/usr/bin/env python3
"""Writes the files of this folder: the same four posts in the formats of public tools, as far as their documentation and code
show them. No text, name or code of anybody's. Run it in this folder; tests/import.rs reads the files."""
import bz2, csv, gzip, io, json, lzma, zipfile
from datetime import datetime, timedelta, timezone

# id, time, handle, language, label, text
POSTS = [
    ("1974100000000000101", "2026-10-03T08:15:00", "marie_lyon", "fr", "negative", "Vol annulé, aucune info à l’accueil, bagage égaré @AirParadis 😡"),
    ("1974100000000000102", "2026-10-03T08:20:30", "tom_b", "en", "negative", 'Two hours on the tarmac, no water, "soon" they say @AirParadis'),
    ("1974100000000000103", "2026-10-03T08:31:11", "ana_ruiz", "en", "neutral", "Does @AirParadis fly to Lisbon on Sundays?"),
    ("1974100000000000104", "2026-10-03T08:47:59", "lune_rousse", "fr", "positive", "Merci à l’équipage du vol de ce soir, accueil parfait @AirParadis"),
]

def at(time, zone=0):
    return datetime.fromisoformat(time).replace(tzinfo=timezone.utc).astimezone(timezone(timedelta(hours=zone)))

def seconds(time):
    return int(at(time).timestamp())

def write(name, text, encoding="utf-8"):
    data = text if isinstance(text, bytes) else text.encode(encoding)
    open(name, "wb").write(data)

def lines(name, objects, **options):
    write(name, "".join(json.dumps(o, ensure_ascii=options.get("ascii", False)) + "\n" for o in objects))

def document(name, value, **options):
    write(name, json.dumps(value, ensure_ascii=options.get("ascii", False), indent=options.get("indent", 1)))

def table(header, rows, delimiter=",", quoting=csv.QUOTE_MINIMAL, end="\n", before=""):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerow(header)
    writer.writerows(rows)
    return before + out.getvalue()

V1 = "%a %b %d %H:%M:%S +0000 %Y"
HTML = lambda text: text.replace("&", "&amp;").replace('"', "&quot;").replace("@AirParadis", '<span class="h-card"><a href="https://example.social/@AirParadis" class="u-url mention">@<span>AirParadis</span></a></span>')

# X and its scrapers
lines("x_v2.jsonl", [{"id": i, "text": x, "created_at": t + ".000Z", "author_id": "7", "lang": l, "edit_history_tweet_ids": [i]} for i, t, a, l, s, x in POSTS])
document("x_v2_page.json", {"data": [{"id": i, "text": x, "created_at": t + ".000Z", "author_id": str(n)} for n, (i, t, a, l, s, x) in enumerate(POSTS)], "includes": {"users": [{"id": str(n), "username": p[2], "name": "N"} for n, p in enumerate(POSTS)]}, "meta": {"result_count": 4, "newest_id": POSTS[-1][0]}}, indent=None)
lines("twarc2.jsonl", [
    {"data": [{"id": i, "text": ("RT @tom_b: " + x[:30] + "…") if n == 1 else x, "created_at": t + ".000Z", "author_id": str(n), **({"referenced_tweets": [{"type": "retweeted", "id": "9"}]} if n == 1 else {})} for n, (i, t, a, l, s, x) in enumerate(POSTS)],
     "includes": {"users": [{"id": str(n), "username": p[2], "name": "N"} for n, p in enumerate(POSTS[:3])], "tweets": [{"id": "9", "text": POSTS[1][5], "author_id": "1", "created_at": POSTS[1][1] + ".000Z"}]},
     "errors": [{"title": "Not Found Error", "resource_id": "3"}], "meta": {"result_count": 4}, "__twarc": {"url": "https://api.twitter.com/2/tweets/search/all", "version": "2.14.0"}},
    {"meta": {"result_count": 0}, "__twarc": {"version": "2.14.0"}}])
lines("x_v1.jsonl", [{"created_at": at(t).strftime(V1), "id": int(i), "id_str": i, "text": x[:25] + "…", "truncated": True, "extended_tweet": {"full_text": x}, "user": {"id": n, "screen_name": a, "name": "N"}, "lang": l} for n, (i, t, a, l, s, x) in enumerate(POSTS)])
write("x_archive_tweets.js", "window.YTD.tweets.part0 = " + json.dumps([{"tweet": {"edit_info": {"initial": {"editTweetIds": [i]}}, "id": i, "id_str": i, "created_at": at(t).strftime(V1), "full_text": x, "lang": l, "entities": {"hashtags": []}}} for i, t, a, l, s, x in POSTS], indent=2, ensure_ascii=False))
lines("snscrape_0.4.jsonl", [{"_type": "snscrape.modules.twitter.Tweet", "url": "https://x", "date": t + "+00:00", "content": x, "renderedContent": x, "id": int(i), "user": {"_type": "snscrape.modules.twitter.User", "username": a, "id": n, "displayname": "N"}, "lang": l, "replyCount": 0} for n, (i, t, a, l, s, x) in enumerate(POSTS)])
lines("snscrape_0.7.jsonl", [{"_type": "snscrape.modules.twitter.Tweet", "url": "https://x", "date": t + "+00:00", "rawContent": x, "renderedContent": x[:20] + "…", "id": int(i), "user": {"username": a, "id": n, "displayname": "N", "rawDescription": "d"}, "lang": l, "source": '<a href="https://x">X</a>'} for n, (i, t, a, l, s, x) in enumerate(POSTS)])
TWINT = "id,conversation_id,created_at,date,time,timezone,user_id,username,name,place,tweet,language,mentions,urls,photos,replies_count,retweets_count,likes_count,hashtags,cashtags,link,retweet".split(",")
def twint(zone, name):
    rows = []
    for i, t, a, l, s, x in POSTS:
        local = at(t, zone[0])
        rows.append([i, i, local.strftime("%Y-%m-%d %H:%M:%S ") + zone[2], local.strftime("%Y-%m-%d"), local.strftime("%H:%M:%S"), zone[1], "9" + i[-3:], a, "Display Name", "", x, l, "[]", "[]", "[]", 0, 0, 0, "[]", "[]", "https://x", "False"])
    write(name, table(TWINT, rows))
twint((2, "+0200", "CEST"), "twint_linux.csv")
twint((2, "+0200", "Romance Summer Time"), "twint_windows.csv")
lines("twint.json", [{"id": int(i), "conversation_id": i, "created_at": at(t, 2).strftime("%Y-%m-%d %H:%M:%S CEST"), "date": at(t, 2).strftime("%Y-%m-%d"), "time": at(t, 2).strftime("%H:%M:%S"), "timezone": "+0200", "user_id": n, "username": a, "name": "N", "tweet": x, "language": l} for n, (i, t, a, l, s, x) in enumerate(POSTS)])
write("minet.csv", table("id,timestamp_utc,local_time,user_screen_name,text,possibly_sensitive,retweet_count,lang,user_id,user_name,collected_via".split(","), [[i, seconds(t), at(t).strftime("%Y-%m-%dT%H:%M:%S"), a, x, "0", 0, l, 7, "N", "scraping"] for i, t, a, l, s, x in POSTS]))

# Other networks
lines("pushshift_comments.jsonl", [{"author": a, "body": x, "created_utc": seconds(t), "id": "k" + i[-3:], "subreddit": "travel", "link_id": "t3_x", "score": 1, "retrieved_on": 1} for i, t, a, l, s, x in POSTS] + [{"author": "[deleted]", "body": "[deleted]", "created_utc": 1790000000, "id": "k9", "subreddit": "travel", "link_id": "t3_x"}])
lines("pushshift_submissions.jsonl", [{"author": a, "title": x, "selftext": "" if n else "More in the comments.", "created_utc": str(seconds(t)), "id": "s" + i[-3:], "subreddit": "travel", "num_comments": 0, "permalink": "/r/x"} for n, (i, t, a, l, s, x) in enumerate(POSTS)])
document("reddit_listing.json", {"kind": "Listing", "data": {"after": None, "children": [{"kind": "t1", "data": {"author": a, "body": x, "created_utc": float(seconds(t)), "id": "k" + i[-3:], "name": "t1_k" + i[-3:]}} for i, t, a, l, s, x in POSTS]}})
document("mastodon.json", [{"id": i, "created_at": t + ".123Z", "language": l, "uri": "https://example.social/" + i, "spoiler_text": "", "account": {"id": "1", "acct": a, "username": a, "display_name": "N", "note": "<p>n</p>"}, "content": "" if n == 2 else "<p>" + HTML(x) + "</p>", "reblog": {"id": "8", "created_at": t + ".000Z", "content": "<p>" + HTML(x) + "</p>", "account": {"acct": "b"}} if n == 2 else None} for n, (i, t, a, l, s, x) in enumerate(POSTS)])
view = lambda i, t, a, l, x: {"uri": f"at://did:plc:{a}/app.bsky.feed.post/{i[-6:]}", "cid": "c", "author": {"did": "did:plc:" + a, "handle": a, "displayName": "N"}, "record": {"$type": "app.bsky.feed.post", "createdAt": t + ".000Z", "langs": [l], "text": x}, "indexedAt": t + "Z", "replyCount": 0}
document("bluesky_search.json", {"posts": [view(i, t, a, l, x) for i, t, a, l, s, x in POSTS], "hitsTotal": 4, "cursor": "4"}, indent=None)
document("bluesky_feed.json", {"feed": [{"post": view(i, t, a, l, x), "reply": {"root": {"uri": "at://x"}}} for i, t, a, l, s, x in POSTS], "cursor": "c"})
lines("bluesky_jetstream.jsonl", [{"did": "did:plc:" + a, "time_us": seconds(t) * 1_000_000, "kind": "commit", "commit": {"rev": "r", "operation": "create", "collection": "app.bsky.feed.post", "rkey": i[-6:], "record": {"$type": "app.bsky.feed.post", "createdAt": t + "Z", "langs": [l], "text": x}, "cid": "c"}} for i, t, a, l, s, x in POSTS]
      + [{"did": "did:plc:z", "time_us": 1, "kind": "commit", "commit": {"operation": "create", "collection": "app.bsky.feed.like", "rkey": "l", "record": {"$type": "app.bsky.feed.like", "createdAt": "2026-10-03T08:00:00Z"}}}, {"did": "did:plc:z", "time_us": 2, "kind": "identity", "identity": {"did": "did:plc:z"}}])
document("telegram_result.json", {"name": "Air Paradis, passagers", "type": "public_channel", "id": 1, "messages": [{"id": 1, "type": "service", "date": "2026-10-01T10:00:00", "date_unixtime": "1790848800", "actor": "x", "action": "create_channel", "text": ""}] + [{"id": int(i[-3:]), "type": "message", "date": at(t, 2).strftime("%Y-%m-%dT%H:%M:%S"), "date_unixtime": str(seconds(t)), "from": a, "from_id": "user" + i[-3:], "text": [x.split("@")[0], {"type": "mention", "text": "@AirParadis"}, x.split("@AirParadis")[1]], "text_entities": []} for i, t, a, l, s, x in POSTS]})
garbled = lambda text: text.encode("utf-8").decode("latin-1")
document("facebook_comments.json", {"comments_v2": [{"timestamp": seconds(t), "data": [{"comment": {"timestamp": seconds(t), "comment": garbled(x), "author": a}}], "title": f"{a} commented."} for i, t, a, l, s, x in POSTS]}, ascii=True)
document("youtube_comment_threads.json", {"kind": "youtube#commentThreadListResponse", "pageInfo": {"totalResults": 4}, "items": [{"kind": "youtube#commentThread", "id": "U" + i[-3:], "snippet": {"videoId": "v", "topLevelComment": {"kind": "youtube#comment", "id": "U" + i[-3:], "snippet": {"textDisplay": x.replace('"', "&quot;"), "textOriginal": x, "authorDisplayName": "@" + a, "publishedAt": t + "Z", "updatedAt": t + "Z"}}}} for i, t, a, l, s, x in POSTS]})

# Tools and stores
lines("mongoexport.jsonl", [{"_id": {"$oid": "65" + i[-3:] * 7 + "0"}, "tweet_id": {"$numberLong": i}, "created_at": {"$date": t + "Z"} if n else {"$date": {"$numberLong": str(seconds(t) * 1000)}}, "text": x, "user": {"screen_name": a}} for n, (i, t, a, l, s, x) in enumerate(POSTS)])
lines("elasticsearch.jsonl", [{"_index": "tweets", "_id": i, "_score": 1.0, "_source": {"id": i, "created_at": t + "Z", "text": x, "user": {"screen_name": a}}} for i, t, a, l, s, x in POSTS])
write("4cat.csv", table("id,thread_id,timestamp,body,author,unix_timestamp,collected_from_url".split(","), [[i, i, at(t).strftime("%Y-%m-%d %H:%M:%S"), x, a, seconds(t), ""] for i, t, a, l, s, x in POSTS]))
lines("zeeschuimer.ndjson", [{"nav_index": "1:0:1", "item_id": i, "timestamp_collected": 1790000000000, "source_platform": "twitter.com", "source_platform_url": "https://x.com/search", "data": {"id": i, "rest_id": i, "type": "tweet", "legacy": {"created_at": at(t).strftime(V1), "full_text": x, "lang": l, "id_str": i}, "core": {"user_results": {"result": {"legacy": {"screen_name": a}}}}}} for i, t, a, l, s, x in POSTS])
write("crowdtangle.csv", table(["Page Name", "User Name", "Facebook Id", "Page Category", "Post Created", "Post Created Date", "Post Created Time", "Type", "Likes", "URL", "Message", "Link"], [[a, a, 7, "X", at(t, -4).strftime("%Y-%m-%d %H:%M:%S EDT"), at(t, -4).strftime("%Y-%m-%d"), at(t, -4).strftime("%H:%M:%S"), "Status", 1, "https://facebook.com/" + i, x, ""] for i, t, a, l, s, x in POSTS]))
write("facepager.csv", "\ufeff" + table("id,parent_id,level,object_id,object_type,query_status,query_time,query_type,message,created_time,from.name".split(","), [[i, "", 1, "4_" + i, "data", "fetched (200)", "2026-10-05 10:00:00", "Facebook:/<Object ID>/comments", x, t + "+0000", a] for i, t, a, l, s, x in POSTS], delimiter=";", quoting=csv.QUOTE_ALL))
write("brandwatch.csv", table(["Query Id", "Query Name", "Date", "Title", "Snippet", "Url", "Domain", "Sentiment", "Page Type", "Language", "Country", "Author", "Full Text"], [[77, "Air Paradis", t.replace("T", " ") + ".0", "", x[:20], "https://x.com/s/" + i, "x.com", s, "twitter", l, "", a, x] for i, t, a, l, s, x in POSTS], before="Report:,Bulk Mentions Download\nBrand:,Air Paradis\nFrom:,Thu Oct 01 00:00:00 UTC 2026\nTo:,Mon Oct 05 00:00:00 UTC 2026\nLabel:,mentions\n\n"))
write("meltwater.csv", table(["Date", "Headline", "URL", "Opening Text", "Hit Sentence", "Source", "Influencer", "Country", "Language", "Reach", "Sentiment", "Keyphrases", "Input Name"], [[at(t).strftime("%d-%b-%Y %I:%M:%S %p"), "", "https://x.com/s/" + i, "", x, "X", "@" + a, "France", l, 10, s.capitalize(), "", "Air Paradis"] for i, t, a, l, s, x in POSTS], delimiter="\t"), "utf-16")
write("talkwalker.csv", table(["published", "title", "content", "url", "lang", "sentiment", "extra_author_attributes.name", "extra_author_attributes.short_name", "source_type"], [[seconds(t) * 1000, "", x, "https://x.com/s/" + i, l, {"negative": -1, "neutral": 0, "positive": 1}[s], "N", a, "SOCIALMEDIA_TWITTER"] for i, t, a, l, s, x in POSTS], delimiter=";", quoting=csv.QUOTE_ALL))
write("mention.csv", table(["Title", "Description", "Url", "Source", "Date", "Sentiment", "Language", "Author"], [["", x, "https://x.com/s/" + i, "twitter", at(t).strftime("%a, %d %b %Y %H:%M:%S +0000"), s, l, a] for i, t, a, l, s, x in POSTS]))
write("kaggle_airline.csv", table("tweet_id,airline_sentiment,airline_sentiment_confidence,negativereason,negativereason_confidence,airline,airline_sentiment_gold,name,negativereason_gold,retweet_count,text,tweet_coord,tweet_created,tweet_location,user_timezone".split(","), [[i, s, 1.0, "", "", "Air Paradis", "", a, "", 0, x, "", at(t, -8).strftime("%Y-%m-%d %H:%M:%S -0800"), "", ""] for i, t, a, l, s, x in POSTS]))
FRENCH = {"negative": "négatif", "neutral": "neutre", "positive": "positif"}
plain = lambda text: text.replace(" 😡", "")
write("excel_french.csv", table(["Identifiant", "Date", "Auteur", "Texte", "Sentiment", "Confiance"], [["1,9741E+18", at(t).strftime("%d/%m/%Y %H:%M:%S"), a, plain(x), FRENCH[s], "0,95"] for i, t, a, l, s, x in POSTS] + [["1,9741E+18", "31/10/2026 08:00:00", "zoe", "Bonne journée à tous chez @AirParadis", "positif", "0,5"]], delimiter=";", end="\r\n"), "windows-1252")
write("excel_sep.csv", "sep=;\r\n" + table(["id", "created_at", "author", "text", "label"], [[i, t + "Z", a, x, s] for i, t, a, l, s, x in POSTS], delimiter=";", end="\r\n"))
write("headerless.csv", table(POSTS[0][:1] + ("Air Paradis", "Negative", POSTS[0][5]), [[i, "Air Paradis", s.capitalize(), x] for i, t, a, l, s, x in POSTS[1:]]))
write("sentiment140.csv", table(["0", POSTS[0][0], at(POSTS[0][1], -7).strftime("%a %b %d %H:%M:%S PDT %Y"), "NO_QUERY", POSTS[0][2], POSTS[0][5]], [[{"negative": 0, "neutral": 2, "positive": 4}[s], i, at(t, -7).strftime("%a %b %d %H:%M:%S PDT %Y"), "NO_QUERY", a, x] for i, t, a, l, s, x in POSTS[1:]], quoting=csv.QUOTE_ALL))
write("tsv_without_quoting.tsv", "id\tcreated_at\tlabel\ttext\n" + "".join(f"{i}\t{t}Z\t{s}\t{x}\n" for i, t, a, l, s, x in [POSTS[0], (*POSTS[1][:5], '"Soon" they say: two hours on the tarmac'), (*POSTS[2][:5], '"Does @AirParadis fly to Lisbon on Sundays?'), POSTS[3]]))
PLAIN = table(["id", "created_at", "author", "text", "label"], [[i, t + "Z", a, x, s] for i, t, a, l, s, x in POSTS])
write("plain.csv.xz", lzma.compress(PLAIN.encode()))
write("plain.csv.bz2", bz2.compress(PLAIN.encode()))
write("plain.csv.gz", gzip.compress(PLAIN.encode(), mtime=0))
with zipfile.ZipFile("plain.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for name, data in [("dump/plain.csv", PLAIN), ("__MACOSX/dump/._plain.csv", "x"), ("dump/README.txt", "four posts")]:
        archive.writestr(zipfile.ZipInfo(name, (2026, 10, 5, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
