// The live page: one camera at a time, asked for once a second while the page is seen.

import { drawChart } from "/page/chart.js";

const EVERY_MS = 1000, MOST_POINTS = 3600, SETTLED_MS = 200, STALE_S = 10;
const TOKEN = "tlae-token", THEME = "tlae-theme";
const byId = (id) => document.getElementById(id);
const session = { id: "", points: [], facts: null, eventsSeen: "", frameShown: -1, clockAhead: 0 };
let token = sessionStorage.getItem(TOKEN) || "", timer = 0, asking = false, settling = 0, heat = true;

class Refused extends Error {
  constructor(status, words) { super(words); this.status = status; }
}

async function ask(path, options = {}) {
  const headers = { ...(options.headers || {}) };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, { ...options, headers, cache: "no-store" });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, said.error || `the server answered ${answer.status}`);
}

const json = async (path) => (await ask(path)).json();
const send = async (method, path, content) =>
  (await ask(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) })).json();
const place = (rest = "") => `/api/sessions/${session.id}${rest}`;

async function look() {
  if (asking || document.hidden) return;
  asking = true;
  try {
    const known = await json("/api/sessions");
    trouble("");
    byId("token-form").hidden = true;
    choose(known);
    if (session.id) await follow();
  } catch (error) {
    if (error.status === 401) askForToken();
    else if (error.status !== 404) trouble(error.status ? error.message : "The server does not answer; trying again.");
  } finally {
    asking = false;
    clearTimeout(timer);
    timer = setTimeout(look, EVERY_MS);
  }
}

function choose(known) {
  const list = byId("sessions"), ids = known.map((one) => one.id);
  const newest = [...known].sort((a, b) => (b.last ? b.last.received_at : 0) - (a.last ? a.last.received_at : 0))[0];
  const wanted = [session.id, location.hash.slice(1)].find((id) => ids.includes(id)) || (newest ? newest.id : "");
  const words = known.map((one) => `${one.last && one.last.alarm ? "● " : ""}${one.name}`);
  if (list.dataset.shown !== JSON.stringify([ids, words])) {
    list.replaceChildren(...known.map((one, n) => new Option(words[n], one.id)));
    list.dataset.shown = JSON.stringify([ids, words]);
  }
  list.hidden = !ids.length;
  byId("live").hidden = !wanted;
  if (!wanted) showEmpty(); else byId("empty").hidden = true;
  if (wanted !== session.id) begin(wanted);
  list.value = session.id;
}

function begin(id) {
  Object.assign(session, { id, points: [], facts: null, eventsSeen: "", frameShown: -1 });
  if (id) history.replaceState(null, "", `#${id}`);
  byId("picture").hidden = true;
  byId("no-picture").hidden = false;
  byId("no-picture").textContent = "No frame of this camera has come yet.";
  byId("events").replaceChildren();
  byId("hidden-events").replaceChildren();
}

async function follow() {
  const id = session.id, last = session.points.at(-1);
  const found = await json(place(`/points?after=${last ? last.frame : -1}`));
  if (id !== session.id) return;
  session.points = [...session.points, ...found.points].slice(-MOST_POINTS);
  session.facts = found;
  session.clockAhead = Date.now() / 1000 - found.now;
  showFacts();
  showVerdict();
  if (found.points.length || !byId("chart").dataset.drawn) showCurve();
  if (session.points.length && session.frameShown !== session.points.at(-1).frame) await showPicture();
  await showEvents();
}

async function showPicture() {
  const newest = session.points.at(-1).frame;
  const answer = await ask(place(`/picture?heat=${heat}`)).catch((error) => {
    if (error.status !== 404) throw error; // a session that outlived its server has no picture
  });
  if (!answer) {
    session.frameShown = newest;
    byId("no-picture").textContent = "No frame of this camera has come since the server began.";
    return;
  }
  session.frameShown = Number(answer.headers.get("X-Frame"));
  await put(byId("picture"), answer);
  byId("picture").alt = `Newest frame of ${session.facts.name}${heat ? ", with what is unusual marked" : ""}`;
  byId("picture").hidden = false;
  byId("no-picture").hidden = true;
}

async function put(image, answer) {
  const before = image.src;
  image.src = URL.createObjectURL(await answer.blob());
  if (before.startsWith("blob:")) URL.revokeObjectURL(before);
}

