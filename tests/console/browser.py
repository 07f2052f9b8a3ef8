"""Uses the console of a running daemon as people do, in a real browser. For `tests/daemon/console.rs`, which starts the daemon.

    browser.py URL CHROMIUM SHOTS

Needs playwright and axe-playwright-python. Prints one line per check, ends with 1 at the first that fails, and leaves a
screenshot of each page in SHOTS.
"""

import csv
import io
import json
import sys
import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

URL, CHROMIUM, SHOTS = sys.argv[1:4]
PAGES = ["/", "/?range=7d", "/incidents", "/posts", "/posts?order=doubtful&label=negative", "/posts?topic=Air+Paradis&text=thank", "/analyse", "/model", "/backtest", "/backtest?rule=NegativeRising&run=1", "/sources", "/audit"]
# An author of the posts of the test.
ATTACK = "<img src=x onerror=alert(1)>"


def check(condition, what):
    print(("ok   " if condition else "FAIL ") + str(what), flush=True)
    if not condition:
        sys.exit(1)


def api(path):
    with urllib.request.urlopen(URL + path) as answer:
        return json.load(answer)


class Tab:
    """A page that remembers what must not happen: errors, requests to other hosts, dialogs, layout shifts."""

    def __init__(self, browser, language="en-GB", width=1280, scheme="light"):
        self.context = browser.new_context(
            locale=language, viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.problems = []
        page = self.page
        page.on("console", lambda it: self.problems.append(it.text) if it.type in ("error", "warning") else None)
        page.on("pageerror", lambda it: self.problems.append(str(it)))
        page.on("dialog", lambda it: (self.problems.append("a dialog: " + it.message), it.dismiss()))
        page.on("request", lambda it: None if it.url.startswith((URL, "data:")) else self.problems.append(it.url))

    def go(self, path):
        answer = self.page.goto(URL + path)
        self.page.wait_for_load_state("load")
        return answer

    def shifts(self):
        return self.page.evaluate(
            """() => new Promise((done) => {
                let sum = 0;
                new PerformanceObserver((list) => { for (const it of list.getEntries()) sum += it.value; })
                    .observe({type: "layout-shift", buffered: true});
                setTimeout(() => done(sum), 150);
            })"""
        )

    def clean(self, what):
        check(not self.problems, f"{what}: no error, no other host {self.problems}")

    def close(self):
        self.context.close()


def every_page(browser):
    violations = []
    for language, width, scheme in [
        ("en-GB", 1280, "light"),
        ("fr-FR", 390, "dark"),
        ("fr-FR", 1280, "light"),
        ("en-GB", 390, "light"),
    ]:
        tab = Tab(browser, language, width, scheme)
        for place, path in enumerate(PAGES):
            name = f"{path} {language} {width} {scheme}"
            check(tab.go(path).status == 200, f"{name}: 200")
            check(tab.page.locator("html").get_attribute("lang") == language[:2], f"{name}: language")
            wide = tab.page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                violations.append((name, "scrolls sideways", wide))
            shifts = tab.shifts()
            check(shifts < 0.01, f"{name}: no layout shift ({shifts})")
            found = Axe().run(tab.page)
            violations += [(name, it["id"], it["nodes"][0]["html"][:150]) for it in found.response["violations"]]
            tab.page.screenshot(path=f"{SHOTS}/{place}-{language[:2]}-{width}-{scheme}.png", full_page=True)
            tab.clean(name)
        tab.close()
    for violation in violations:
        print("axe  ", violation)
    check(not violations, "axe finds nothing on any page, and none scrolls sideways")


def languages(browser):
    tab = Tab(browser, "fr-FR")
    tab.go("/posts?label=negative")
    tab.page.get_by_text("English", exact=True).click()
    check(tab.page.locator("html").get_attribute("lang") == "en", "the switch changes the language")
    check("label=negative" in tab.page.url, "and keeps the filter")
    tab.go("/")
    check(tab.page.locator("html").get_attribute("lang") == "en", "and is remembered")
    tab.close()


def overview(browser):
    tab = Tab(browser)
    tab.go("/")
    topic = api("/api/v1/status")["topics"][0]
    shown = tab.page.locator("section.topic").first.inner_text()
    expected = f"({topic['negative']} of {topic['posts']})"
    check(expected in shown, f"the overview shows the numbers of the API: {expected}")
    ratio = [
        line for line in urllib.request.urlopen(URL + "/metrics").read().decode().splitlines()
        if line.startswith("vigie_topic_negative_ratio{")
    ]
    check(abs(float(ratio[0].split()[-1]) - topic["negative"] / topic["posts"]) < 1e-9, "and of the metrics")
    # A step leads to its posts, of which there are as many as it says.
    step = tab.page.locator("svg.steps a:has(title)").filter(has_text="posts negative").last
    title = step.locator("title").text_content()
    tab.go(step.get_attribute("href"))
    count = tab.page.locator("aside.facets p b").first.inner_text()
    check(f" of {count} posts" in title, f"a step has the posts it says: {title!r}, {count}")
    tab.go("/")
    box = tab.page.locator("svg.steps").first.bounding_box()
    tab.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20, steps=5)
    tab.page.mouse.up()
    tab.page.wait_for_url("**since=**")
    check("until=" in tab.page.url, "dragging zooms")
    tab.page.keyboard.press("?")
    check(tab.page.locator("#keys").is_visible(), "? shows the keys")
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("g")
    tab.page.keyboard.press("p")
    tab.page.wait_for_url("**/posts")
    tab.clean("overview")
    tab.close()


