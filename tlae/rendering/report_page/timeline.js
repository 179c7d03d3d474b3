'use strict';
// The timeline and the score under each strip of the keogram, drawn from the page's own data.

const page = JSON.parse(document.getElementById('data').textContent);
const DAY = 86400, HOUR = 3600;
const STEPS = [.1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR,
  3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 365 * DAY];
const HEALTH_COLOURS = {unreadable: '#8a9099', black: '#3a3f47', saturated: '#e8c547',
  frozen: '#4aa3d8', repeated: '#8fc1de', blurred: '#c08adf', covered: '#a0623a', moved: '#e0812f'};
const MODE_COLOURS = ['#5b9bd5', '#39424e', '#b45fa5', '#5fa55a', '#c9a43a', '#7f8791'];
const LEAST_APART = 6;  // px between the lines where clips begin
const HEAD = 18, FOOT = 20, LANE = 7;  // px: event marks above; labels and coloured lanes below

const decode = (text, Kind) => new Kind(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
const points = {};
for (const [key, Kind] of Object.entries({at: Float64Array, value: Float32Array, score: Float32Array,
  alarm: Uint8Array, health: Uint8Array, mode: Uint8Array})) {
  points[key] = decode(page.points[key], Kind);
}
const count = points.at.length;
const health = page.points.health_names, modes = page.points.mode_names;
const whole = [-0.01 * page.span_s - page.interval_s, 1.01 * page.span_s + page.interval_s];
const view = {from: whole[0], to: whole[1], chosen: null};
const canvas = document.getElementById('timeline'), tip = document.getElementById('tip');
// Whether a gap in the footage lies just before a point; points of a thinned curve are far apart.
const broken = new Uint8Array(count + 1).fill(1, count);
for (let i = 0, g = 0; i < count; i++) {
  for (; g < page.gaps.length && page.gaps[g][1] <= points.at[i] + 1e-6; g++) broken[i] = 1;
}
const colour = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name);

/** Index of the first point at or after a moment. */
function lowerBound(at) {
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points.at[middle] < at) low = middle + 1; else high = middle;
  }
  return low;
}

function clipAt(at) {
  let found = page.clips[0];
  for (const clip of page.clips) if (clip[1] <= at) found = clip;
  return found;
}

const two = number => String(number).padStart(2, '0');
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const clockOf = at => new Date(page.began_ms + 1000 * at);
function elapsed(seconds) {
  const whole = Math.floor(seconds + 1e-6), tenth = Math.floor(10 * (seconds - whole) + 1e-6);
  const hours = Math.floor(whole / HOUR);
  return (hours ? hours + ':' : '') + two(Math.floor(whole / 60) % 60) + ':' + two(whole % 60)
    + (tenth > 0 ? '.' + tenth : '');
}
function momentText(at) {
  if (page.began_ms === null) {
    const clip = clipAt(at);
    return clip[0] + ' ' + elapsed(Math.max(0, at - clip[1]));
  }
  const clock = clockOf(at);
  return `${clock.getUTCDate()} ${MONTHS[clock.getUTCMonth()]} ${clock.getUTCFullYear()} `
    + `${two(clock.getUTCHours())}:${two(clock.getUTCMinutes())}:${two(clock.getUTCSeconds())}`;
}

/** Sharp drawing at any pixel density; returns context, width and height in CSS pixels. */
function prepare(target) {
  const box = target.getBoundingClientRect(), density = window.devicePixelRatio || 1;
  target.width = Math.round(box.width * density);
  target.height = Math.round(box.height * density);
  const context = target.getContext('2d');
  context.scale(density, density);
  return [context, box.width, box.height];
}

/** Calls use(code, start, end) for each stretch of points of one code without a gap in it. */
function runs(codes, first, last, use) {
  for (let i = first, begin = first; i < last; i++) {
    const next = i + 1 < count ? points.at[i + 1] : Infinity;
    if (i + 1 < last && !broken[i + 1] && codes[i + 1] === codes[begin]) continue;
    use(codes[begin], points.at[begin], broken[i + 1] ? points.at[i] + 2 * page.interval_s : next);
    begin = i + 1;
  }
}

/** Height of a score on the axis. */
const heightOf = (value, top, bottom) => bottom - Math.min(Math.max(value / page.top, 0), 1) * (bottom - top);

