// The one script of the pages. Everything works without it; it adds live updates, zooming by dragging, keys, and
// corrections without a reload.

const $ = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const messages = $("#messages");

// --- Messages at the corner -------------------------------------------------------------------------------------------

function say(text, { undo, seconds = 10 } = {}) {
  const line = document.createElement("p");
  line.append(text);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(messages.dataset.undo);
    button.addEventListener("click", () => { line.remove(); undo(); });
    line.append(button);
  }
  messages.append(line);
  setTimeout(() => line.remove(), seconds * 1000);
  return line;
}

// --- Live updates: often while the page is looked at, seldom while it is hidden ---------------------------------------

const VISIBLE_PAUSE = 5_000;
const HIDDEN_PAUSE = 60_000;

function showOpen(open) {
  document.title = document.title.replace(/^\(\d+\) /, "");
  if (open) document.title = `(${open}) ${document.title}`;
  const link = $("link[rel=icon]");
  link.dataset.plain ??= link.href;
  if (!open) { link.href = link.dataset.plain; return; }
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 32;
  const draw = canvas.getContext("2d");
  draw.fillStyle = "#b3261e";
  draw.beginPath();
  draw.arc(16, 16, 16, 0, 7);
  draw.fill();
  draw.fillStyle = "#fff";
  draw.font = "bold 20px sans-serif";
  draw.textAlign = "center";
  draw.textBaseline = "middle";
  draw.fillText(open > 9 ? "9+" : String(open), 16, 17);
  link.href = canvas.toDataURL();
}

// A person who selects, types or has a dialog open is not interrupted.
function isBusy() {
  const active = document.activeElement;
  return $("dialog[open]") || (active && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName)) || $(".zoom")
    || String(getSelection()).length > 0 || $("input:checked", $("main"))
    || all("textarea, input[maxlength]", $("main")).some((field) => field.value !== field.defaultValue);
}

async function reload() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (isBusy()) return;
  $("main").innerHTML = $("main", page).innerHTML;
  $("header nav").innerHTML = $("header nav", page).innerHTML;
  document.title = page.title;
}

function followDaemon() {
  let last = Date.now(), waiting = null, offline = null;
  const source = new EventSource("/live");
  const refresh = () => {
    if (waiting) return;
    const pause = document.hidden ? HIDDEN_PAUSE : VISIBLE_PAUSE;
    waiting = setTimeout(() => {
      waiting = null;
      last = Date.now();
      reload().catch(() => {});
    }, Math.max(0, last + pause - Date.now()));
  };
  source.addEventListener("change", (event) => {
    offline?.remove();
    offline = null;
    const { open } = JSON.parse(event.data);
    showOpen(open);
    if ("live" in document.body.dataset) refresh();
  });
  source.addEventListener("error", () => { offline ??= say(messages.dataset.offline, { seconds: 86_400 }); });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !("live" in document.body.dataset)) return;
    clearTimeout(waiting);
    waiting = null;
    refresh();
  });
}

// --- Charts: drag to zoom ---------------------------------------------------------------------------------------------

let drag = null, dragged = false;

document.addEventListener("pointerdown", (event) => {
  const plot = event.target.closest?.(".plot");
  dragged = false;
  // Fingers scroll the page.
  if (!plot || event.button !== 0 || event.pointerType === "touch") return;
  drag = { plot, from: event.clientX, band: null };
});
document.addEventListener("dragstart", (event) => { if (drag) event.preventDefault(); });
document.addEventListener("pointermove", (event) => {
  if (!drag || Math.abs(event.clientX - drag.from) < 8) return;
  if (!drag.band) {
    drag.band = document.createElement("div");
    drag.band.className = "zoom";
    drag.plot.append(drag.band);
  }
  const left = drag.plot.getBoundingClientRect().left;
  drag.band.style.left = `${Math.min(drag.from, event.clientX) - left}px`;
  drag.band.style.width = `${Math.abs(event.clientX - drag.from)}px`;
});
document.addEventListener("pointerup", (event) => {
  if (!drag?.band) { drag = null; return; }
  const { plot, from, band } = drag;
  drag = null;
  dragged = true;
  band.remove();
  const box = $(".steps", plot).getBoundingClientRect();
  const [since, until] = [plot.dataset.since, plot.dataset.until].map(Date.parse);
  const time = (x) => since + Math.min(1, Math.max(0, (x - box.left) / box.width)) * (until - since);
  const [a, b] = [from, event.clientX].map(time).sort((x, y) => x - y).map((at) => new Date(at).toISOString());
  const address = new URL(location.pathname === "/" ? location.href : `/?topic=${encodeURIComponent(plot.dataset.topic)}`, location.href);
  address.searchParams.delete("range");
  address.searchParams.set("since", a);
  address.searchParams.set("until", b);
  location.assign(address);
});
// A drag that ends on a step is not a click on it.
document.addEventListener("click", (event) => { if (dragged) { dragged = false; event.preventDefault(); } }, true);

// --- Posts: correct with one key, undo to any depth -------------------------------------------------------------------

