// Colours of clusters and columns, the same in the page and in the export.

const CLUSTERS = ['#3b7dd8', '#e8833a', '#2fa36b', '#d1495b', '#8a63d2', '#b08a2e', '#1fa3b5', '#d667b0', '#7d9a2b', '#a0674b', '#5b6fc9', '#e0587a', '#4f9e52', '#c77f1e', '#6f7f92', '#b24fc2', '#2f8f83', '#e2a23b', '#8f4f5f', '#5aa2e0'];
const OUTLIERS = '#8b929c';
const RAMP = ['#3b4cc0', '#2e8fc4', '#3fb68b', '#c9c83c', '#f0702f'];      // low to high
const DAY = ['#27307a', '#3f54b8', '#f09a4a', '#f5d14e', '#f3e25a', '#f5c84c', '#e2683f', '#6b3f9c', '#27307a'];  // midnight to midnight
const UNKNOWN = [139, 146, 156];

export function clusterColour(label) { return label < 0 ? OUTLIERS : CLUSTERS[label % CLUSTERS.length]; }
export function stops(column) { return column === 'hour' ? DAY : RAMP; }

export function rgb(hex) { return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)); }

// RGBA of every point by cluster; `shown(label)` says which clusters are switched on.
export function coloursOfLabels(labels, shown) {
  const known = new Map(), colours = new Uint8Array(4 * labels.length);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (!known.has(label)) known.set(label, [...rgb(clusterColour(label)), shown(label) ? (label < 0 ? 190 : 225) : 0]);
    colours.set(known.get(label), 4 * i);
  }
  return colours;
}

// RGBA of every point by the value of a column.
export function coloursOfValues(values, range, ramp, labels, shown) {
  const steps = 256, table = Array.from({length: steps}, (_, i) => along(ramp.map(rgb), i / (steps - 1)));
  const [low, high] = range, colours = new Uint8Array(4 * values.length), known = new Map();
  for (let i = 0; i < values.length; i++) {
    if (!known.has(labels[i])) known.set(labels[i], shown(labels[i]) ? 225 : 0);
    const share = (values[i] - low) / (high - low || 1);
    const colour = Number.isFinite(share) ? table[Math.round(Math.min(Math.max(share, 0), 1) * (steps - 1))] : UNKNOWN;
    colours.set(colour, 4 * i); colours[4 * i + 3] = known.get(labels[i]);
  }
  return colours;
}

// Least and greatest, and for scores without the far ends: one wild value must not flatten the rest.
export function rangeOf(column, values) {
  if (column === 'hour') return [0, 24];
  const sorted = Float32Array.from(values.filter(Number.isFinite)).sort();
  if (!sorted.length) return [0, 1];
  const wild = column === 'day' || column === 'position' ? 0 : Math.floor(sorted.length * 0.005);
  return [sorted[wild], sorted[sorted.length - 1 - wild]];
}

function along(ramp, share) {
  const at = share * (ramp.length - 1), low = Math.min(Math.floor(at), ramp.length - 2), rest = at - low;
  return ramp[low].map((value, i) => Math.round(value + (ramp[low + 1][i] - value) * rest));
}