/** Lowest and highest score of each pixel column, joined, broken at gaps and unreadable frames; none from `end` on. */
function drawCurve(context, from, to, width, top, bottom, end = Infinity) {
  const x = at => (at - from) / (to - from) * width;
  const y = value => heightOf(value, top, bottom);
  const first = Math.max(0, lowerBound(from) - 1), last = Math.min(count, lowerBound(to) + 1, lowerBound(end));
  context.fillStyle = colour('alarm');
  context.globalAlpha = .22;
  let edge = -Infinity;  // stretches closer than a pixel must not add up
  runs(points.alarm, first, last, (alarm, start, end) => {
    const left = Math.max(edge, x(start)), right = Math.max(x(end), x(start) + 1.5);
    if (!alarm || right <= left) return;
    context.fillRect(left, top, right - left, bottom - top);
    edge = right;
  });
  context.globalAlpha = last - first > 3 * width ? .6 : 1;  // a dense curve must not hide the rest
  context.strokeStyle = context.fillStyle = colour('ink');
  context.lineWidth = 1.1;
  context.beginPath();
  let before = false, column = null, low = 0, high = 0;
  const flush = () => { if (column !== null && high > low) { context.moveTo(column, y(low)); context.lineTo(column, y(high)); } };
  for (let i = first; i < last; i++) {
    const value = points.value[i];
    if (Number.isNaN(value)) { flush(); before = false; column = null; continue; }
    const place = x(points.at[i]);
    const joined = before && !broken[i];
    if (column !== null && joined && Math.floor(place) === Math.floor(column)) {
      low = Math.min(low, value); high = Math.max(high, value);
      context.lineTo(place, y(value));
    } else {
      flush();
      if (joined) context.lineTo(place, y(value));
      else { context.fillRect(place - 1, y(value) - 1, 2, 2); context.moveTo(place, y(value)); }
      column = place; low = high = value;
      context.moveTo(place, y(value));
    }
    before = true;
  }
  flush();
  context.stroke();
  context.globalAlpha = 1;
  drawThreshold(context, y, width);
}

/** Dashed: the alarm threshold, which is 1 for every frame. */
function drawThreshold(context, y, width) {
  if (page.threshold === null) return;
  context.strokeStyle = colour('amber');
  context.setLineDash([5, 3]);
  context.beginPath();
  context.moveTo(0, y(page.threshold));
  context.lineTo(width, y(page.threshold));
  context.stroke();
  context.setLineDash([]);
}

/** Labels of the score axis, on the ground so that the curve does not cross them. */
function drawAxis(context, top, bottom) {
  const step = [.01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 20, 50].find(each => page.top / each <= 4) || page.top / 2;
  context.font = '12px system-ui, sans-serif';
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  for (let value = 0; value <= page.top + 1e-9; value += step) {
    const label = +value.toPrecision(3) + (page.threshold === null ? '' : '\u00d7'), y = Math.min(heightOf(value, top, bottom), bottom - 8);
    context.fillStyle = colour('ground');
    context.fillRect(0, y - 7, context.measureText(label).width + 6, 14);
    context.fillStyle = colour(value === page.threshold ? 'amber' : 'faint');
    context.fillText(label, 3, y);
  }
  context.textBaseline = 'alphabetic';
}

function drawGaps(context, x, top, bottom) {
  context.font = '12px system-ui, sans-serif';
  for (const [start, end] of page.gaps) {
    const left = x(start + page.interval_s / 2), right = x(end - page.interval_s / 2);
    if (right < 0 || left > canvas.clientWidth || right - left < 1) continue;
    context.fillStyle = colour('band');
    context.fillRect(left, top, right - left, bottom - top);
    if (page.began_ms !== null && right - left > 76) {
      context.fillStyle = colour('faint');
      context.textAlign = 'center';
      context.fillText('no footage', (left + right) / 2, (top + bottom) / 2);
    }
  }
}

/** Round moments of the axis: [moment, label, whether a new day or clip begins]. */
function ticks(width) {
  const span = view.to - view.from, most = Math.max(2, width / 80);
  const step = STEPS.find(each => span / each <= most) || span / most;
  const made = [];
  if (page.began_ms === null) {
    for (const [name, start, end] of page.clips) {
      if (end >= view.from) made.push([Math.max(start, view.from), name, true, Math.min(end, view.to)]);
      for (let at = step; at < end - start; at += step) made.push([start + at, elapsed(at), false]);
    }
    return made.filter(([at]) => at >= view.from && at <= view.to);
  }
  const midnight = new Date(page.began_ms).setUTCHours(0, 0, 0, 0);
  const offset = (page.began_ms - midnight) / 1000;
  for (let n = Math.ceil((view.from + offset) / step); n * step - offset <= view.to; n++) {
    const at = n * step - offset, clock = clockOf(at), zero = (n * step) % DAY === 0;
    const label = zero ? `${clock.getUTCDate()} ${MONTHS[clock.getUTCMonth()]}`
      : `${two(clock.getUTCHours())}:${two(clock.getUTCMinutes())}` + (step < 60 ? ':' + two(clock.getUTCSeconds()) : '');
    made.push([at, label, zero]);
  }
  return made;
}

