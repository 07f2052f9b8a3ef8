"""Checks the pages that people read: `tests/links.py [BOOK]`, from the root of the repository.

In the Markdown files: every relative link and #anchor leads somewhere, and every path in backticks exists. In BOOK, the
rendered HTML of `mdbook build docs`: the same for links and anchors. Every metric, route, operational alert and source or
receiver type of the code is named in its page. Prints one line per problem and ends with 1 if there is any.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

PAGES = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
PAGES += ["benches/peers/README.md", "fuzz/README.md", "models/README.md"]
# A path in backticks is checked if it begins with one of these folders and has no placeholder such as NAME in it.
FOLDERS = ("src/", "crates/", "tests/", "benches/", "config/", "docs/", "models/", "systemd/", "fuzz/", ".github/")
# What users make themselves does not exist here either.
PLACEHOLDER = re.compile(r"[*<>{} ]|NAME|fuzz/artifacts|models/(mine|my-|distilbert)")

problems = []


def text_of(path):
    """Markdown without code blocks: what stands in them is no link."""
    return re.sub(r"(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$", "", path.read_text(encoding="utf-8"))


def slug(heading):
    """The anchor that GitHub and mdbook make of a heading."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    kept = (c for c in heading.strip().lower() if c.isalnum() or c in " -_")
    return "".join(kept).replace(" ", "-")


def anchors_of(path):
    seen, anchors = {}, set()
    for heading in re.findall(r"(?m)^#{1,6}\s+(.*?)\s*$", text_of(path)):
        name = slug(heading)
        anchors.add(name if name not in seen else f"{name}-{seen[name]}")
        seen[name] = seen.get(name, 0) + 1
    return anchors


def check_markdown(path):
    text = text_of(path)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    for link in links:
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = path if not parts.path else (path.parent / unquote(parts.path))
        if not target.exists():
            problems.append(f"{path}: {link}: the file does not exist")
        elif parts.fragment and parts.fragment not in anchors_of(target):
            problems.append(f"{path}: {link}: the file has no such heading")
    for include in re.findall(r"\{\{#include\s+([^}\s]+)", path.read_text(encoding="utf-8")):
        if not (path.parent / include).exists():
            problems.append(f"{path}: {include}: the included file does not exist")
    for code in re.findall(r"`([^`\n]+)`", text):
        if code.startswith(FOLDERS) and not PLACEHOLDER.search(code) and not Path(code).exists():
            problems.append(f"{path}: `{code}` does not exist in the tree")


class Rendered(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.ids = [], set()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if attrs.get("id"):
            self.ids.add(attrs["id"])
        for name in ("href", "src"):
            if attrs.get(name):
                self.links.append(attrs[name])


def check_book(book):
    pages = {}
    for path in sorted(book.rglob("*.html")):
        pages[path.resolve()] = rendered = Rendered()
        rendered.feed(path.read_text(encoding="utf-8"))
    if not pages:
        problems.append(f"{book}: no page was rendered")
    for path, rendered in pages.items():
        # These two pages are made by mdbook for other addresses than their own.
        if path.name in ("404.html", "toc.html"):
            continue
        for link in rendered.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            if not target.exists():
                problems.append(f"{path}: {link}: the file does not exist")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                problems.append(f"{path}: {link}: the page has no such anchor")


def check_named(page, names, what):
    text = Path(page).read_text(encoding="utf-8")
    problems.extend(f"{page}: the {what} `{name}` is not described" for name in names if f"`{name}`" not in text)
    if not names:
        problems.append(f"tests/links.py: found no {what} in the code")


def check_code():
    """What the code has and a page must name."""
    declared = re.findall(r'= "(vigie_\w+)"', Path("src/metrics.rs").read_text(encoding="utf-8"))
    check_named("docs/operations.md", declared, "metric")
    written = re.findall(r"`(vigie_\w+)`", Path("docs/operations.md").read_text(encoding="utf-8"))
    problems.extend(f"docs/operations.md: no metric `{name}` in src/metrics.rs" for name in set(written) - set(declared))
    router = Path("src/web/mod.rs").read_text(encoding="utf-8")
    routes = set()
    for path, handlers in re.findall(r'\.route\("([^"]+)",\s*([^\n]+)\)', router):
        routes.update(f"{method.upper()} {path}" for method in re.findall(r"\b(get|post|put|delete)\(", handlers))
    api = Path("src/web/api/mod.rs").read_text(encoding="utf-8")
    of_api = {f"{method.upper()} {path}" for method, path in re.findall(r'\.(get|post|put|delete)\(\s*"([^"]+)"', api)}
    if not of_api:
        problems.append("tests/links.py: found no route of the API in the code")
    check_named("docs/api.md", sorted(routes | of_api), "route")
    operational = Path("src/alert/operational.rs")
    if operational.exists():
        names = re.findall(r'=> "([A-Z]\w+)"', operational.read_text(encoding="utf-8"))
        check_named("docs/operations.md", names, "operational alert")
    kinds = re.findall(r"\"type = '(\w+)'", Path("src/config/assemble.rs").read_text(encoding="utf-8"))
    pages = Path("docs/sources.md").read_text(encoding="utf-8") + Path("docs/receivers.md").read_text(encoding="utf-8")
    problems.extend(f"docs: the type `{kind}` has no example" for kind in kinds if f'type = "{kind}"' not in pages)
    if not kinds:
        problems.append("tests/links.py: found no type of source or receiver in the code")


for page in map(Path, PAGES):
    check_markdown(page)
for page in sorted(Path("docs").rglob("*.md")):
    check_markdown(page)
check_code()
if len(sys.argv) > 1:
    check_book(Path(sys.argv[1]))
for problem in problems:
    print(problem, file=sys.stderr)
print(f"links: {len(problems)} problems")
sys.exit(1 if problems else 0)