const short = (number) => (number === null || number === undefined ? "–" : Number(number).toPrecision(3));

function span(seconds, digits = 0) {
  if (seconds < 90) return `${Math.max(0, seconds).toFixed(digits)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${(seconds / 3600).toFixed(digits)} h` : `${(seconds / 86400).toFixed(digits)} days`;
}

function isFine(health) { return ["", "ok", "repeated"].includes(health); }

function showVerdict() {
  const last = session.points.at(-1), badge = byId("verdict");
  const state = !last ? "" : last.alarm ? "alarm" : !isFine(last.health) ? "trouble" : "calm";
  const words = { "": "no frame yet", alarm: "alarm", trouble: `camera ${last && last.health}`, calm: "calm" };
  const said = last && last.state !== "ok" ? "warming up" : words[state];
  if (badge.textContent !== said) badge.textContent = said;
  badge.className = `badge ${state}`;
  byId("reason").textContent = last && last.reason && last.alarm ? `It ${last.reason}.` : "\u00a0";
  byId("raw").textContent = last ? `${short(last.raw)} of ${short(threshold())}` : "";
  document.title = `${state === "alarm" ? "● " : ""}${session.facts.name} – tlae`;
}

function showFacts() {
  const facts = session.facts, last = session.points.at(-1), recent = session.points.slice(-30);
  const age = last ? Date.now() / 1000 - session.clockAhead - last.received_at : null;
  const rate = recent.length > 1 ? (recent.length - 1) / (last.received_at - recent[0].received_at) : null;
  const rows = [
    ["Name", facts.name, ""],
    ["Last frame", age === null ? "none yet" : `${span(age)} ago`, age > STALE_S ? "warn" : ""],
    ["Health", last ? last.health || "ok" : "–", last && !isFine(last.health) ? "bad" : ""],
    ["Mode", last && last.mode ? last.mode : "–", ""],
    ["Frames", `${facts.frames.toLocaleString()}${rate ? `, ${rate.toPrecision(2)} a second` : ""}`, ""],
    ["Alarm by", budgetWords(facts.budget), ""],
    ["Normal frames calmer", last && last.score !== null ? `${(100 * last.score).toFixed(1)} %` : "–", ""],
    ["Model", `${facts.model} (${facts.digest.slice(0, 8)})`, ""],
  ];
  byId("facts").replaceChildren(...rows.flatMap(([name, value, kind]) => {
    const term = document.createElement("dt"), said = document.createElement("dd");
    term.textContent = name;
    said.textContent = value;
    said.className = kind;
    return [term, said];
  }));
}

function budgetWords(budget) {
  if (budget.threshold !== undefined) return "a threshold set here";
  if (budget.false_alarm_rate !== undefined) return `${100 * budget.false_alarm_rate} % of normal frames`;
  return budget.alarms_per_day !== undefined ? `${budget.alarms_per_day} alarms a day` : "as trained";
}

// The threshold: what the user moves counts at once on the page, and a moment later in the session.

let moved = null; // what the user asks for, until the session has it

function fixedThreshold() { // null: each frame has the threshold of its time, by the mode of the camera
  if (moved !== null) return moved;
  const given = session.facts && session.facts.budget.threshold;
  return given === undefined ? null : given;
}

function threshold() {
  const fixed = fixedThreshold(), last = session.points.at(-1);
  return fixed === null && last ? last.threshold : fixed;
}

function showCurve(fixed = null) {
  const level = threshold(), held = fixedThreshold();
  const shown = session.points.slice(-Number(byId("span").value));
  const levels = shown.map((point) => (held === null ? point.threshold : held));
  const most = fixed || 1.15 * Math.max(0, level || 0, ...levels, ...shown.map((point) => point.raw || 0)) || 1;
  drawChart(byId("chart"), shown, levels, most);
  byId("chart").dataset.drawn = "yes";
  const slider = byId("threshold"), number = byId("threshold-number");
  if (document.activeElement !== slider || moved === null) {
    slider.dataset.most = most;
    slider.value = level === null ? 1000 : Math.round((1000 * level) / most);
  }
  slider.setAttribute("aria-valuetext", short(level));
  if (document.activeElement !== number) number.value = level === null ? "" : Number(level.toPrecision(5));
}