// What the names of all clips begin with: left out where a whole name has no room.
const shared = (() => {
  const names = page.clips.map(([name]) => name);
  let length = names.length > 1 ? names[0].length - 1 : 0;
  while (length && !names.every(name => name.startsWith(names[0].slice(0, length)) && name.length > length)) length--;
  return length;
})();

/** As much of a text as there is room for. */
function fitted(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  const letters = Array.from(text);  // none is cut in two
  let low = 0, high = letters.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(letters.slice(0, middle).join('') + '\u2026').width <= room) low = middle; else high = middle - 1;
  }
  return letters.slice(0, low).join('') + '\u2026';
}

/** Days and clips first, each clip by as much of its name as it has room for; then other moments. */
function drawTicks(context, x, width, top, bottom, foot) {
  const taken = [], all = ticks(width);
  let line = -Infinity;
  context.font = '12px system-ui, sans-serif';
  context.textAlign = 'left';
  for (const [at, label, strong, until] of [...all.filter(each => each[2]), ...all.filter(each => !each[2])]) {
    const place = x(at);
    context.strokeStyle = colour('line');
    context.globalAlpha = strong ? 1 : .55;
    if (!strong || place - line >= LEAST_APART) {  // many clips must not make one grey ground
      context.beginPath(); context.moveTo(place, top); context.lineTo(place, bottom); context.stroke();
      if (strong) line = place;
    }
    context.globalAlpha = 1;
    if (until !== undefined && taken.some(([from, to]) => place >= from - 6 && place < to + 6)) continue;
    let text = label;
    const room = until === undefined ? Infinity : x(until) - place;
    if (context.measureText(text).width > room) text = fitted(context, label.slice(shared), Math.max(room, width / 6));
    const wide = context.measureText(text).width;
    const start = until === undefined ? place - wide / 2 : place;
    const left = Math.min(Math.max(2, start), width - wide - 2);
    if (taken.some(([from, to]) => left < to + 6 && left + wide > from - 6)) continue;
    context.fillStyle = colour(strong ? 'ink' : 'faint');
    context.fillText(text, left, foot);
    taken.push([left, left + wide]);
  }
}

/** A lane of colours for a code of each frame; none for code -1. */
function drawLane(context, x, codes, colours, top) {
  const first = Math.max(0, lowerBound(view.from) - 1), last = Math.min(count, lowerBound(view.to) + 1);
  runs(codes, first, last, (code, start, end) => {
    context.fillStyle = colours[code];
    if (colours[code]) context.fillRect(x(start), top, Math.max(1.5, x(end) - x(start)), LANE);
  });
}

const healthColours = health.map((name, code) => code ? HEALTH_COLOURS[name] || '#e0812f' : '');
const modeColours = modes.length > 1 ? modes.map((_, code) => MODE_COLOURS[code % MODE_COLOURS.length]) : [];
const lanes = (health.length > 1 ? 1 : 0) + (modes.length > 1 ? 1 : 0);

function draw() {
  const [context, width, height] = prepare(canvas);
  const x = at => (at - view.from) / (view.to - view.from) * width;
  const bottom = height - FOOT - lanes * (LANE + 3);
  drawGaps(context, x, HEAD, bottom);
  drawTicks(context, x, width, HEAD, bottom, height - 6);
  drawCurve(context, view.from, view.to, width, HEAD, bottom);
  drawAxis(context, HEAD, bottom);
  let lane = bottom + 3;
  if (modes.length > 1) { drawLane(context, x, points.mode, modeColours, lane); lane += LANE + 3; }
  if (health.length > 1) drawLane(context, x, points.health, healthColours, lane);
  for (const [id, from, to, , kind] of page.events) {
    const left = x(from), wide = Math.max(4, x(to) - left);
    if (left + wide < 0 || left > width) continue;
    context.fillStyle = id === view.chosen ? colour('accent') : colour(kind === 'camera' ? 'camera' : 'alarm');
    context.fillRect(left - 1, id === view.chosen ? 2 : 5, wide + 2, id === view.chosen ? 14 : 9);
  }
}

