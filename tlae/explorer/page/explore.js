// The page: holds what is shown, and ties map, legend and panel together.

import {getArray, getJson, getMap, save, send, untilKnown} from './api.js';
import {coloursOfLabels, coloursOfValues, rangeOf, stops} from './colours.js';
import {clusterName, showClusters, showRamp, sizes} from './legend.js';
import {Panel} from './panel.js';
import {CHOSEN, DIM, PLAIN, Scatter} from './scatter.js';

const $ = (id) => document.getElementById(id);
const state = {facts: null, labeling: null, labels: null, selection: [], hidden: new Set(), column: '', columns: new Map(), map: 'pca', dimensions: 2};
const history = {back: [], forward: []};  // of {labeling, selection}
const panel = new Panel(state, {pin});
let scatter, toastTimer, latestMap = 0;

function toast(text) {
  $('toast').textContent = text; $('toast').hidden = false;
  clearTimeout(toastTimer); toastTimer = setTimeout(() => { $('toast').hidden = true; }, 6000);
}

// Runs what a control asks for, and shows why it failed.
function attempt(action) { return async (...given) => { try { await action(...given); } catch (error) { toast(error.message); } }; }

function cover(text, job) {
  $('cover').hidden = text === null;
  $('cover-text').textContent = text || '';
  $('cover-bar').hidden = !job;
  $('cover-stop').hidden = !job;
  showBar($('cover-bar'), job);
  if (job) $('cover-stop').onclick = attempt(() => send('DELETE', `api/jobs/${job.id}`));
}

function showBar(bar, job) { if (job?.progress > 0) bar.value = job.progress; else bar.removeAttribute('value'); }
function jobText(job) { return job.message ? `${job.message}${job.progress > 0 ? `, ${Math.round(100 * job.progress)} %` : ''}` : 'waiting for another job'; }

function recolour() {
  const shown = (label) => !state.hidden.has(label), values = state.columns.get(state.column);
  if (values) {
    const range = rangeOf(state.column, values);
    scatter.setColours(coloursOfValues(values, range, stops(state.column), state.labels, shown));
    showRamp(state.column, range);
  } else {
    scatter.setColours(coloursOfLabels(state.labels, shown));
    showRamp('');
  }
  showClusters(state.labels, state.labeling.clusters, state.hidden, {toggle, select: selectCluster, name: nameCluster});
}

function select(rows) {
  state.selection = rows;
  const states = new Uint8Array(state.facts.count).fill(rows.length ? DIM : PLAIN);
  for (const row of rows) states[row] = CHOSEN;
  scatter.setStates(states);
  panel.showSelection(rows, state.facts.count);
}

function remember() {
  history.back.push({labeling: state.labeling.id, selection: state.selection});
  history.forward = [];
  showHistory();
}

function showHistory() { $('undo').disabled = !history.back.length; $('redo').disabled = !history.forward.length; }

async function travel(from, to) {
  if (!from.length) return;
  const before = {labeling: state.labeling.id, selection: state.selection}, there = from.pop();
  to.push(before);
  if (there.labeling !== state.labeling.id) await setLabeling(there.labeling);
  select(there.selection);
  showHistory();
}

function choose(rows) { remember(); select(rows); }

function selectCluster(label) {
  const rows = [];
  state.labels.forEach((one, row) => { if (one === label) rows.push(row); });
  choose(rows);
}

function toggle(label) {
  if (!state.hidden.delete(label)) state.hidden.add(label);
  recolour();
}

const nameCluster = attempt(async (label) => {
  const name = prompt('Name of this cluster', clusterName(label, state.labeling.clusters));
  if (name === null) return;
  await send('PATCH', `api/labelings/${state.labeling.id}`, {clusters: {[label]: name.trim()}});
  await refreshLabelings(); recolour();
});

async function refreshLabelings() {
  state.facts.labelings = await getJson('api/labelings');
  showLabelings(state.labeling.id);
}

function showLabelings(current) {
  state.labeling = state.facts.labelings.find((one) => one.id === current);
  $('labeling').replaceChildren(...state.facts.labelings.map((one) => new Option(one.name, one.id, false, one.id === current)));
}

async function setLabeling(key) {
  state.labels = await getArray(`api/labelings/${key}/labels`, Int32Array);
  state.hidden.clear();
  showLabelings(key);
  recolour();
}

