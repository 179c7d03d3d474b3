// What the reader does: move along the timeline, filter, sort and enlarge events, pick an hour.

const list = document.getElementById('events'), filters = document.getElementById('filters');
const cards = list ? [...list.children] : [];
const eventOf = new Map(page.events.map(event => [event[0], event]));
const FEW = 60;  // cards at first: the strongest
let most = FEW;
const opened = new Set();  // events whose recurrences at the same hour are shown
let hour = null;  // [from, to] of the calendar cell picked, s on the axis

function apply() {
  const wanted = Object.fromEntries(new FormData(filters));
  const sorted = [...cards];  // they stand in the order of strength
  if (wanted.sort === 'time') sorted.sort((one, other) => one.dataset.from - other.dataset.from);
  let fitting = 0, folded = 0;
  const narrowed = hour !== null || ['kind', 'zone', 'mode', 'stays'].some(key => wanted[key]);
  for (const card of sorted) {
    let fits = !hour || (+card.dataset.from < hour[1] && +card.dataset.to >= hour[0]);
    for (const key of ['kind', 'zone', 'mode', 'stays']) {
      if (wanted[key]) fits = fits && card.dataset[key] === wanted[key];
    }
    const follows = card.dataset.leader && !opened.has(card.dataset.leader) && !narrowed && wanted.sort !== 'time';
    fitting += fits;
    folded += fits && follows;
    card.hidden = !fits || follows || fitting - folded > most;
  }
  for (const button of list.querySelectorAll('.others')) {
    button.setAttribute('aria-expanded', opened.has(button.closest('.event').id));
  }
  list.append(...sorted);
  document.getElementById('clear').hidden = !narrowed;
  document.getElementById('more').hidden = fitting - folded <= most;
  document.getElementById('shown').textContent = `${fitting} of ${cards.length} event${cards.length === 1 ? '' : 's'}`
    + (hour ? ` in the hour from ${momentText(hour[0])}` : '');
}

function openEvent(id) {
  const card = document.getElementById(id);
  if (!card) return;
  if (card.hidden) { most = Infinity; opened.add(card.dataset.leader); clear(); }
  document.querySelectorAll('.event.chosen').forEach(other => other.classList.remove('chosen'));
  card.classList.add('chosen');
  card.scrollIntoView({block: 'center'});
  card.focus({preventScroll: true});
}

function clear() {
  filters.reset();
  pickHour(null);
}

function pickHour(cell) {
  document.querySelectorAll('#calendar .chosen').forEach(other => other.classList.remove('chosen'));
  hour = cell ? [+cell.dataset.from, +cell.dataset.from + HOUR] : null;
  if (cell) cell.classList.add('chosen');
  if (filters) apply();
}

if (filters) {
  filters.addEventListener('change', apply);
  filters.addEventListener('submit', event => event.preventDefault());
  document.getElementById('clear').addEventListener('click', clear);
  document.getElementById('more').addEventListener('click', () => { most = Infinity; apply(); });
  filters.reset();
  apply();
  list.addEventListener('click', event => {
    const card = event.target.closest('.event'), shot = event.target.closest('.shot');
    if (shot) enlarge(card, [...card.querySelectorAll('.shot')].indexOf(shot));
    if (event.target.closest('.others')) {
      if (!opened.delete(card.id)) opened.add(card.id);
      apply();
    }
    if (event.target.closest('.normal')) callNormal(card, event.target.closest('.normal'));
    if (event.target.closest('.locate')) {
      locate(eventOf.get(card.id));
      canvas.scrollIntoView({block: 'center'});
      canvas.focus({preventScroll: true});
    }
  });
}