function move(level) {
  moved = level;
  showCurve(Number(byId("threshold").dataset.most));
  clearTimeout(settling);
  settling = setTimeout(() => change({ threshold: level }), SETTLED_MS);
}

async function change(budget) {
  try {
    const facts = await send("PATCH", place(), budget);
    Object.assign(session.facts, { budget: facts.budget });
    moved = null;
    showFacts();
    showCurve();
  } catch (error) { trouble(error.message); }
}

byId("threshold").addEventListener("input", (event) =>
  move((Number(event.target.value) / 1000) * Number(event.target.dataset.most)));
byId("threshold-number").addEventListener("change", (event) => {
  if (event.target.value !== "" && event.target.checkValidity()) move(Number(event.target.value));
});
byId("as-trained").addEventListener("click", () => change({}));
byId("span").addEventListener("change", () => showCurve());

// Events

async function showEvents() {
  const seen = `${session.facts.events} ${session.points.at(-1) ? session.points.at(-1).alarm : ""}`;
  if (seen === session.eventsSeen && !seen.endsWith("true")) return;
  const events = await json(place("/events"));
  session.eventsSeen = events.some((event) => event.goes_on) ? "" : seen;
  const hidden = events.filter((event) => event.hidden_by), open = events.filter((event) => !event.hidden_by);
  byId("count").textContent = open.length ? open.length : "";
  byId("no-events").hidden = open.length > 0;
  byId("hidden").hidden = !hidden.length;
  byId("hidden-count").textContent = `${hidden.length} hidden by your answers`;
  const lists = [byId("events"), byId("hidden-events")];
  const shown = new Map(lists.flatMap((list) => [...list.children]).map((item) => [item.dataset.key, item]));
  [open, hidden].forEach((some, number) => lists[number].replaceChildren(...some.map((event) => {
    const key = JSON.stringify([
      event.id, event.last_frame, event.goes_on, event.seen_now, event.has_snapshot, event.mark, event.what,
      event.until, event.hidden_by,
    ]);
    return shown.get(key) || eventItem(event, key, shown);
  })));
}

const isUnseen = (event) => event.goes_on && event.what && !event.seen_now; // a thing that may come back

function eventWords(event) {
  const lasted = event.end_s - event.start_s, worst = short(event.peak_raw);
  const when = event.started_at ? event.started_at.replace("T", " ").slice(0, 19) : `at ${event.start_s.toFixed(1)} s`;
  const last = event.ended_at ? event.ended_at.replace("T", " ").slice(0, 19) : `${event.end_s.toFixed(1)} s`;
  return [
    `${event.id}${isUnseen(event) ? ` not seen since ${last}` : event.goes_on ? " goes on" : ""}`,
    `${when}, ${span(lasted, 1)}`,
    event.kind === "camera" ? `camera: ${event.health}` : `highest ${worst} of ${short(event.threshold)}`,
  ];
}

function eventItem(event, key, shown) {
  const item = document.createElement("li"), button = document.createElement("button");
  const [title, when, worst] = eventWords(event);
  item.dataset.key = key;
  item.dataset.picture = `${event.id} ${event.peak_frame}`;
  const before = [...shown.values()].find((one) => one.dataset.picture === item.dataset.picture);
  const kept = before && before.querySelector("img");
  const picture = kept || document.createElement(event.has_snapshot ? "img" : "div");
  if (event.has_snapshot && !kept) {
    picture.alt = `Worst frame of ${event.id}`;
    ask(place(`/events/${event.id}/snapshot`)).then((answer) => put(picture, answer)).catch(() => {});
  } else if (!kept) {
    picture.className = "none";
    picture.textContent = "no picture";
  }
  const name = document.createElement("strong"), time = document.createElement("span"), high = document.createElement("span");
  name.textContent = title;
  name.className = event.goes_on && !isUnseen(event) && !event.hidden_by ? "on" : "";
  time.textContent = when;
  const said = [worst, event.what, event.until.replace(/(\d)T(\d)/, "$1 $2"), event.hidden_by && `like answer ${event.hidden_by}`];
  high.textContent = [...said, event.mark && `marked ${event.mark}`].filter(Boolean).join(", ");
  button.type = "button";
  button.append(picture, name, time, high);
  button.addEventListener("click", () => enlarge(event, picture));
  item.append(button);
  return item;
}

