// A scatter of many points in WebGL2: pan, zoom, turn, lasso, hover. Knows nothing of the server.

const VERTEX = `#version 300 es
in vec3 position; in vec4 colour; in float state;
uniform mat3 turn; uniform vec2 centre, scale; uniform float size, perspective, pass, swell, strength;
out vec4 ink;
void main() {
  vec3 p = turn * position;
  float near = 1.0 / (1.0 - perspective * p.z);
  bool chosen = state > 1.5;
  bool placed = position.x < 2.0;
  bool drawn = placed && colour.a > 0.0 && chosen == (pass > 0.5);
  gl_Position = drawn ? vec4((p.xy * near - centre) * scale, -0.5 * p.z, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = size * near * (chosen ? swell : 1.0);
  ink = vec4(colour.rgb, strength * (state < 0.5 ? 0.2 * colour.a : colour.a));
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 ink; out vec4 pixel;
void main() {
  float r = length(gl_PointCoord - 0.5) * 2.0;
  float cover = 1.0 - smoothstep(0.75, 1.0, r);
  if (cover * ink.a < 0.02) discard;
  pixel = vec4(ink.rgb, ink.a * cover);
}`;
const PERSPECTIVE = 0.3;  // of the 3-D view
const REACH_PX = 12;      // how near the pointer must come to a point
const FEW = 5000;         // points beyond which each is drawn fainter, and chosen ones no larger
const MARGIN = 0.92;      // share of the canvas that the map fills at first

export const DIM = 0, PLAIN = 1, CHOSEN = 2;  // states of a point

export class Scatter {
  // canvas: for WebGL; overlay: an element of the same size above it, which takes pointer and keys.
  // on: {hover(row | -1, x, y), pick(row | -1), lasso(rows, event), drawn()}
  constructor(canvas, overlay, on = {}) {
    Object.assign(this, {canvas, overlay, on});
    this.coordinates = new Float32Array(0);  // 3 per point
    this.colours = new Uint8Array(0);        // RGBA per point; alpha 0: hidden
    this.states = new Uint8Array(0);
    this.count = 0; this.dimensions = 2; this.mode = 'pan'; this.pinned = -1; this.hovered = -1;
    overlay.innerHTML = '<svg aria-hidden="true"><path/><circle class="hovered"/><circle class="pinned"/></svg>';
    this.start();
    this.reset();
    canvas.addEventListener('webglcontextlost', (event) => event.preventDefault());
    canvas.addEventListener('webglcontextrestored', () => { this.start(); this.upload(); });
    new ResizeObserver(() => this.resize()).observe(overlay);
    this.listen();
  }