// Answers: the words to type, for a page on disk cannot run them.
const normal = [];
function callNormal(card, button) {
  const at = normal.indexOf(card.id), bar = document.getElementById('answer');
  if (at < 0) normal.push(card.id); else normal.splice(at, 1);
  button.setAttribute('aria-pressed', at < 0);
  bar.hidden = !normal.length;
  bar.querySelector('code').textContent = `${bar.dataset.words} normal=${normal.join(',')}`;
}
document.addEventListener('click', async event => {
  const button = event.target.closest('.copy');
  if (!button) return;
  const words = button.parentElement.querySelector('code');
  getSelection().selectAllChildren(words);  // to be copied by hand where the browser refuses
  try {
    await navigator.clipboard.writeText(words.textContent);
    button.textContent = 'Copied';
  } catch { if (document.execCommand('copy')) button.textContent = 'Copied'; }
});

// Pictures in large.
const large = document.getElementById('large');
let enlarged = null;
function enlarge(card, first = 0) {
  enlarged = card;
  document.getElementById('large-title').textContent = card.querySelector('h3').textContent + ', '
    + card.querySelector('p').textContent;
  const shots = [...card.querySelectorAll('.shot')].map((shot, number) => {
    const copy = shot.cloneNode(true);
    copy.addEventListener('click', () => enlarge(card, number));
    return copy;
  });
  document.getElementById('large-shots').replaceChildren(...shots.splice(first, 1), ...shots);
  if (!large.open) large.showModal();
}
function step(by) {
  const seen = [...list.querySelectorAll('.event.seen:not([hidden])')];
  if (seen.length) enlarge(seen[(seen.indexOf(enlarged) + by + seen.length) % seen.length]);
}
large.addEventListener('click', event => {
  const by = event.target.dataset.step;
  if (by === '0' || event.target === large) large.close();
  else if (by) step(+by);
});
large.addEventListener('keydown', event => {
  if (event.key === 'ArrowRight') step(1);
  if (event.key === 'ArrowLeft') step(-1);
});
large.addEventListener('close', () => enlarged && enlarged.querySelector('.shot').focus());