def negative(topic="Air Paradis"):
    return next(it for it in api("/api/v1/status")["topics"] if it["name"] == topic)["negative"]


def posts(browser):
    tab = Tab(browser)
    tab.go("/posts")
    page = tab.page
    check(page.get_by_text("@" + ATTACK).count() > 0, "an attack in a name is text")
    tab.go("/posts?topic=Air+Paradis&label=negative")
    first = page.locator(".post").first
    before, name = negative(), first.get_attribute("data-id")
    page.keyboard.press("j")
    page.keyboard.press("3")
    page.get_by_text("Saved: positive.").wait_for()
    post = page.locator(f".post[data-id='{name}']")
    check(post.locator("button[value=positive]").get_attribute("aria-pressed") == "true", "one key corrects")
    check("the model read negative" in post.locator(".corrected").inner_text(), "and the page says what the model read")
    check(page.locator(".post.current").get_attribute("data-id") != name, "and moves on")
    check(negative() == before - 1, "the rate of the last hour follows")
    page.keyboard.press("z")
    page.get_by_text("Undone.").wait_for()
    check(post.locator("button[value=negative]").get_attribute("aria-pressed") == "true", "z takes it back")
    check(negative() == before, "and the rate with it")
    # Several at once: two are selected, by keys.
    for _ in range(2):
        page.keyboard.press("x")
        page.keyboard.press("j")
    page.keyboard.press("2")
    page.get_by_text("2 posts saved: neutral.").wait_for()
    check(negative() == before - 2, "two are corrected at once")
    page.keyboard.press("z")
    page.get_by_text("2 corrections undone.").wait_for()
    check(negative() == before, "and taken back at once")
    # Without the script: the same forms.
    tab.go("/posts?corrected=true")
    check(page.get_by_text("No post matches these filters.").count() == 1, "nothing is corrected any more")
    tab.go("/posts?text=" + "%3Cscript%3Ealert(1)%3C/script%3E")
    check(page.locator("input[type=search]").input_value() == "<script>alert(1)</script>", "a filter is text")
    # The posts most like one, nearest first.
    tab.go("/posts?topic=Air+Paradis&text=merci+pour+rien")
    page.get_by_role("link", name="find similar").first.click()
    page.wait_for_url("**similar=**")
    texts = page.locator(".post > p:first-child").all_inner_texts()
    check(len(texts) > 5 and all("annulé mon vol" in text for text in texts[:5]), f"like one post are those with its words: {texts[:5]}")
    check("annulé mon vol" in page.locator("blockquote").inner_text(), "and the page shows which one")
    tab.go("/posts?topic=Blue+Air&" + page.url.split("?")[1])
    check(not any("annulé" in text for text in page.locator(".post > p:first-child").all_inner_texts()), "filters hold there too")
    # A filter is saved under a name, opened, renamed and deleted.
    tab.go("/posts?topic=Air+Paradis&label=negative&order=doubtful")
    page.get_by_label("Save this filter as").fill(ATTACK)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state("load")
    saved = page.get_by_role("link", name=ATTACK, exact=True)
    check(saved.get_attribute("aria-current") == "true", "a filter is saved, and its name is text")
    check(page.get_by_label("Save this filter as").count() == 0, "and need not be saved again")
    tab.go("/posts")
    saved.click()
    page.wait_for_url("**label=negative**")
    check("order=doubtful" in page.url and "topic=Air" in page.url, f"its link has filter and order: {page.url}")
    page.get_by_text("Rename or delete").click()
    page.get_by_label("Name", exact=True).fill("Bad <b>")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("link", name="Bad <b>", exact=True).wait_for()
    answer = tab.context.request.get(URL + "/posts?saved=bad+%3Cb%3E", max_redirects=0)
    check(answer.status == 303 and "label=negative" in answer.headers["location"], "the name is an address")
    page.get_by_text("Rename or delete").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_label("Save this filter as").wait_for()
    check(page.get_by_text("Bad <b>").count() == 0, "and it is deleted")
    answer = tab.context.request.get(URL + "/posts?saved=bad")
    check(answer.status == 404 and "no filter" in answer.text(), "a filter that nobody saved is not found")
    # What stands out: a word is a link that adds it to the search.
    tab.go("/posts?topic=Air+Paradis&text=thank")
    contrast = page.locator(".contrast")
    check("in the other posts" in contrast.inner_text(), f"it says what it compares with: {contrast.inner_text()}")
    contrast.get_by_role("link", name="kind", exact=True).click()
    page.wait_for_url("**text=thank**text=kind**")
    texts = page.locator(".post > p:first-child").all_inner_texts()
    check(texts and all("thank" in text and "kind" in text for text in texts), f"both words are asked for: {texts[:2]}")
    page.get_by_role("link", name="kind", exact=True).first.click()
    check("text=kind" not in page.url and "text=thank" in page.url, "and the second can be left")
    tab.go("/posts?topic=Air+Paradis")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(open(download.value.path(), newline="", encoding="utf-8").read())))
    count = int(page.locator("aside.facets p b").first.inner_text().replace(",", ""))
    check(len(rows) == count, f"the export has all {count} posts")
    formulas = [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    check(not formulas, f"and no formula {formulas[:1]}")
    tab.clean("posts")
    tab.close()


def loop(browser):
    """A text is disliked, three times: an incident, which is taken, and silenced with a preview."""
    tab = Tab(browser, "fr-FR")
    page = tab.page
    for text in ["Encore quatre heures de retard, bravo", "Ma valise est perdue depuis lundi", "Vol annulé sans un mot"]:
        tab.go("/analyse")
        page.locator("textarea").fill(text)
        page.get_by_role("button", name="Analyser").click()
        check(page.locator("meter").count() == 3, f"three probabilities: {text}")
        page.get_by_role("button", name="Je n’aime pas").first.click()
        check(page.get_by_text("prédiction erronée enregistrée").count() == 1, "a dislike is kept")
    tab.go("/")
    # The page follows the daemon: nobody loads it again.
    page.get_by_text("Trois erreurs de classement").wait_for(timeout=30_000)
    check(page.title().startswith("(1) "), f"the title counts what nobody has taken: {page.title()}")
    page.locator("article.incident input[name=by]").first.fill("Claire")
    page.get_by_role("button", name="Prendre en charge").first.click()
    page.get_by_text("pris en charge par Claire").wait_for()
    check(not page.title().startswith("("), "until somebody takes it")
    tab.go("/incidents")
    page.locator("input[name=matchers]").fill('alertname="IncorrectPredictions"')
    page.locator("input[name=comment]").fill("connu <b>")
    page.get_by_role("button", name="Voir ce qui serait masqué").click()
    check(page.get_by_text("Masquerait en ce moment").count() == 1, "a silence shows what it would mute")
    page.get_by_role("button", name="Mettre en sourdine", exact=True).click()
    page.locator("#silences").get_by_text("connu <b>").wait_for()
    check(page.get_by_text("en sourdine, par Claire").count() == 1, "the incident says who silenced it")
    page.get_by_role("button", name="Y mettre fin").click()
    page.get_by_text("finie").first.wait_for()
    page.locator("article.incident h3 a").first.click()
    check(page.get_by_text("Chronologie").count() == 1, "the incident has a timeline")
    incident = page.url
    page.locator("textarea").fill("L’aéroport annonce midi <i>")
    page.get_by_role("button", name="Ajouter la note").click()
    page.get_by_text("L’aéroport annonce midi <i>").wait_for()
    check(page.get_by_text("Note de Claire").count() == 1, "a note is in the timeline, with who wrote it")
    page.get_by_role("button", name="Créer un lien").click()
    address = page.locator("input.address").input_value()
    guest = Tab(browser, "fr-FR", 390)
    guest.page.goto(address)
    check(guest.page.get_by_text("L’aéroport annonce midi").count() == 1, "a link shows the incident")
    check(guest.page.locator("nav, form, script").count() == 0, "and nothing else")
    check(not Axe().run(guest.page).response["violations"], "axe finds nothing behind the link")
    check(guest.page.evaluate("document.documentElement.scrollWidth") <= 390, "nor does it scroll sideways")
    guest.page.screenshot(path=f"{SHOTS}/shared-fr-390.png", full_page=True)
    guest.clean("the link")
    page.get_by_role("button", name="Y mettre fin").click()
    check(guest.page.goto(address).status == 404, "a link that was ended shows nothing")
    guest.close()
    page.goto(incident)
    check(not Axe().run(page).response["violations"], "axe finds nothing on the incident")
    page.get_by_role("link", name="Bilan, à imprimer").click()
    check(page.get_by_role("button", name="Imprimer").is_visible(), "the post-mortem can be printed")
    check(not Axe().run(page).response["violations"], "axe finds nothing on the post-mortem")
    page.screenshot(path=f"{SHOTS}/post-mortem-fr.png", full_page=True)
    page.pdf(path=f"{SHOTS}/post-mortem.pdf")
    page.goto(incident)
    page.screenshot(path=f"{SHOTS}/incident-fr.png", full_page=True)
    tab.go("/sources")
    page.get_by_role("button", name="Envoyer un essai").first.click()
    page.get_by_text("l’essai a été remis").wait_for()
    check(True, "a test is delivered")
    tab.go("/audit")
    check(page.get_by_text("POST /receivers/program/test").count() == 1, "every change is in the audit log")
    lines = tab.context.request.get(URL + "/audit/audit.jsonl").text().splitlines()
    check(any(json.loads(line)["path"] == "/receivers/program/test" for line in lines), "and in its export")
    tab.clean("loop")
    tab.close()


def probabilities(page):
    return [meter.get_attribute("value") for meter in page.locator("meter").all()]


def learn(browser):
    """What was disliked is learned: a challenger, its figures, a promotion with open eyes, and the way back."""
    tab = Tab(browser, "fr-FR")
    page = tab.page

    def read():
        tab.go("/analyse")
        page.locator("textarea").fill("Vol annulé sans un mot")
        page.get_by_role("button", name="Analyser").click()
        return probabilities(page), api("/api/v1/status")["model"]

    before, first = read()
    tab.go("/model")
    page.get_by_role("button", name="Réentraîner maintenant").click()
    # The page follows the retraining by itself.
    challenger = page.locator("details", has_text="retrained-").first
    challenger.wait_for(timeout=60_000)
    text = challenger.inner_text()
    check("Appris de 3 corrections" in text, f"it says from how much it learned: {text}")
    check("held-out" in text and "F1 macro" in text, "and compares both on held-out posts")
    check(api("/api/v1/status")["model"] == first, "nothing changes by itself")
    page.screenshot(path=f"{SHOTS}/challenger-fr.png", full_page=True)
    button = challenger.get_by_role("button", name="Adopter")
    button.click()
    check(api("/api/v1/status")["model"] == first, "three corrections prove nothing: it needs a tick")
    challenger.get_by_role("checkbox").check()
    button.click()
    page.get_by_text("en service depuis").wait_for()
    check("sans preuve" in page.locator("#retraining ~ form").last.inner_text(), "and the page says so")
    after, second = read()
    check(second.startswith("retrained-"), f"another head reads: {second}")
    shift = max(abs(float(a) - float(b)) for a, b in zip(after, before))
    check(shift < 0.2, f"three corrections move a post by a little: {shift}")
    tab.go("/model")
    page.get_by_role("button", name="Revenir au modèle précédent").click()
    page.get_by_role("button", name="Réentraîner maintenant").wait_for()
    check(read() == (before, first), "rolled back, all reads as before")
    tab.go("/audit")
    check(page.get_by_text("POST /model/roll-back").count() == 1, "the audit log has it")
    tab.clean("learn")
    tab.close()


def backtest(browser):
    """A rule is changed in a form: an error shows next to its field, then the page compares both versions."""
    tab = Tab(browser, "fr-FR", 390)
    page = tab.page
    tab.go("/")
    page.get_by_role("link", name="Simulation").click()
    page.locator("select#rule").select_option("ManyPosts")
    page.get_by_role("button", name="Afficher ses valeurs").click()
    field = page.locator("input[name=keep_firing_for]")
    field.fill("bientôt")
    with page.expect_navigation() as wrong:
        page.get_by_role("button", name="Simuler", exact=True).click()
    check(wrong.value.status == 422, "a wrong duration gives the form back")
    check(field.input_value() == "bientôt" and field.get_attribute("aria-invalid") == "true", "with the error at its field")
    # The browser logs a page with this status as an error.
    tab.problems.clear()
    field.fill("2h")
    page.get_by_role("button", name="Simuler", exact=True).click()
    page.get_by_role("heading", name="La règle modifiée").wait_for(timeout=120_000)
    check('keep_firing_for = "2h"' in page.locator("pre").inner_text(), "the rule to paste has the new value")
    check("en service : 1h" in page.locator("form.backtest").inner_text().replace("\u00a0", " "), "and the form shows the old one")
    check("run=1" in page.url and "keep_firing_for=2h" in page.url, "the result has an address")
    page.screenshot(path=f"{SHOTS}/backtest-fr-390.png", full_page=True)
    tab.clean("backtest")
    tab.close()


def requests_that_are_refused(browser):
    tab = Tab(browser)
    for path, expected in [
        ("/posts?since=yesterday", 400),
        ("/posts/export/secrets.csv", 404),
        ("/assets/..%2f..%2fetc%2fpasswd", 404),
        ("/alerts/NONE-0000", 404),
        ("/posts?similar=none", 404),
    ]:
        answer = tab.context.request.get(URL + path)
        check(answer.status == expected, f"{path}: {expected}, {answer.status}")
        check("yesterday" not in answer.text() or "expected" in answer.text(), f"{path}: it says what is expected")
    cross = {"sec-fetch-site": "cross-site"}
    for path in ["/posts/labels", "/posts/filters", "/posts/filters/delete", "/analyse", "/silences", "/receivers/program/test", "/model/retrain", "/model/promote", "/sign-out"]:
        answer = tab.context.request.post(URL + path, headers=cross, form={"id": "1", "label": "neutral"})
        check(answer.status == 403, f"{path}: a form of another site is refused ({answer.status})")
    policy = tab.go("/").headers["content-security-policy"]
    check("unsafe" not in policy and "frame-ancestors 'none'" in policy, "a strict policy")
    tab.close()


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    requests_that_are_refused(browser)
    overview(browser)
    posts(browser)
    languages(browser)
    loop(browser)
    learn(browser)
    backtest(browser)
    every_page(browser)
    browser.close()
