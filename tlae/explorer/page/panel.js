// The side panel: pictures under the pointer, samples and files of the selection.

import {ask, getJson, save, send, show} from './api.js';
import {clusterName} from './legend.js';

const SAMPLES = 16, LISTED = 200, TIP_PX = 176;
const $ = (id) => document.getElementById(id);

export class Panel {
  // state: see explore.js; on.pin(row) is called when a sample is pressed.
  constructor(state, on) { Object.assign(this, {state, on, sheets: new Map(), hovered: -1}); }

  picture(row, px) { return `api/items/${row}/picture?px=${px}`; }

  // The thumbnail at once where its sheet is made, then the sharp picture.
  async hover(row, x, y) {
    const tip = $('tip');
    if (row < 0) { tip.hidden = true; this.hovered = -1; return; }
    const stage = $('stage').getBoundingClientRect();
    tip.style.left = `${Math.min(x + 16, stage.width - 210)}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 16, stage.height - 270))}px`;
    if (row === this.hovered) return;
    this.hovered = row;
    tip.hidden = false;
    tip.innerHTML = '<img class="tile" alt=""><p class="faint"></p><p class="path"></p>';
    const [image, facts, path] = tip.children;
    facts.textContent = clusterName(this.state.labels[row], this.state.labeling.clusters);
    this.thumbnail(image, row);
    await new Promise((resume) => setTimeout(resume, 60));  // a pointer in passing asks for nothing
    if (row !== this.hovered) return;
    const sharp = new Image();
    sharp.onload = () => { if (row === this.hovered) { image.style.backgroundImage = ''; image.src = sharp.src; } };
    try {
      await show(sharp, this.picture(row, 2 * TIP_PX));
      const item = await getJson(`api/items/${row}`);
      if (row === this.hovered) { facts.textContent = this.facts(item); path.textContent = shortPath(item.path); }
    } catch { /* the pointer moves on; a server that is gone is told elsewhere */ }
  }

  thumbnail(image, row) {
    const {tile_px: px, side} = this.state.facts.sheets, number = Math.floor(row / side ** 2), place = row % side ** 2;
    const known = this.sheets.get(number);
    if (known) {
      const zoom = TIP_PX / px;
      image.style.backgroundImage = `url(${known})`;
      image.style.backgroundSize = `${TIP_PX * side}px`;
      image.style.backgroundPosition = `${-(place % side) * px * zoom}px ${-Math.floor(place / side) * px * zoom}px`;
    } else if (known === undefined) {
      this.sheets.set(number, null);
      ask(`api/sheets/${number}`).then(async (answer) => {
        if (answer.status === 200) this.sheets.set(number, URL.createObjectURL(await answer.blob()));
        else setTimeout(() => this.sheets.delete(number), 2000);  // being made
      }).catch(() => this.sheets.delete(number));
    }
  }

  facts(item) {
    const scores = Object.entries(item.scores).map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`);
    return [clusterName(this.state.labels[item.row], this.state.labeling.clusters), item.taken_at, ...scores].filter(Boolean).join(' · ');
  }

  async pin(row) {
    const place = $('pinned');
    place.hidden = row < 0;
    if (row < 0) return;
    const item = await getJson(`api/items/${row}`), answer = await ask(this.picture(row, 900));
    place.innerHTML = '<img alt=""><p class="faint"></p><p class="path"></p><button class="link">Unpin</button>';
    const [image, facts, path, close] = place.children;
    image.src = URL.createObjectURL(await answer.blob());
    image.alt = item.path;
    const missing = answer.headers.get('X-Missing');
    facts.textContent = missing ? `The picture cannot be read: ${missing}.` : this.facts(item);
    path.textContent = item.path;
    close.addEventListener('click', () => this.on.pin(-1));
  }

  showSelection(rows, total) {
    const some = rows.length > 0;
    $('selection-title').textContent = some ? `${rows.length.toLocaleString('en')} of ${total.toLocaleString('en')} selected` : 'Nothing selected';
    $('again-title').textContent = some ? 'Cluster the selection again' : 'Cluster all again';
    $('selection-hint').hidden = some;
    for (const id of ['selection-actions', 'files']) $(id).hidden = !some;
    this.showSamples(rows);
    if (some) this.showFiles(rows);
  }

  showSamples(rows) {
    const chosen = new Set();
    while (chosen.size < Math.min(SAMPLES, rows.length)) chosen.add(rows[Math.floor(Math.random() * rows.length)]);
    $('samples').replaceChildren(...[...chosen].sort((a, b) => a - b).map((row) => {
      const button = document.createElement('button'), image = new Image();
      Object.assign(image, {alt: `item ${row}`, loading: 'lazy'});
      show(image, this.picture(row, 160)).catch(() => {});
      button.append(image);
      button.addEventListener('click', () => this.on.pin(row));
      return button;
    }));
  }

  async showFiles(rows) {
    const first = rows.slice(0, LISTED), text = await this.table(first);
    if (rows !== this.state.selection) return;
    const lines = paths(text).map((path) => { const item = document.createElement('li'); item.textContent = shortPath(path); item.title = path; return item; });
    if (rows.length > LISTED) { const item = document.createElement('li'); item.textContent = `and ${(rows.length - LISTED).toLocaleString('en')} more`; lines.push(item); }
    $('list').replaceChildren(...lines);
  }

  async table(rows) { return (await send('POST', 'api/files', {labeling: this.state.labeling.id, rows: Array.from(rows)})).text(); }

  async copy(rows) { await navigator.clipboard.writeText(paths(await this.table(rows)).join('\n')); }
  async saveTable(rows) { save('selection.csv', await this.table(rows), 'text/csv'); }

  async savePlan(rows, target, form) {
    const answer = await send('POST', 'api/move-plan', {labeling: this.state.labeling.id, rows: Array.from(rows), target, form});
    save(`move-plan.${form}`, await answer.text(), 'text/plain');
    const left = Number(answer.headers.get('X-Left-Out'));
    return `Files planned: ${answer.headers.get('X-Files')}${left ? `, ${left} left out, the script says why` : ''}.`;
  }
}

// File and folder; the whole path stands under a pinned picture.
function shortPath(path) { const parts = path.split('/'); return parts.length > 3 ? `…/${parts.slice(-2).join('/')}` : path; }

// First column of a CSV; paths may hold commas, quotes and line ends.
function paths(text) {
  const found = [];
  for (const match of text.matchAll(/(?:^|\n)(?:"((?:[^"]|"")*)"|([^,\n]*)),[^\n]*/g)) found.push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
  return found.slice(1);
}