const LABELS = { 1: "negative", 2: "neutral", 3: "positive" };
const undone = [];

const posts = () => all(".post[data-id]");
const current = () => $(".post.current");

function focusPost(post) {
  if (!post) return;
  current()?.classList.remove("current");
  post.classList.add("current");
  post.focus({ preventScroll: true });
  post.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const list = posts();
  const at = list.indexOf(current());
  focusPost(list[Math.min(list.length - 1, Math.max(0, at + by))] ?? list[0]);
}

async function send(path, fields) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
    // Where people sign in, each form of the page has the token of the session.
    body: new URLSearchParams([...fields, ["form_token", $("input[name=form_token]")?.value ?? ""]]),
  });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.detail ?? answer.statusText);
  return body;
}

function mark(post, body) {
  post.dataset.label = body.label;
  for (const button of all("button[name=label]", post)) button.setAttribute("aria-pressed", String(button.value === body.label));
  const note = $(".corrected", post);
  if (note) { note.textContent = body.note; note.hidden = !body.note; }
}

async function correct(chosen, label) {
  const ids = chosen.map((post) => post.dataset.id);
  const buttons = chosen.flatMap((post) => all("button", post));
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const by = $("#by")?.value ?? "";
    const body = await send("/posts/labels", [["label", label], ["by", by], ...ids.map((id) => ["id", id])]);
    for (const result of body.posts) {
      const post = posts().find((candidate) => candidate.dataset.id === result.id);
      if (post) mark(post, result);
    }
    undone.push(ids);
    say(body.message, { undo: () => undo(ids) });
  } catch (error) {
    say(`${messages.dataset.failed}: ${error.message}`);
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

async function undo(ids) {
  const at = ids ? undone.lastIndexOf(ids) : undone.length - 1;
  const last = at >= 0 ? undone.splice(at, 1)[0] : ids;
  if (!last) return;
  try {
    const body = await send("/posts/labels", [["undo", "1"], ...last.map((id) => ["id", id])]);
    for (const result of body.posts) {
      const post = posts().find((candidate) => candidate.dataset.id === result.id);
      if (post) { mark(post, result); focusPost(post); }
    }
    say(body.message);
  } catch (error) {
    say(`${messages.dataset.failed}: ${error.message}`);
  }
}

const selected = () => posts().filter((post) => $("input[type=checkbox]", post)?.checked);

function label(value) {
  const chosen = selected();
  const one = current();
  if (chosen.length) {
    correct(chosen, value);
    chosen.forEach((post) => { $("input[type=checkbox]", post).checked = false; });
  } else if (one) {
    correct([one], value);
    step(1);
  }
}

let lastTicked = null;

document.addEventListener("click", (event) => {
  const post = event.target.closest?.(".post[data-id]");
  if (!post) return;
  if (current() !== post) { current()?.classList.remove("current"); post.classList.add("current"); }
  if (event.target.type !== "checkbox") return;
  const list = posts();
  if (event.shiftKey && lastTicked?.isConnected) {
    const [a, b] = [list.indexOf(lastTicked), list.indexOf(post)].sort((x, y) => x - y);
    list.slice(a, b + 1).forEach((between) => { $("input[type=checkbox]", between).checked = event.target.checked; });
  }
  lastTicked = post;
});
document.addEventListener("submit", (event) => {
  const post = event.target.closest?.(".post[data-id]");
  if (!post || !event.target.matches("form.labels")) return;
  event.preventDefault();
  if (event.submitter?.name === "undo") undo([post.dataset.id]);
  else correct([post], event.submitter?.value ?? "");
});

// --- Keys -------------------------------------------------------------------------------------------------------------

const PLACES = { o: "/", i: "/incidents", p: "/posts", a: "/analyse", m: "/model", b: "/backtest", s: "/sources" };
let afterG = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox") return;
  const key = event.key;
  if (afterG && PLACES[key]) { location.assign(PLACES[key]); return; }
  afterG = key === "g";
  const isPosts = posts().length > 0;
  if (key === "?") $("#keys").showModal();
  else if (key === "/" && $("input[type=search]")) $("input[type=search]").focus();
  else if (isPosts && LABELS[key]) label(LABELS[key]);
  else if (isPosts && (key === "j" || key === "ArrowDown")) step(1);
  else if (isPosts && (key === "k" || key === "ArrowUp")) step(-1);
  else if (isPosts && key === "x" && current()) { const box = $("input[type=checkbox]", current()); if (box) box.checked = !box.checked; }
  else if (isPosts && key === "z") undo();
  else return;
  event.preventDefault();
});

// --- Buttons take one press -------------------------------------------------------------------------------------------

document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method === "dialog") return;
  // After the form is read: a disabled button would not be sent.
  setTimeout(() => all("button", event.target).forEach((button) => { button.disabled = true; }));
});
window.addEventListener("pageshow", () => all("button:disabled").forEach((button) => { button.disabled = false; }));

const print = $("[data-print]");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

showOpen(Number(document.body.dataset.open));
followDaemon();
