"""Measures the console on a store of many posts; the numbers are in docs/performance.md.

    cargo build --release
    python3 benches/console/measure.py target/release/vigie [POSTS] [CHROMIUM]

Starts the daemon with a model of 60 kB on a file of POSTS posts of 30 days (1,000,000 unless said otherwise), waits until they are
read, then asks for each page 20 times and prints the median; holds 200 live views open and measures the daemon's share of a
core; sends texts to /api/v1/classify from one client and from 50 at once. With CHROMIUM it also measures the first paint and the bytes of the overview, which needs
playwright. MODEL=models/default measures classification with the bundled model; then use few posts, which it reads slowly.
"""

import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

VIGIE = os.path.abspath(sys.argv[1])
POSTS = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
CHROMIUM = sys.argv[3] if len(sys.argv) > 3 else None
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODEL = os.path.abspath(os.environ.get("MODEL", os.path.join(ROOT, "tests/fixtures/tiny-distilbert/classifier")))
WORDS = "gate crew valise retard pilote siège desk queue app repas tarif escale hublot merci late bag lost kind nul perdu".split()


def write_posts(path):
    start = datetime.now(timezone.utc) - timedelta(days=30)
    step = timedelta(days=30) / POSTS
    with open(path, "w", encoding="utf-8") as out:
        for n in range(POSTS):
            words = [WORDS[(n * k + n // k) % len(WORDS)] for k in (1, 3, 7, 11, 13, 17)]
            post = {
                "id": str(n), "created_at": (start + step * n).isoformat(), "author": f"user{n * 7919 % 250_000}",
                "lang": "fr" if n % 3 else "en", "text": f"Air Paradis {' '.join(words)} {n}",
            }
            out.write(json.dumps(post) + "\n")


def get(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def milliseconds(url):
    times = []
    for n in range(20):
        started = time.perf_counter()
        # The overview keeps what it wrote for one address: another one each time. The posts page knows its parameters.
        body = get(url if "/posts" in url else f"{url}{'&' if '?' in url else '?'}fresh={n}")
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times), len(body)


def processor_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) / 1024


async def live_views(url, count, seconds):
    """Opens `count` event streams, and loads the overview again when one says so, as the script of a visible page does."""
    host, port = url.removeprefix("http://").split(":")
    loads = 0

    async def view():
        nonlocal loads
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /live HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        until, last = time.monotonic() + seconds, 0.0
        while time.monotonic() < until:
            try:
                line = await asyncio.wait_for(reader.readline(), until - time.monotonic())
            except asyncio.TimeoutError:
                break
            if line.startswith(b"event: change") and time.monotonic() - last >= 5:
                last = time.monotonic()
                loads += 1
                page_reader, page_writer = await asyncio.open_connection(host, int(port))
                page_writer.write(f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                await page_reader.read()
                page_writer.close()
        writer.close()

    await asyncio.gather(*(view() for _ in range(count)))
    return loads


def main():
    with tempfile.TemporaryDirectory() as directory:
        write_posts(os.path.join(directory, "posts.jsonl"))
        with open(os.path.join(directory, "vigie.toml"), "w") as config:
            config.write(
                f'rules = "{ROOT}/config/rules.toml"\n[daemon]\nstate = "state"\n[web]\nlisten = "127.0.0.1:0"\n'
                # Each text is read: what is remembered would be measured instead.
                "[classify]\ncache = 0\n"
                '[retention]\nposts_days = 60\n[[topic]]\nname = "Air Paradis"\nkeywords = ["Air Paradis"]\n'
                '[[source]]\nname = "desk"\ntype = "file"\npath = "posts.jsonl"\nlayout = "jsonl"\n'
            )
        command = [VIGIE, "run", "--config", "vigie.toml", "--model", MODEL]
        daemon = subprocess.Popen(command, cwd=directory, stderr=subprocess.PIPE, text=True)
        try:
            url = None
            while url is None:
                found = re.search(r"console: (http://[^/]+)/", daemon.stderr.readline())
                url = found and found[1]
            started = time.monotonic()
            while json.loads(get(url + "/api/v1/status"))["totals"]["received"] < POSTS:
                time.sleep(1)
            print(f"{POSTS} posts read in {time.monotonic() - started:.0f} s; resident {resident(daemon.pid):.0f} MB")
            for path in ["/", "/?range=30d", "/posts", "/posts?label=negative&lang=fr&source=desk", "/posts?text=hublot",
                         "/posts?text=nothing+has+this", "/posts?order=doubtful", f"/posts?similar={POSTS - 1}", "/incidents", "/sources", "/model"]:
                median, size = milliseconds(url + path)
                print(f"GET {path}: {median:.1f} ms, {size / 1000:.0f} kB")
            before, at = processor_seconds(daemon.pid), time.monotonic()
            loads = asyncio.run(live_views(url, 200, 30))
            share = (processor_seconds(daemon.pid) - before) / (time.monotonic() - at)
            print(f"200 live views for 30 s: {share:.1%} of a core, {loads} pages loaded again")
            print(f"resident {resident(daemon.pid):.0f} MB")
            classify(url, open(os.path.join(directory, "state/api-token")).read())
            if CHROMIUM:
                first_paint(url)
        finally:
            daemon.terminate()
            daemon.wait()


def classify(url, token):
    """Texts per second of one client that sends them all at once, and of 50 clients that send one text at a time."""
    texts = [f"Air Paradis lost my bag again, flight {n} was late and nobody at the gate could say why" for n in range(1_000)]

    def send(some):
        body = json.dumps({"texts": some}).encode()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        get(urllib.request.Request(url + "/api/v1/classify", body, headers))

    def seconds(work):
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    def clients():
        with ThreadPoolExecutor(50) as pool:
            list(pool.map(lambda text: send([text]), texts))

    batch, single = seconds(lambda: send(texts)), seconds(clients)
    one = statistics.median(seconds(lambda: send(texts[:1])) for _ in range(20))
    print(f"classify: {1000 / batch:.0f} texts/s in one request, {1000 / single:.0f} from 50 clients, {one * 1e3:.1f} ms for one text")


def first_paint(url):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        paints = []
        for _ in range(7):
            page = browser.new_context().new_page()
            page.goto(url + "/?range=30d")
            page.wait_for_timeout(500)
            paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            sizes = page.evaluate("performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).map((it) => it.transferSize)")
        print(f"first paint {statistics.median(paints):.0f} ms, {sum(sizes) / 1000:.0f} kB in {len(sizes)} requests")
        browser.close()


main()
