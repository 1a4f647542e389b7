// Drawing the diagram on a canvas: marks, lines, bands and patterns. Colour is never alone: every
// state has a pattern, every kind of mark a shape.

/** The colours of the theme, read from the style sheet. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(`--${name}`).trim();
  return Object.fromEntries(["ink", "muted", "faint", "line", "panel", "lane", "accent", "good", "bad", "warn", "guard", "band", "fault"]
    .map((name) => [name, get(name)]));
}

/** What a state looks like: its colour, and the pattern that says the same. */
const STATE_LOOKS = {
  closed: ["good", "plain"], healthy: ["good", "plain"], up: ["good", "plain"], ok: ["good", "plain"],
  half_open: ["warn", "dots"], degraded: ["warn", "dots"], recovering: ["warn", "dots"], paused: ["warn", "bars"],
  open: ["bad", "hatch"], unhealthy: ["bad", "hatch"], failed: ["bad", "hatch"], down: ["bad", "cross"],
};
const lookOf = (state) => STATE_LOOKS[state] ?? ["muted", "bars"];

/** A rectangle in a colour with a pattern over it. */
function patterned(g, colour, pattern, x, y, width, height, strength = 0.22) {
  g.save();
  g.beginPath();
  g.rect(x, y, width, height);
  g.clip();
  g.globalAlpha = strength;
  g.fillStyle = colour;
  g.fillRect(x, y, width, height);
  g.globalAlpha = Math.min(1, strength * 3.2);
  g.strokeStyle = g.fillStyle = colour;
  g.lineWidth = 1;
  const start = Math.floor(x / 6) * 6;
  if (pattern === "hatch" || pattern === "cross") {
    g.beginPath();
    for (let at = start - height; at < x + width; at += 6) { g.moveTo(at, y + height); g.lineTo(at + height, y); }
    if (pattern === "cross") for (let at = start - height; at < x + width; at += 6) { g.moveTo(at, y); g.lineTo(at + height, y + height); }
    g.stroke();
  } else if (pattern === "dots") {
    for (let at = start; at < x + width; at += 6) for (let down = y + 3; down < y + height; down += 5) g.fillRect(at + 2, down, 1.6, 1.6);
  } else if (pattern === "bars") {
    for (let at = start; at < x + width; at += 5) g.fillRect(at, y, 1, height);
  }
  g.restore();
}

/** A cross of this half width. */
function crossMark(g, x, y, half, colour, width = 1.6) {
  g.strokeStyle = colour;
  g.lineWidth = width;
  g.beginPath();
  g.moveTo(x - half, y - half); g.lineTo(x + half, y + half);
  g.moveTo(x + half, y - half); g.lineTo(x - half, y + half);
  g.stroke();
}

function shapeMark(g, colour, filled, points) {
  g.beginPath();
  points.forEach(([x, y], at) => (at ? g.lineTo(x, y) : g.moveTo(x, y)));
  g.closePath();
  if (filled) { g.fillStyle = colour; g.fill(); } else { g.strokeStyle = colour; g.lineWidth = 1.3; g.stroke(); }
}

function ring(g, x, y, radius, colour, filled) {
  g.beginPath();
  g.arc(x, y, radius, 0, Math.PI * 2);
  if (filled) { g.fillStyle = colour; g.fill(); } else { g.strokeStyle = colour; g.lineWidth = 1.3; g.stroke(); }
}