function enlarge(event, picture) {
  const large = byId("large-picture");
  large.hidden = !picture.src;
  if (picture.src) Object.assign(large, { src: picture.src, alt: picture.alt });
  byId("large-title").textContent = eventWords(event).slice(0, 2).join(", ");
  const told = event.told_by ? `${event.told_by[0].toUpperCase()}${event.told_by.slice(1)}.` : "";
  const reason = event.reason ? `It ${event.reason}.` : "";
  byId("large-words").textContent = [reason, told].filter(Boolean).join(" ") || eventWords(event)[2];
  byId("large").dataset.event = event.id;
  showMark(event.mark);
  byId("large").showModal();
}

function showMark(mark) {
  for (const name of ["normal", "wanted"]) byId(`mark-${name}`).setAttribute("aria-pressed", mark === name);
}

async function markEvent(name) {
  const pressed = byId(`mark-${name}`).getAttribute("aria-pressed") === "true", id = byId("large").dataset.event;
  try {
    const events = await send("PUT", place(`/events/${id}/mark`), { mark: pressed ? null : name });
    showMark(events.find((event) => event.id === id).mark);
    session.eventsSeen = "";
    look();
  } catch (error) { byId("large").close(); trouble(error.message); }
}

for (const name of ["normal", "wanted"]) byId(`mark-${name}`).addEventListener("click", () => markEvent(name));

byId("close").addEventListener("click", () => byId("large").close());

// What surrounds it

function trouble(words) {
  byId("trouble").hidden = !words;
  byId("trouble").textContent = words;
  byId("link").textContent = words ? "" : "connected";
}

function askForToken() {
  byId("live").hidden = byId("empty").hidden = true;
  byId("token-form").hidden = false;
  trouble(token ? "That was not the token of this server." : "");
  byId("link").textContent = "";
}

async function showEmpty() {
  if (!byId("empty").hidden) return;
  byId("empty").hidden = false;
  const models = (await json("/api/models")).filter((one) => !one.kind || one.kind === "camera");
  byId("model").replaceChildren(...models.map((one) => new Option(one.id)));
  const name = models.length ? models[0].id : "gate", header = token ? ` -H "Authorization: Bearer $TOKEN"` : "";
  byId("example").textContent = [
    `curl -s ${location.origin}/api/sessions${header} \\`,
    `     -H 'Content-Type: application/json' -d '{"model": "${name}"}'`,
    `curl -s --data-binary @frame.jpg ${location.origin}/api/sessions/ID/frames${header}`,
  ].join("\n");
}

byId("begin").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const made = await send("POST", "/api/sessions", { model: byId("model").value, name: byId("name").value });
    begin(made.id);
    look();
  } catch (error) { trouble(error.message); }
});
byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token").value.trim();
  sessionStorage.setItem(TOKEN, token);
  look();
});
byId("sessions").addEventListener("change", (event) => { begin(event.target.value); look(); });
byId("end").addEventListener("click", async () => {
  if (!confirm(`End the session ${session.facts.name}? Its curve and its events go with it.`)) return;
  await ask(place(), { method: "DELETE" }).catch((error) => trouble(error.message));
  begin("");
  look();
});

function toggleHeat() {
  heat = !heat;
  byId("heat").setAttribute("aria-pressed", heat);
  session.frameShown = -1;
  look();
}

byId("heat").addEventListener("click", toggleHeat);
document.addEventListener("keydown", (event) => {
  const typing = ["INPUT", "SELECT"].includes(event.target.tagName) && event.target.type !== "range";
  if (event.key.toLowerCase() === "h" && !typing && !event.ctrlKey && !event.metaKey) toggleHeat();
});
byId("theme").addEventListener("click", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const next = (document.documentElement.dataset.theme || (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem(THEME, next);
  if (session.facts) showCurve();
});
if (localStorage.getItem(THEME)) document.documentElement.dataset.theme = localStorage.getItem(THEME);
document.addEventListener("visibilitychange", look);
new ResizeObserver(() => session.facts && showCurve()).observe(byId("chart"));
look();