async function showMap() {
  const asked = ++latestMap, {map, dimensions} = state, title = state.facts.maps.find((one) => one.name === map).title;
  cover(`Drawing the ${title} map`);
  try {
    const coordinates = await getMap(map, dimensions, (job) => { if (asked === latestMap) cover(`${title}: ${jobText(job)}`, job); });
    if (asked !== latestMap) return;
    scatter.setPoints(coordinates, dimensions);
    cover(scatter.placed.includes(1) ? null : 'No item has a place on this map: their descriptors are not finite.');
  } catch (error) {
    if (asked !== latestMap) return;
    if (map === 'pca') { cover(error.message); return; }
    toast(`${title}: ${error.message}`);
    await setMap('pca', dimensions);
  }
}

async function setMap(map, dimensions) {
  Object.assign(state, {map, dimensions});
  $('map').value = map;
  $('flat').setAttribute('aria-pressed', dimensions === 2); $('deep').setAttribute('aria-pressed', dimensions === 3);
  await showMap();
}

async function setColumn(column) {
  if (column && !state.columns.has(column)) state.columns.set(column, await getArray(`api/columns/${column}`, Float32Array));
  state.column = column;
  recolour();
}

function setMode(mode) {
  scatter.mode = mode;
  $('overlay').style.cursor = mode === 'lasso' ? 'crosshair' : 'grab';
  $('pan').setAttribute('aria-pressed', mode === 'pan'); $('lasso').setAttribute('aria-pressed', mode === 'lasso');
}

async function pin(row) { scatter.pinned = row; scatter.redraw(); await panel.pin(row); }

// A choice; what is not installed says so and cannot be chosen.
function offered({name, title, available, install}) {
  return Object.assign(new Option(available ? title : `${title} (not installed)`, name), {disabled: !available, title: available ? '' : install});
}

function showParameters() {
  const method = state.facts.methods.find((one) => one.name === $('method').value);
  $('parameters').replaceChildren(...method.parameters.map((one) => {
    const label = document.createElement('label'), field = document.createElement(one.kind === 'choice' ? 'select' : 'input');
    label.className = 'wide'; label.textContent = one.title; field.name = one.name;
    if (one.kind === 'choice') field.append(...one.choices.map((choice) => new Option(choice, choice, false, choice === one.default)));
    else Object.assign(field, {type: 'number', value: one.default ?? '', placeholder: 'automatic', min: one.minimum ?? '', step: one.kind === 'whole' ? 1 : 'any'});
    label.append(field);
    return label;
  }));
}

async function cluster() {
  const parameters = {};
  for (const field of $('parameters').querySelectorAll('input, select')) if (field.value !== '') parameters[field.name] = field.type === 'number' ? Number(field.value) : field.value;
  const request = {method: $('method').value, parameters, parent: state.labeling.id, rows: state.selection.length ? Array.from(state.selection) : null, name: $('name').value.trim() || null};
  $('go').disabled = true; $('job').hidden = false; $('job-text').textContent = 'asking'; showBar($('job-bar'), null);
  try {
    const answer = await untilKnown(() => send('POST', 'api/clusterings', request), (job) => {
      $('job-text').textContent = jobText(job); showBar($('job-bar'), job);
      $('job-stop').onclick = attempt(() => send('DELETE', `api/jobs/${job.id}`));
    });
    const made = await answer.json(), {selection} = state;
    remember();
    await refreshLabelings();
    await setLabeling(made.id);
    await setColumn('');
    $('colour').value = '';
    select(selection);
    const {length} = sizes(state.labels);
    toast(`${made.name}: ${length} clusters now, in their own colours. The selection is kept; Undo brings the earlier clusters back.`);
    $('name').value = '';
  } finally { $('go').disabled = false; $('job').hidden = true; }
}

async function exportPage() {
  cover('Writing the page');
  try {
    const answer = await untilKnown(() => send('POST', 'api/export', {labeling: state.labeling.id, map: state.map, dimensions: state.dimensions}));
    save(`${state.facts.name}.html`, await answer.text(), 'text/html');
  } finally { cover(null); }
}

