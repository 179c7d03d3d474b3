// The exported page: the same map, with all data inside the file.

import {clusterColour, coloursOfLabels} from './colours.js';
import {CHOSEN, DIM, PLAIN, Scatter} from './scatter.js';

const element = (id) => document.getElementById(id);
const unescape = (text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
const data = JSON.parse(unescape(element('data').textContent));

function decoded(text, Kind) { return new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer); }

const labels = decoded(data.labels, Int32Array), switchedOff = new Set();
const pathOf = (row) => data.paths[row] || `item ${row}`;

function showTip(row, x, y) {
  const tip = element('tip');
  tip.hidden = row < 0;
  if (row < 0) return;
  tip.textContent = data.paths.length ? `${data.names[labels[row]]} · ${pathOf(row)}` : data.names[labels[row]];
  tip.style.left = `${Math.max(0, Math.min(x + 14, element('stage').clientWidth - 250))}px`;
  tip.style.top = `${y + 14}px`;
}

function list(rows) {
  const states = new Uint8Array(labels.length).fill(rows.length ? DIM : PLAIN);
  for (const row of rows) states[row] = CHOSEN;
  map.setStates(states);
  element('chosen').textContent = rows.length ? `${rows.length.toLocaleString('en')} picture${rows.length === 1 ? '' : 's'} inside the lasso.` : 'Nothing inside the lasso.';
  element('list').hidden = !rows.length;
  element('list').value = rows.map(pathOf).join('\n');
}

function paint() { map.setColours(coloursOfLabels(labels, (label) => !switchedOff.has(label))); }

function legend() {
  for (const dot of document.querySelectorAll('h2 .dot')) dot.style.setProperty('--dot', clusterColour(Number(dot.dataset.label)));
  element('clusters').replaceChildren(...Object.entries(data.names).map(([key, name]) => {
    const label = Number(key), item = document.createElement('li'), button = document.createElement('button');
    item.style.setProperty('--dot', clusterColour(label));
    button.innerHTML = '<span class="dot"></span><span class="name"></span>';
    button.lastChild.textContent = name;
    button.setAttribute('aria-pressed', 'true');
    button.addEventListener('click', () => {
      if (!switchedOff.delete(label)) switchedOff.add(label);
      button.setAttribute('aria-pressed', String(!switchedOff.has(label)));
      item.classList.toggle('off', switchedOff.has(label));
      paint();
    });
    item.append(button);
    return item;
  }));
}

let map;
try {
  map = new Scatter(element('points'), element('overlay'), {hover: showTip, lasso: list});
  map.setPoints(decoded(data.coordinates, Float32Array), data.dimensions);
  paint();
  legend();
} catch (error) {
  element('chosen').textContent = error.message;
}
