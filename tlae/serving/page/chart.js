// The score curve: raw scores, the threshold of each frame, and what is over it.

const LEFT = 44, RIGHT = 8, TOP = 8, BOTTOM = 18;

export function drawChart(canvas, points, levels, most) { // levels: the threshold of each point, or null
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const draw = canvas.getContext("2d"), style = getComputedStyle(canvas);
  const colour = Object.fromEntries(["ink", "faint", "line", "alarm", "accent"].map((name) => [name, resolved(canvas, name)]));
  draw.scale(ratio, ratio);
  draw.font = `11px ${style.fontFamily}`;
  const across = width - LEFT - RIGHT, down = height - TOP - BOTTOM;
  const x = (n) => LEFT + (points.length < 2 ? across : (n * across) / (points.length - 1));
  const y = (raw) => TOP + down * (1 - Math.min(raw, most) / most);
  const isOver = (point, n) => levels[n] !== null && point.raw !== null && point.raw > levels[n];
  drawGrid(draw, colour, most, width, y);
  for (const [over, ink] of [[false, colour.accent], [true, colour.alarm]]) {
    draw.beginPath();
    points.forEach((point, n) => {
      if (point.raw === null) return;
      const before = points[n - 1];
      if (isOver(point, n) !== over) return;
      if (before && before.raw !== null) draw.moveTo(x(n - 1), y(before.raw));
      else draw.moveTo(x(n) - 1, y(point.raw));
      draw.lineTo(x(n), y(point.raw));
    });
    draw.strokeStyle = ink;
    draw.lineWidth = 1.8;
    draw.lineJoin = "round";
    draw.stroke();
  }
  drawThreshold(draw, colour, levels, x, y);
  drawFrames(draw, colour, points, width, height);
  const over = points.filter(isOver).length;
  canvas.setAttribute("aria-label", `Score of the last ${points.length} frames; ${over} are over the threshold`);
}

function resolved(canvas, name) {
  canvas.style.color = `var(--${name})`; // light-dark() becomes a colour only in a property
  return getComputedStyle(canvas).color;
}

function drawGrid(draw, colour, most, width, y) {
  draw.textAlign = "right";
  draw.textBaseline = "middle";
  const step = niceStep(most / 4);
  for (let level = 0; level <= most; level += step) {
    draw.fillStyle = colour.faint;
    draw.fillText(Number(level.toPrecision(4)), LEFT - 6, y(level));
    draw.fillStyle = colour.line;
    draw.fillRect(LEFT, Math.round(y(level)), width - LEFT - RIGHT, 1);
  }
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

function drawThreshold(draw, colour, levels, x, y) {
  draw.setLineDash([6, 4]);
  draw.strokeStyle = colour.ink;
  draw.lineWidth = 1.2;
  draw.beginPath();
  levels.forEach((level, n) => {
    if (level === null) return;
    if (level !== levels[n - 1]) draw.moveTo(n ? x(n - 1) : LEFT, y(level));
    draw.lineTo(x(n), y(level));
  });
  draw.stroke();
  draw.setLineDash([]);
}

function drawFrames(draw, colour, points, width, height) {
  if (!points.length) return;
  draw.fillStyle = colour.faint;
  draw.textBaseline = "bottom";
  draw.textAlign = "left";
  draw.fillText(`frame ${points[0].frame}`, LEFT, height);
  draw.textAlign = "right";
  if (points.length > 1) draw.fillText(`frame ${points.at(-1).frame}`, width - RIGHT, height);
}
