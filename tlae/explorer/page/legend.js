// The list of clusters: switch them on and off, select one, name it; or the scale of a column.

import {clusterColour, stops} from './colours.js';

const $ = (id) => document.getElementById(id);

export function clusterName(label, names) { return names[label] || (label < 0 ? 'outliers' : `cluster ${label}`); }

// Sizes of clusters, the largest first and outliers last.
export function sizes(labels) {
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) || 0) + 1);
  return [...counts].sort((a, b) => (a[0] < 0) - (b[0] < 0) || b[1] - a[1] || a[0] - b[0]);
}

// on: {toggle(label), select(label), name(label)}
export function showClusters(labels, names, hidden, on) {
  const counted = sizes(labels);
  $('clusters-title').textContent = counted.length === 1 ? '1 cluster' : `${counted.filter(([label]) => label >= 0).length} clusters`;
  $('clusters').replaceChildren(...counted.map(([label, size]) => {
    const item = document.createElement('li'), box = document.createElement('input'), button = document.createElement('button');
    const called = clusterName(label, names);
    item.style.setProperty('--dot', clusterColour(label));
    item.classList.toggle('off', hidden.has(label));
    Object.assign(box, {type: 'checkbox', checked: !hidden.has(label), title: 'Show on the map'});
    box.setAttribute('aria-label', `Show ${called}`);
    box.addEventListener('change', () => on.toggle(label));
    button.title = `Select ${called}; double click or F2 names it`;
    button.innerHTML = '<span class="dot"></span><span class="name"></span><span class="size"></span>';
    button.querySelector('.name').textContent = called;
    button.querySelector('.size').textContent = size.toLocaleString('en');
    button.addEventListener('click', () => on.select(label));
    button.addEventListener('dblclick', () => on.name(label));
    button.addEventListener('keydown', (event) => { if (event.key === 'F2') on.name(label); });
    item.append(box, button);
    return item;
  }));
}

export function showRamp(column, range) {
  $('ramp').hidden = !column;
  if (!column) return;
  const unit = {hour: ' h', day: ' d'}[column] || '', tell = (value) => `${Number(value.toPrecision(4))}${unit}`;
  $('ramp').innerHTML = '<div class="bar"></div><div class="row faint"><span></span><span></span></div>';
  $('ramp').querySelector('.bar').style.background = `linear-gradient(to right, ${stops(column).join(', ')})`;
  $('ramp').querySelectorAll('span').forEach((span, i) => { span.textContent = tell(range[i]); });
}
