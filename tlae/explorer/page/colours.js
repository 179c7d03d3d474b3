// Colours of clusters and columns, the same in the page and in the export.

const CLUSTERS = ['#3b7dd8', '#e8833a', '#2fa36b', '#d1495b', '#8a63d2', '#b08a2e', '#1fa3b5', '#d667b0', '#7d9a2b', '#a0674b', '#5b6fc9', '#e0587a', '#4f9e52', '#c77f1e', '#6f7f92', '#b24fc2', '#2f8f83', '#e2a23b', '#8f4f5f', '#5aa2e0'];
const OUTLIERS = '#8b929c';
const RAMP = ['#3b4cc0', '#2e8fc4', '#3fb68b', '#c9c83c', '#f0702f'];      // low to high
const DAY = ['#27307a', '#3f54b8', '#f09a4a', '#f5d14e', '#f3e25a', '#f5c84c', '#e2683f', '#6b3f9c', '#27307a'];  // midnight to midnight
const UNKNOWN = [139, 146, 156];

export function clusterColour(label) {
  if (label < 0) return OUTLIERS;
  if (label >= CLUSTERS.length) furtherColours(label + 1);
  return CLUSTERS[label % CLUSTERS.length];
}
export function stops(column) { return column === 'hour' ? DAY : RAMP; }

export function rgb(hex) { return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)); }

const MOST_COLOURS = 120, HUES = 36, LIGHTNESSES = [0.42, 0.55, 0.68, 0.8], CHROMAS = [0.07, 0.13, 0.18];

// Beyond the first twenty: again and again the colour that is furthest from all others, and from the grey of outliers.
function furtherColours(wanted) {
  if (!furtherColours.left) {
    const candidates = LIGHTNESSES.flatMap((l) => CHROMAS.flatMap((c) => Array.from({length: HUES}, (_, i) => [l, c * Math.cos(2 * Math.PI * i / HUES), c * Math.sin(2 * Math.PI * i / HUES)])));
    const known = [...CLUSTERS, OUTLIERS].map((hex) => oklabOf(rgb(hex)));
    furtherColours.left = candidates.map((lab) => ({lab, hex: hexOf(lab)})).filter(({hex}) => hex)
      .map((one) => ({...one, apart: Math.min(...known.map((other) => apart(one.lab, other)))}));
  }
  while (CLUSTERS.length < Math.min(wanted, MOST_COLOURS) && furtherColours.left.length) {
    const best = furtherColours.left.reduce((a, b) => (b.apart > a.apart ? b : a));
    CLUSTERS.push(best.hex);
    furtherColours.left = furtherColours.left.filter((one) => one !== best)
      .map((one) => ({...one, apart: Math.min(one.apart, apart(one.lab, best.lab))}));
  }
}

function apart(a, b) { return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]); }

// OKLab (Ottosson 2020): equal distances look about equally far apart.
function oklabOf(colour) {
  const [r, g, b] = colour.map((value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b), m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b), s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
}

// '#rrggbb', or '' where no screen shows that colour.
function hexOf([light, a, b]) {
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3, m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3, s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s, -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s, -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s];
  if (linear.some((value) => value < 0 || value > 1)) return '';
  return `#${linear.map((value) => Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055)).toString(16).padStart(2, '0')).join('')}`;
}

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