// The timeline under the hand.
const momentAt = left => view.from + left / canvas.clientWidth * (view.to - view.from);
const hands = new Map();
let moved = 0;
canvas.addEventListener('pointerdown', event => {
  if (!hands.size) moved = 0;
  hands.set(event.pointerId, event.offsetX);
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener('pointermove', event => {
  if (!hands.has(event.pointerId)) { hover(momentAt(event.offsetX), event.offsetX); return; }
  const before = hands.get(event.pointerId), span = view.to - view.from;
  const other = [...hands.entries()].find(([id]) => id !== event.pointerId);
  if (other) {
    zoom(Math.abs(before - other[1]) / Math.max(1, Math.abs(event.offsetX - other[1])), momentAt(other[1]));
  } else {
    const by = (before - event.offsetX) / canvas.clientWidth * span;
    show(view.from + by, view.to + by);
  }
  moved += Math.abs(event.offsetX - before);
  hands.set(event.pointerId, event.offsetX);
  tip.hidden = true;
});
canvas.addEventListener('pointerup', event => {
  hands.delete(event.pointerId);
  if (moved > 5) return;
  const at = momentAt(event.offsetX), found = eventNear(at, 8);
  if (found) { locate(found); openEvent(found[0]); } else hover(at, event.offsetX);
});
canvas.addEventListener('pointercancel', event => hands.delete(event.pointerId));
canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
canvas.addEventListener('dblclick', () => show(...whole));
canvas.addEventListener('wheel', event => {
  if (!event.ctrlKey && !event.shiftKey && document.activeElement !== canvas) return;  // the page scrolls
  event.preventDefault();
  zoom(event.deltaY > 0 ? 1.25 : .8, momentAt(event.offsetX));
}, {passive: false});

function nextEvent(direction) {
  const ordered = [...page.events].sort((one, other) => one[1] - other[1]);
  if (!ordered.length) return;
  const at = ordered.findIndex(event => event[0] === view.chosen);
  locate(ordered[at < 0 ? (direction > 0 ? 0 : ordered.length - 1) : (at + direction + ordered.length) % ordered.length]);
}
const MOVES = {
  in: () => zoom(.6), out: () => zoom(1 / .6), all: () => { view.chosen = null; tellChosen(null); show(...whole); },
  left: () => show(1.25 * view.from - .25 * view.to, .75 * view.to + .25 * view.from),
  right: () => show(.75 * view.from + .25 * view.to, 1.25 * view.to - .25 * view.from),
  next: () => nextEvent(1), previous: () => nextEvent(-1), open: () => view.chosen && openEvent(view.chosen),
};
const KEYS = {'+': 'in', '=': 'in', '-': 'out', '0': 'all', ArrowLeft: 'left', ArrowRight: 'right',
  n: 'next', p: 'previous', Enter: 'open'};
document.querySelectorAll('[data-move]').forEach(button => button.addEventListener('click', () => MOVES[button.dataset.move]()));
canvas.addEventListener('keydown', event => {
  if (!KEYS[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  MOVES[KEYS[event.key]]();
});

// Calendar: one tab stop, arrows move within, click or Enter picks an hour.
const calendar = document.getElementById('calendar');
if (calendar) {
  const cells = [...calendar.querySelectorAll('tbody tr')].map(row => [...row.querySelectorAll('td')].map(cell => cell.querySelector('button')));
  const said = document.getElementById('cell');
  calendar.querySelector('button').tabIndex = 0;
  const tell = event => { if (event.target.ariaLabel) said.textContent = event.target.ariaLabel; };
  calendar.addEventListener('focusin', tell);
  calendar.addEventListener('pointerover', tell);
  calendar.addEventListener('click', event => {
    const cell = event.target.closest('button');
    if (!cell) return;
    pickHour(cell.classList.contains('chosen') ? null : cell);
    show(+cell.dataset.from - 3 * HOUR, +cell.dataset.from + 4 * HOUR);
  });
  calendar.addEventListener('keydown', event => {
    const by = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (!by) return;
    event.preventDefault();
    let y = cells.findIndex(row => row.includes(event.target)), x = cells[y].indexOf(event.target);
    for (y += by[0], x += by[1]; cells[y] && x >= 0 && x < 24; y += by[0], x += by[1]) {
      if (!cells[y][x]) continue;
      event.target.tabIndex = -1;
      cells[y][x].tabIndex = 0;
      cells[y][x].focus();
      return;
    }
  });
  document.getElementById('shade').addEventListener('change', event => { calendar.className = event.target.value; });
}

document.querySelectorAll('.strip').forEach(strip => strip.addEventListener('click', () => {
  show(+strip.dataset.from, +strip.dataset.to);
  canvas.scrollIntoView({block: 'center'});
}));

function legend() {
  const place = document.getElementById('legend');
  const add = (paint, text, kind = '') => {
    const patch = document.createElement('i'), entry = document.createElement('span');
    patch.className = kind;
    patch.style[kind ? 'borderColor' : 'background'] = paint;
    entry.append(patch, text);
    place.append(entry);
  };
  add('var(--ink)', page.threshold === null ? 'score' : 'score, in thresholds', 'line');
  if (page.threshold !== null) add('var(--amber)', 'alarm threshold', 'line dashed');
  if (points.alarm.some(Boolean)) add('color-mix(in srgb, var(--alarm) 22%, transparent)', 'in alarm');
  if (page.events.some(event => event[4] !== 'camera')) add('var(--alarm)', 'event');
  if (page.events.some(event => event[4] === 'camera')) add('var(--camera)', 'trouble of the camera');
  if (page.gaps.length) add('var(--line)', page.began_ms === null ? 'between clips' : 'no footage');
  if (points.value.some(Number.isNaN)) add('transparent', 'blank: no score', 'line');
  if (modeColours.length) modes.forEach((name, code) => add(modeColours[code], name || 'mode not known'));
  health.forEach((name, code) => code && add(healthColours[code], name));
  if (page.points.thinned) place.append(' \u00b7 of each short stretch the lowest and the highest score are drawn');
}

if (location.hash.length > 1) openEvent(location.hash.slice(1));
function redraw() { draw(); drawStrips(); }
legend();
redraw();
window.addEventListener('resize', redraw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