/** The mark of an event, by its kind. */
function mark(g, colours, i, x, y) {
  const kind = events.kindName(i);
  const bad = isBad[i] === 1;
  if (kind === "message_sent" || kind === "message_delivered") return ring(g, x, y, 1.7, colours.muted, true);
  if (kind === "timer_fired") { g.fillStyle = colours.faint; return g.fillRect(x - 0.5, y - 4, 1, 8); }
  if (kind === "disk_synced") { g.strokeStyle = colours.muted; g.lineWidth = 1; return g.strokeRect(x - 2, y + 2, 4, 3); }
  if (kind === "message_duplicated") { ring(g, x - 1.5, y, 3, colours.warn, false); return ring(g, x + 1.5, y, 3, colours.warn, false); }
  if (kind === "message_dropped" || kind === "message_corrupted") return crossMark(g, x, y, 4, colours.bad);
  if (kind === "call_timed_out" || kind === "late_answer") { ring(g, x, y, 4, colours.bad, false); g.beginPath(); g.moveTo(x, y - 2.6); g.lineTo(x, y); g.lineTo(x + 2, y); return g.stroke(); }
  if (kind === "node_crashed") return crossMark(g, x, y, 6, colours.bad, 2.6);
  if (kind === "node_started" || kind === "node_restarted" || kind === "node_resumed") return shapeMark(g, colours.good, true, [[x - 3, y - 4], [x + 4, y], [x - 3, y + 4]]);
  if (kind === "node_paused") { g.fillStyle = colours.warn; g.fillRect(x - 3, y - 4, 2, 8); return g.fillRect(x + 1, y - 4, 2, 8); }
  if (kind.startsWith("fault_")) return shapeMark(g, colours.fault, kind === "fault_fired" || kind === "fault_point_fired", [[x, y - 5], [x + 5, y + 4], [x - 5, y + 4]]);
  if (kind === "request_started") return shapeMark(g, colours.accent, false, [[x - 3, y - 4], [x + 4, y], [x - 3, y + 4]]);
  if (kind === "request_ended" || kind === "service_called") {
    ring(g, x, y, 4, bad ? colours.bad : colours.good, !bad);
    return bad ? crossMark(g, x, y, 2.2, colours.bad, 1.3) : undefined;
  }
  if (kind === "attempt_started") return shapeMark(g, colours.accent, true, square(x, y, 2.8));
  if (kind === "attempt_failed" || kind === "request_failed") { shapeMark(g, colours.bad, false, square(x, y, 3.6)); return crossMark(g, x, y, 2.2, colours.bad, 1.3); }
  if (kind === "retry_scheduled" || kind === "attempt_skipped" || kind === "retry_refused") return shapeMark(g, colours.warn, false, diamond(x, y, 4));
  if (kind === "breaker_changed" || kind === "health_changed" || kind.startsWith("heal_")) return shapeMark(g, bad ? colours.bad : colours.guard, true, diamond(x, y, 5));
  if (kind.startsWith("quota_")) return shapeMark(g, bad ? colours.bad : colours.warn, kind === "quota_level", square(x, y, 3));
  ring(g, x, y, 2.6, bad ? colours.bad : colours.muted, false);
}
const square = (x, y, r) => [[x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r]];
const diamond = (x, y, r) => [[x, y - r], [x + r, y], [x, y + r], [x - r, y]];

/** What the marks mean, for the legend: a kind that has the mark, and words. */
const LEGEND = [
  ["message_sent", "message leaves or arrives"], ["message_dropped", "lost or damaged"], ["message_duplicated", "arrives twice"],
  ["call_timed_out", "timed out, too late"], ["request_started", "request begins"], ["request_ended", "request ends well"],
  ["attempt_started", "call of a model"], ["attempt_failed", "call or request fails"], ["retry_scheduled", "retry, skipped"],
  ["breaker_changed", "breaker, health"], ["quota_settled", "quota"], ["node_started", "node starts"], ["node_crashed", "node crashes"],
  ["fault_fired", "fault"], ["timer_fired", "timer"],
];

/** A text that fits, or its beginning. */
function fitted(g, text, width) {
  if (g.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (g.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low)}…` : "";
}

/** A message: a line with a head; lost ones end in a cross, copies are double, late ones dashed. */
function arrow(g, colours, fate, x0, y0, x1, y1) {
  const bad = fate !== "delivered" && fate !== "twice" && fate !== "copy";
  g.strokeStyle = bad ? colours.bad : fate === "delivered" ? colours.muted : colours.warn;
  g.lineWidth = 1;
  g.globalAlpha = bad ? 0.95 : 0.6;
  const isLost = fate === "lost" || fate === "copy lost";
  const [ex, ey] = isLost ? [x0 + (x1 - x0) * 0.6, y0 + (y1 - y0) * 0.6] : [x1, y1];
  const length = Math.hypot(ex - x0, ey - y0) || 1;
  const [ux, uy] = [(ex - x0) / length, (ey - y0) / length];
  if (fate === "late" || isLost) g.setLineDash([4, 3]);
  const line = (off) => { g.moveTo(x0 - uy * off, y0 + ux * off); g.lineTo(ex - uy * off, ey + ux * off); };
  g.beginPath();
  if (fate === "twice" || fate === "copy") { line(-1.5); line(1.5); } else line(0);
  g.stroke();
  g.setLineDash([]);
  if (isLost || fate === "corrupted") crossMark(g, ex, ey, 3.5, colours.bad);
  else if (length > 10) {
    g.beginPath();
    g.moveTo(ex - ux * 6 - uy * 3, ey - uy * 6 + ux * 3);
    g.lineTo(ex, ey);
    g.lineTo(ex - ux * 6 + uy * 3, ey - uy * 6 - ux * 3);
    g.stroke();
  }
  g.globalAlpha = 1;
}

/** Sets a canvas to its size on the screen; true if it can be drawn on. */
function sized(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  const g = canvas.getContext("2d");
  g.setTransform(scale, 0, 0, scale, 0, 0);
  g.clearRect(0, 0, width, height);
  return g;
}