  start() {
    const gl = this.canvas.getContext('webgl2', {antialias: false, alpha: true});
    if (!gl) throw new Error('This browser offers no WebGL 2, which the map needs. Try another browser, or switch hardware acceleration on.');
    this.gl = gl;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source); gl.compileShader(shader); gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    this.uniforms = Object.fromEntries(['turn', 'centre', 'scale', 'size', 'perspective', 'pass', 'swell', 'strength'].map((name) => [name, gl.getUniformLocation(program, name)]));
    this.buffers = Object.fromEntries([['position', 3, gl.FLOAT, false], ['colour', 4, gl.UNSIGNED_BYTE, true], ['state', 1, gl.UNSIGNED_BYTE, false]].map(([name, size, type, unit]) => {
      const buffer = gl.createBuffer(), place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, type, unit, 0, 0);
      return [name, buffer];
    }));
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  // coordinates: Float32Array, `dimensions` per point, NaN for points without a place.
  setPoints(coordinates, dimensions) {
    const count = coordinates.length / dimensions;
    const xyz = new Float32Array(3 * count);
    for (let i = 0; i < count; i++) for (let d = 0; d < dimensions; d++) xyz[3 * i + d] = coordinates[dimensions * i + d];
    this.placed = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      this.placed[i] = Number.isFinite(xyz[3 * i] + xyz[3 * i + 1] + xyz[3 * i + 2]) ? 1 : 0;
      if (!this.placed[i]) xyz.fill(4, 3 * i, 3 * i + 3);  // the shader leaves it out
    }
    const changed = dimensions !== this.dimensions;
    Object.assign(this, {coordinates: xyz, count, dimensions, screen: new Float32Array(2 * count), stale: true});
    if (this.states.length !== count) { this.states = new Uint8Array(count).fill(PLAIN); this.colours = new Uint8Array(4 * count).fill(128); }
    if (changed) this.reset();
    this.upload();
  }

  setColours(colours) { this.colours = colours; this.upload('colour'); }
  setStates(states) { this.states = states; this.chosen = states.reduce((sum, one) => sum + (one === CHOSEN), 0); this.upload('state'); }

  upload(only) {
    const gl = this.gl;
    for (const [name, data] of [['position', this.coordinates], ['colour', this.colours], ['state', this.states]]) {
      if (only && only !== name) continue;
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    }
    this.redraw();
  }

  reset() {
    this.view = {x: 0, y: 0, zoom: 1};
    this.turn = this.dimensions === 3 ? multiply(aroundX(-0.35), aroundY(0.6)) : [1, 0, 0, 0, 1, 0, 0, 0, 1];
    this.moved();
  }

  moved() { this.stale = true; this.redraw(); }

  resize() {
    const ratio = window.devicePixelRatio || 1, {clientWidth: width, clientHeight: height} = this.overlay;
    if (!width || !height) return;
    Object.assign(this, {width, height, ratio});
    this.canvas.width = Math.round(width * ratio); this.canvas.height = Math.round(height * ratio);
    this.moved();
    this.draw();  // at once: a resized canvas is empty
  }

  redraw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.draw(); });
  }

  // Pixels per unit of the map, in CSS pixels.
  get unit() { return MARGIN * 0.5 * Math.min(this.width, this.height) * this.view.zoom; }
  get perspective() { return this.dimensions === 3 ? PERSPECTIVE : 0; }
  get pointSize() {
    const usual = Math.sqrt(this.width * this.height / Math.max(this.count, 1)) * 0.3;
    return Math.min(Math.max(usual, 2.2), 11) * Math.min(Math.max(this.view.zoom, 0.5) ** 0.35, 4);
  }

  draw() {
    if (!this.width || this.gl.isContextLost()) return;
    const gl = this.gl, u = this.uniforms;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl[this.dimensions === 3 ? 'enable' : 'disable'](gl.DEPTH_TEST);
    gl.uniformMatrix3fv(u.turn, true, this.turn);
    gl.uniform2f(u.centre, this.view.x, this.view.y);
    gl.uniform2f(u.scale, 2 * this.unit / this.width, 2 * this.unit / this.height);
    gl.uniform1f(u.size, this.pointSize * this.ratio);
    gl.uniform1f(u.perspective, this.perspective);
    gl.uniform1f(u.swell, this.chosen > FEW ? 1 : 1.4);
    gl.uniform1f(u.strength, this.dimensions === 3 ? 1 : Math.min(1, Math.max(0.45, (FEW / Math.max(this.count, 1)) ** 0.25) * this.view.zoom ** 0.3));
    for (const pass of [0, 1]) { gl.uniform1f(u.pass, pass); if (this.count) gl.drawArrays(gl.POINTS, 0, this.count); }
    this.drawOverlay();
    this.on.drawn?.();
  }

  drawOverlay() {
    const [path, ...rings] = this.overlay.firstChild.children;
    path.setAttribute('d', this.path?.length > 1 ? `M${this.path.join('L')}Z` : '');
    [this.hovered, this.pinned].forEach((row, i) => {
      const shown = row >= 0 && row < this.count && this.placed[row] === 1;
      const [x, y] = shown ? this.place(row) : [0, 0];
      for (const [name, value] of Object.entries({cx: x, cy: y, r: shown ? this.pointSize / 2 + 5 : 0})) rings[i].setAttribute(name, value);
    });
  }

  // Where every point stands on the canvas, in CSS pixels.
  project() {
    if (!this.stale) return this.screen;
    const [a, b, c, d, e, f, g, h, k] = this.turn, p = this.coordinates, s = this.screen;
    const {x: cx, y: cy} = this.view, unit = this.unit, w = this.width / 2, v = this.height / 2, q = this.perspective;
    for (let i = 0, j = 0; i < this.count; i++, j += 3) {
      const x = p[j], y = p[j + 1], z = p[j + 2];
      const near = q ? 1 / (1 - q * (g * x + h * y + k * z)) : 1;
      s[2 * i] = w + ((a * x + b * y + c * z) * near - cx) * unit;
      s[2 * i + 1] = v - ((d * x + e * y + f * z) * near - cy) * unit;
    }
    this.stale = false;
    return s;
  }

  place(row) { const s = this.project(); return [s[2 * row], s[2 * row + 1]]; }
  visible(row) { return this.placed[row] === 1 && this.colours[4 * row + 3] > 0; }

  nearest(x, y) {
    const s = this.project();
    let best = -1, least = REACH_PX ** 2;
    for (let i = 0; i < this.count; i++) {
      const dx = s[2 * i] - x, dy = s[2 * i + 1] - y, far = dx * dx + dy * dy;
      if (far < least && this.visible(i)) { least = far; best = i; }
    }
    return best;
  }

  // Rows of the visible points inside a polygon of [x, y] in CSS pixels.
  inside(path) {
    const s = this.project(), xs = path.map((p) => p[0]), ys = path.map((p) => p[1]), n = path.length;
    const left = Math.min(...xs), right = Math.max(...xs), top = Math.min(...ys), bottom = Math.max(...ys), rows = [];
    for (let i = 0; i < this.count; i++) {
      const x = s[2 * i], y = s[2 * i + 1];
      if (x < left || x > right || y < top || y > bottom || !this.visible(i)) continue;
      let within = false;
      for (let a = 0, b = n - 1; a < n; b = a++) if ((ys[a] > y) !== (ys[b] > y) && x < (xs[b] - xs[a]) * (y - ys[a]) / (ys[b] - ys[a]) + xs[a]) within = !within;
      if (within) rows.push(i);
    }
    return rows;
  }

  // All visible points on the canvas: the lasso of those who use the keyboard.
  inView() { return this.inside([[0, 0], [this.width, 0], [this.width, this.height], [0, this.height]]); }

  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const before = this.unit;
    this.view.zoom = Math.min(Math.max(this.view.zoom * factor, 0.3), 500);
    const after = this.unit, dx = x - this.width / 2, dy = this.height / 2 - y;
    this.view.x += dx / before - dx / after; this.view.y += dy / before - dy / after;
    this.moved();
  }

  panBy(dx, dy) { this.view.x -= dx / this.unit; this.view.y += dy / this.unit; this.moved(); }
  turnBy(dx, dy) { this.turn = multiply(multiply(aroundX(dy * 0.008), aroundY(dx * 0.008)), this.turn); this.moved(); }

  listen() {
    const pad = this.overlay;
    let last = null, travelled = 0;
    const fingers = new Map();  // of touches: pointer id to place
    const at = (event) => { const box = pad.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    pad.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      pad.setPointerCapture(event.pointerId); last = at(event); travelled = 0;
      if (event.pointerType === 'touch') fingers.set(event.pointerId, last);
      if (fingers.size > 1) { this.path = null; travelled = 1e9; return; }
      if (this.mode === 'lasso' || event.shiftKey) this.path = [last];
    });
    pad.addEventListener('pointermove', (event) => {
      const [x, y] = at(event);
      if (fingers.size === 2 && fingers.has(event.pointerId)) { this.pinch(fingers, event.pointerId, [x, y]); last = [x, y]; return; }
      if (!last) { this.hover(x, y); return; }
      const dx = x - last[0], dy = y - last[1];
      travelled += Math.abs(dx) + Math.abs(dy);
      if (this.path) { this.path.push([x, y]); this.redraw(); }
      else if (this.dimensions === 3 && !event.altKey) this.turnBy(dx, dy);
      else this.panBy(dx, dy);
      last = [x, y];
    });
    pad.addEventListener('pointerup', (event) => {
      fingers.delete(event.pointerId);
      if (fingers.size) { last = [...fingers.values()][0]; return; }
      if (!last) return;
      const path = this.path, [x, y] = at(event);
      this.path = null; last = null;
      if (path && path.length > 2 && travelled > 8) this.on.lasso?.(this.inside(path), event);
      else if (travelled < 4) this.on.pick?.(this.nearest(x, y));
      this.redraw();
    });
    pad.addEventListener('pointercancel', () => { fingers.clear(); this.path = null; last = null; this.redraw(); });
    pad.addEventListener('pointerleave', () => this.hover(-1e9, -1e9));
    pad.addEventListener('dblclick', () => this.reset());
    pad.addEventListener('wheel', (event) => { event.preventDefault(); this.zoomBy(Math.exp(-event.deltaY * 0.0015), ...at(event)); }, {passive: false});
    pad.addEventListener('keydown', (event) => {
      const step = {ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40]}[event.key];
      if (step && !event.ctrlKey && !event.metaKey) { event.preventDefault(); if (this.dimensions === 3 && !event.altKey) this.turnBy(-step[0], -step[1]); else this.panBy(...step); }
      else if (event.key === '+' || event.key === '=') this.zoomBy(1.3);
      else if (event.key === '-') this.zoomBy(1 / 1.3);
      else if (event.key === '0') this.reset();
    });
  }

  // Two fingers: one of them moved, so the map zooms about the point between them.
  pinch(fingers, moved, place) {
    const [other] = [...fingers].filter(([id]) => id !== moved).map(([, at]) => at), before = fingers.get(moved);
    const length = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
    fingers.set(moved, place);
    this.zoomBy(length(place) / length(before), (place[0] + other[0]) / 2, (place[1] + other[1]) / 2);
  }

  hover(x, y) {
    const row = this.count ? this.nearest(x, y) : -1;
    if (row !== this.hovered) { this.hovered = row; this.redraw(); }
    this.on.hover?.(row, x, y);
  }
}

function aroundX(angle) { const c = Math.cos(angle), s = Math.sin(angle); return [1, 0, 0, 0, c, -s, 0, s, c]; }
function aroundY(angle) { const c = Math.cos(angle), s = Math.sin(angle); return [c, 0, s, 0, 1, 0, -s, 0, c]; }
function multiply(a, b) {
  return Array.from({length: 9}, (_, i) => { const r = 3 * Math.floor(i / 3), c = i % 3; return a[r] * b[c] + a[r + 1] * b[c + 3] + a[r + 2] * b[c + 6]; });
}