function drawStrips() {
  const strips = [...document.querySelectorAll('.strip')];
  for (const [number, strip] of strips.entries()) {
    const [context, width, height] = prepare(strip.querySelector('canvas'));
    const end = number + 1 < strips.length ? +strips[number + 1].dataset.from : Infinity;  // a shorter clip leaves room
    drawCurve(context, +strip.dataset.from, +strip.dataset.to, width, 1, height - 1, end);
  }
}

function show(from, to) {
  const least = Math.max(4 * page.interval_s, 1e-3), full = whole[1] - whole[0];
  const span = Math.min(Math.max(to - from, least), full);
  const middle = (from + to) / 2;
  view.from = Math.min(Math.max(middle - span / 2, whole[0]), whole[1] - span);
  view.to = view.from + span;
  draw();
}

function zoom(factor, around) {
  const at = around === undefined ? (view.from + view.to) / 2 : around;
  show(at - (at - view.from) * factor, at + (view.to - at) * factor);
}

/** Nearest event whose mark lies within some pixels of a moment, or null. */
function eventNear(at, pixels) {
  const close = pixels * (view.to - view.from) / canvas.clientWidth;
  let best = null, away = close;
  for (const event of page.events) {
    const distance = Math.max(event[1] - at, at - event[2], 0);
    if (distance <= away) { best = event; away = distance; }
  }
  return best;
}

function locate(event) {
  view.chosen = event[0];
  tellChosen(event);
  const margin = Math.max(3 * (event[2] - event[1]), 40 * page.interval_s);
  if (view.to - view.from > 6 * margin || event[1] < view.from || event[2] > view.to) show(event[1] - margin, event[2] + margin);
  else draw();
}

/** Which event is chosen, beside the buttons that step from one to the next. */
function tellChosen(event) {
  const place = document.getElementById('which');
  if (!place) return;
  if (!event) { place.textContent = ''; return; }
  const ordered = [...page.events].sort((one, other) => one[1] - other[1]), link = document.createElement('a');
  link.href = '#' + event[0];
  link.textContent = event[0];
  place.replaceChildren(link, `, ${ordered.indexOf(event) + 1} of ${ordered.length} in time: ${momentText(event[1])}`);
}

/** How a score stands among those of normal footage, in the words of `share_text` in strength.py. */
function shareText(score) {
  const share = Math.round(1e7 * score) / 1e7;  // points hold four bytes
  if (share >= 1) return 'above all known normal footage';
  const nines = Math.floor(-Math.log10(1 - share) + 1e-9), digits = Math.min(Math.max(0, nines - 2), 4);
  return `above ${(Math.floor(share * 100 * 10 ** digits + 1e-6) / 10 ** digits).toFixed(digits)} % of normal`;
}

function hover(at, left) {
  let i = lowerBound(at);
  if (i > 0 && (i === count || at - points.at[i - 1] < points.at[i] - at)) i--;
  const outside = at < -page.interval_s || at > page.span_s + page.interval_s;
  const nothing = outside || page.gaps.some(([start, end]) => at > start + page.interval_s && at < end - page.interval_s);
  const lines = [momentText(nothing ? at : points.at[i])];
  if (nothing) lines.push('no footage');
  else {
    const value = points.value[i], score = points.score[i];
    if (Number.isNaN(value)) lines.push('no score');
    else lines.push(page.threshold === null ? 'score ' + value.toPrecision(3) : value.toFixed(2) + '\u00d7 threshold');
    if (!Number.isNaN(score)) lines.push(shareText(score));
    if (modes[points.mode[i]]) lines.push(modes[points.mode[i]]);
    if (points.health[i]) lines.push('camera: ' + health[points.health[i]]);
    if (points.alarm[i]) lines.push('alarm');
  }
  const event = eventNear(at, 6);
  if (event) lines.push(event[0] + ': click to open');
  tip.textContent = lines.join('\n');
  tip.hidden = false;
  tip.style.left = Math.min(Math.max(0, left + 14), canvas.clientWidth - tip.offsetWidth) + 'px';
  if (left + 14 + tip.offsetWidth > canvas.clientWidth) tip.style.left = Math.max(0, left - tip.offsetWidth - 14) + 'px';
}