async function watchSheets() {
  const {ready, count, missing} = await getJson('api/sheets');
  if (missing) showNotes([...state.facts.notes, `Not readable where they were described, shown as hatched squares: ${missing.toLocaleString('en')} of the pictures.`]);
  if (ready.length < count) setTimeout(() => watchSheets().catch(() => {}), 3000);
}

function showNotes(notes) {
  $('notes').hidden = !notes.length;
  $('notes').replaceChildren(...notes.map((note) => { const line = document.createElement('p'); line.className = 'note'; line.textContent = note; return line; }));
}

function listen() {
  const press = (id, action) => $(id).addEventListener('click', attempt(action));
  press('flat', () => setMap(state.map, 2)); press('deep', () => setMap(state.map, 3));
  press('pan', () => setMode('pan')); press('lasso', () => setMode('lasso'));
  press('undo', () => travel(history.back, history.forward)); press('redo', () => travel(history.forward, history.back));
  press('clear', () => choose([])); press('more', () => panel.showSamples(state.selection));
  press('all', () => { state.hidden.clear(); recolour(); });
  press('copy', async () => { await panel.copy(state.selection); toast('List copied.'); });
  press('csv', () => panel.saveTable(state.selection));
  for (const form of ['sh', 'csv']) press(`plan-${form}`, async () => toast(await panel.savePlan(state.selection, $('target').value, form)));
  press('export', exportPage);
  press('theme', () => { document.documentElement.dataset.theme = matchMedia('(prefers-color-scheme: dark)').matches === (document.documentElement.dataset.theme !== 'light') ? 'light' : 'dark'; scatter.redraw(); });
  press('rename', async () => {
    const name = prompt('Name of these labels', state.labeling.name);
    if (name?.trim()) { await send('PATCH', `api/labelings/${state.labeling.id}`, {name: name.trim()}); await refreshLabelings(); }
  });
  $('map').addEventListener('change', attempt(() => setMap($('map').value, state.dimensions)));
  $('colour').addEventListener('change', attempt(() => setColumn($('colour').value)));
  $('labeling').addEventListener('change', attempt(() => { remember(); return setLabeling($('labeling').value); }));
  $('method').addEventListener('change', showParameters);
  $('again').addEventListener('submit', (event) => { event.preventDefault(); attempt(cluster)(); });
  addEventListener('keydown', attempt(async (event) => {
    if (/INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === 'z') { event.preventDefault(); await (event.shiftKey ? travel(history.forward, history.back) : travel(history.back, history.forward)); }
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (key === 'l') setMode('lasso');
    else if (key === 'm') setMode('pan');
    else if (key === 'v') choose(scatter.inView());
    else if (key === 'escape' && state.selection.length) choose([]);
  }));
}

function lassoed(rows, event) {
  choose(rows);
  requestAnimationFrame(() => setTimeout(() => { document.body.dataset.lassoMs = Math.round(performance.now() - event.timeStamp); }));
}

async function start() {
  try {
    scatter = new Scatter($('points'), $('overlay'), {hover: (row, x, y) => panel.hover(row, x, y), pick: attempt(pin), lasso: lassoed});
    const drawing = getMap('pca', 2);
    drawing.catch(() => {});  // told below
    state.facts = await getJson('api/collection');
    const {facts} = state;
    $('title').textContent = facts.name;
    $('subtitle').textContent = `${facts.count.toLocaleString('en')} ${facts.count === 1 ? 'picture' : 'pictures'} · ${facts.descriptor}, ${facts.dimensions} numbers each`;
    document.title = `${facts.name} · tlae explore`;
    $('map').replaceChildren(...facts.maps.map((one) => offered(one)));
    $('colour').replaceChildren(new Option('cluster', ''), ...facts.columns.map((name) => new Option(name === 'hour' ? 'hour of day' : name, name)));
    $('method').replaceChildren(...facts.methods.map((one) => offered(one)));
    showParameters(); showNotes(facts.notes); listen(); setMode('pan');
    scatter.setPoints(await drawing, 2);
    await setLabeling(facts.start);
    cover(scatter.placed.includes(1) ? null : 'No item has a place on the map: their descriptors are not finite.');
    requestAnimationFrame(() => setTimeout(() => { document.body.dataset.firstPictureMs = Math.round(performance.now()); }));
    await watchSheets();
  } catch (error) { cover(error.message); }
}

start();
