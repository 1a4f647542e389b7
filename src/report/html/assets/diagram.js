// The space-time diagram: a lane per node, time from left to right. Where there is too much to draw
// one by one it draws how much there is, and says so.

const AXIS = 24;
const BAND_ROW = 16;
const STATE_ROW = 18;
const MARKS_MOST = 1500;
const ARROWS_MOST = 900;
const BIN = 4;

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

function diagram() {
  const canvas = el("canvas", { id: "diagram", tabindex: "0", role: "application",
    "aria-label": "Space-time diagram: a lane per node, time from left to right. The table of events below has the same events as text.",
    "aria-describedby": "diagram-keys diagram-said" });
  const spacer = el("div.spacer");
  const scroller = el("div.scroller", { id: "diagram-scroller" }, canvas, spacer);
  const said = el("p.note", { id: "diagram-said" });
  const line = el("div.now-line", { hidden: true, "aria-hidden": "true" });
  const tip = el("div.tip", { hidden: true, "aria-hidden": "true" });
  const bands = stacked(faultBands);
  let [width, gutter, drawn, bins, pending, held, hover] = [0, 130, [], null, 0, null, -1];

  const laneHeight = () => (scene.lanes.rows.length > 14 ? 22 : 30);
  const bandsHeight = () => bands.rows * BAND_ROW + (bands.rows ? 6 : 0);
  const lanesTop = () => AXIS + bandsHeight();
  const full = () => lanesTop() + scene.lanes.rows.length * laneHeight() + (scene.lanes.states.length ? 8 + scene.lanes.states.length * STATE_ROW : 0) + 6;
  const height = () => Math.min(full(), 470);
  const x = (ns) => gutter + ((ns - scene.from) / (scene.to - scene.from)) * (width - gutter - 8);
  const ns = (at) => scene.from + ((at - gutter) / (width - gutter - 8)) * (scene.to - scene.from);
  const laneY = (row) => lanesTop() + (row + 0.5) * laneHeight();
  const draw = () => { if (!pending) pending = requestAnimationFrame(() => { pending = 0; paint(); }); };

  function paint() {
    width = scroller.clientWidth;
    if (width === 0) return;
    gutter = width < 700 ? 92 : 140;
    scroller.style.height = `${height()}px`;
    spacer.style.height = `${full() - height()}px`;
    canvas.style.height = `${height()}px`;
    const g = sized(canvas, width, height());
    const colours = palette();
    const top = scroller.scrollTop;
    g.save();
    g.beginPath();
    g.rect(0, AXIS, width, height() - AXIS);
    g.clip();
    g.translate(0, -top);
    paintLanes(g, colours);
    const saidOf = paintEvents(g, colours);
    paintStates(g, colours);
    paintLabels(g, colours, top);
    g.restore();
    paintAxis(g, colours);
    placeNow();
    said.textContent = saidOf;
  }

  function paintAxis(g, colours) {
    g.font = `11px ${FONT}`;
    g.fillStyle = colours.muted;
    g.textBaseline = "middle";
    g.textAlign = "center";
    const { step, marks } = ticks(Math.max(scene.from, 0), Math.min(scene.to, endNs), Math.max(2, (width - gutter) / 110));
    for (const at of marks) {
      g.fillText(tick(at, step), Math.min(Math.max(x(at), gutter + 18), width - 24), AXIS / 2);
      g.fillRect(Math.round(x(at)), AXIS - 4, 1, 4);
    }
    g.fillStyle = colours.line;
    g.fillRect(gutter, AXIS - 1, width, 1);
    g.textAlign = "left";
  }

  function paintLanes(g, colours) {
    const [left, bottom] = [gutter, full()];
    for (const [at, band] of faultBands.entries()) {
      const [x0, x1] = [Math.max(x(band.from), left), Math.min(Math.max(x(band.to), x(band.from) + 2), width)];
      if (x1 <= left || x0 >= width) continue;
      g.globalAlpha = 0.5;
      g.fillStyle = colours.band;
      g.fillRect(x0, lanesTop(), x1 - x0, bottom);
      g.globalAlpha = 1;
      const y = AXIS + 4 + bands.place[at] * BAND_ROW;
      patterned(g, colours.fault, "hatch", x0, y, x1 - x0, BAND_ROW - 3, 0.2);
      g.fillStyle = colours.ink;
      g.font = `11px ${FONT}`;
      g.textBaseline = "middle";
      // A text over the band's pattern needs ground of its own.
      const text = fitted(g, visible(band.label), x1 - x0 - 10);
      if (text.length > 3) {
        const ground = g.measureText(text).width + 6;
        g.fillStyle = colours.panel;
        g.fillRect(x0 + 3, y + 1, ground, BAND_ROW - 5);
        g.fillStyle = colours.ink;
        g.fillText(text, x0 + 6, y + BAND_ROW / 2 - 1);
      }
    }
    scene.lanes.rows.forEach((row, at) => {
      const y = laneY(at);
      g.fillStyle = colours.line;
      g.fillRect(left, Math.round(y), width - left, 1);
      for (const track of model.tracks) {
        if (track.kind !== "node" || !row.nodes.includes(track.node)) continue;
        spans(track, (state, from, to) => {
          if (state === "up") return;
          const [colour, pattern] = lookOf(state);
          const [x0, x1] = [Math.max(x(from), left), Math.min(x(to), width)];
          if (x1 > x0) patterned(g, colours[colour], pattern, x0, y - laneHeight() / 2 + 2, x1 - x0, laneHeight() - 4);
        });
      }
    });
  }

  function paintStates(g, colours) {
    const top = lanesTop() + scene.lanes.rows.length * laneHeight() + 8;
    scene.lanes.states.forEach((track, at) => {
      const y = top + at * STATE_ROW;
      spans(track, (state, from, to) => {
        const [colour, pattern] = lookOf(state);
        const [x0, x1] = [Math.max(x(from), gutter), Math.min(x(to), width)];
        if (x1 <= x0) return;
        patterned(g, colours[colour], pattern, x0, y + 2, x1 - x0, STATE_ROW - 4, 0.26);
        g.font = `10.5px ${FONT}`;
        g.textBaseline = "middle";
        const text = words(state);
        if (g.measureText(text).width + 12 > x1 - x0) return;
        g.fillStyle = colours.panel;
        g.fillRect(x0 + 3, y + 3, g.measureText(text).width + 6, STATE_ROW - 6);
        g.fillStyle = colours.ink;
        g.fillText(text, x0 + 6, y + STATE_ROW / 2);
      });
    });
  }

  function paintLabels(g, colours, top) {
    g.fillStyle = colours.panel;
    g.fillRect(0, top + AXIS, gutter, height());
    g.textBaseline = "middle";
    g.font = `12px ${FONT}`;
    scene.lanes.rows.forEach((row, at) => {
      g.fillStyle = row.silent ? colours.muted : colours.ink;
      g.fillText(fitted(g, visible(row.label), gutter - 12), 4, laneY(at));
    });
    g.font = `11px ${FONT}`;
    g.fillStyle = colours.muted;
    if (bands.rows) g.fillText("faults", 4, AXIS + 4 + BAND_ROW / 2);
    const states = lanesTop() + scene.lanes.rows.length * laneHeight() + 8;
    scene.lanes.states.forEach((track, at) => g.fillText(fitted(g, visible(track.label), gutter - 12), 4, states + (at + 0.5) * STATE_ROW));
  }

  /** Draws the events in view, one by one or as how many there are; says which. */
  function paintEvents(g, colours) {
    const [begin, end] = [firstAt(scene.from), firstAt(scene.to + 1)];
    let inView = 0;
    for (let i = begin; i < end; i++) inView += mask[i];
    const lines = paintMessages(g, colours, begin, end);
    drawn = [];
    bins = null;
    g.save();
    g.beginPath();
    g.rect(gutter, 0, width, full());
    g.clip();
    if (inView <= MARKS_MOST) {
      for (let i = begin; i < end; i++) if (mask[i]) place(g, colours, i);
    } else {
      bins = paintDensity(g, colours, begin, end);
      // What is rare and matters is drawn all the same.
      for (let i = begin; i < end; i++) if (mask[i] && STANDS_OUT.has(events.kindName(i))) place(g, colours, i);
    }
    if (scene.selected >= 0) {
      const [sx, sy] = [x(events.at[scene.selected]), laneY(scene.lanes.of[events.node[scene.selected]])];
      mark(g, colours, scene.selected, sx, sy);
      ring(g, sx, sy, 9, colours.accent, false);
    }
    g.restore();
    const how = inView <= MARKS_MOST ? `${counted(inView, "event")}, each drawn`
      : `${count(inView)} events, too many to draw one by one: bars show how many, zoom in to see each`;
    return `${instant(Math.max(0, Math.round(scene.from)))} to ${instant(Math.min(endNs, Math.round(scene.to)))}: ${how}. ${lines}`;
  }

  function place(g, colours, i) {
    const [at, y] = [x(events.at[i]), laneY(scene.lanes.of[events.node[i]])];
    mark(g, colours, i, at, y);
    drawn.push(i, at, y);
  }

  function paintDensity(g, colours, begin, end) {
    const across = Math.ceil((width - gutter) / BIN) + 1;
    const rows = scene.lanes.rows.length;
    const all = new Uint32Array(rows * across);
    const bad = new Uint32Array(rows * across);
    let most = 1;
    for (let i = begin; i < end; i++) {
      if (!mask[i]) continue;
      const at = scene.lanes.of[events.node[i]] * across + Math.floor((x(events.at[i]) - gutter) / BIN);
      most = Math.max(most, ++all[at]);
      if (isBad[i]) bad[at]++;
    }
    for (let row = 0; row < rows; row++) {
      const y = laneY(row);
      let crossed = -9;
      for (let bin = 0; bin < across; bin++) {
        const here = all[row * across + bin];
        if (!here) continue;
        const tall = 3 + (laneHeight() - 9) * (Math.log1p(here) / Math.log1p(most));
        const isOf = bad[row * across + bin] > 0;
        g.fillStyle = isOf ? colours.bad : colours.accent;
        g.globalAlpha = 0.5;
        g.fillRect(gutter + bin * BIN, y - tall / 2, BIN - 1, tall);
        g.globalAlpha = 1;
        if (!isOf || bin - crossed < 2) continue;
        crossed = bin;
        crossMark(g, gutter + bin * BIN + BIN / 2, y, 2.6, colours.bad, 1.4);
      }
    }
    return { all, bad, across };
  }

  /** Draws the messages that are under way in view; says how many are not drawn. */
  function paintMessages(g, colours, begin, end) {
    const { sent, end: ends, from, to, fate, t0, t1 } = model.messages;
    const visibleMessage = (at) => t1[at] >= scene.from && t0[at] <= scene.to && (mask[sent[at]] || (ends[at] >= 0 && mask[ends[at]]));
    const inView = [];
    const since = scene.from - model.longest;
    for (let at = 0; at < sent.length; at++) if (t0[at] >= since && visibleMessage(at)) inView.push(at);
    const odd = inView.filter((at) => fate[at] !== "delivered");
    const chosen = inView.length <= ARROWS_MOST ? inView : odd.slice(0, ARROWS_MOST);
    g.save();
    g.beginPath();
    g.rect(gutter, 0, width, full());
    g.clip();
    for (const at of chosen) {
      const [rowFrom, rowTo] = [scene.lanes.of[from[at]], scene.lanes.of[to[at]]];
      if (rowFrom === rowTo) continue;
      arrow(g, colours, fate[at], x(t0[at]), laneY(rowFrom), x(t1[at]), laneY(rowTo));
    }
    g.restore();
    if (chosen.length === inView.length) return counted(inView.length, "message") + ".";
    return `${count(inView.length)} messages, not drawn but for ${count(chosen.length)} that were lost, late or doubled: zoom in for the others.`;
  }

  /** Puts the line of the scrubber where it belongs: the picture under it stays. */
  function placeNow() {
    const at = x(scene.now);
    line.hidden = width === 0 || at < gutter || at > width;
    line.style.transform = `translateX(${Math.round(at)}px)`;
  }

  /** The event that is drawn next to a place; -1 if none is near. */
  function near(px, py) {
    let [best, distance] = [-1, 81];
    for (let at = 0; at < drawn.length; at += 3) {
      const d = (drawn[at + 1] - px) ** 2 + (drawn[at + 2] - py) ** 2;
      if (d < distance) [best, distance] = [drawn[at], d];
    }
    return best;
  }
  const place2 = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

  function showTip(px, py) {
    const y = py + scroller.scrollTop;
    hover = near(px, y);
    let lines = null;
    if (hover >= 0) lines = [`${words(events.kindName(hover))} · #${hover + 1}`, `${instant(events.at[hover])} on ${short(events.nodes[events.node[hover]])}`, detail(hover)];
    else if (bins && px > gutter) {
      const row = Math.floor((y - lanesTop()) / laneHeight());
      const at = row * bins.across + Math.floor((px - gutter) / BIN);
      if (row >= 0 && row < scene.lanes.rows.length && bins.all[at]) {
        lines = [`${counted(bins.all[at], "event")} here${bins.bad[at] ? `, ${count(bins.bad[at])} of trouble` : ""}`, "zoom in to see each"];
      }
    }
    const band = faultBands.findIndex((it, at) => px > gutter && y - AXIS - 4 >= bands.place[at] * BAND_ROW && y - AXIS - 4 < (bands.place[at] + 1) * BAND_ROW && ns(px) >= it.from && ns(px) <= it.to);
    if (!lines && band >= 0) lines = [visible(faultBands[band].label), `${instant(faultBands[band].from)} to ${faultBands[band].healed ? instant(faultBands[band].to) : "the end"}`];
    tip.hidden = !lines;
    if (!lines) return;
    replace(tip, lines.map((line, at) => el(at ? "div.note" : "div", line)));
    const room = scroller.clientWidth - tip.offsetWidth - 4;
    tip.style.left = `${Math.max(0, Math.min(px + 14, room))}px`;
    tip.style.top = `${py + 16}px`;
  }

  canvas.addEventListener("pointerdown", (event) => {
    const [px, py] = place2(event);
    held = { px, py, from: scene.from, to: scene.to, moved: false };
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
  });
  canvas.addEventListener("pointermove", (event) => {
    const [px, py] = place2(event);
    if (!held) return showTip(px, py);
    if (Math.abs(px - held.px) > 3) held.moved = true;
    if (!held.moved) return;
    tip.hidden = true;
    if (held.py < AXIS) return scene.move(ns(px));
    const by = ((held.px - px) / (width - gutter)) * (held.to - held.from);
    scene.view(held.from + by, held.to + by);
  });
  canvas.addEventListener("pointerup", (event) => {
    const was = held;
    held = null;
    if (!was || was.moved) return;
    const [px, py] = place2(event);
    const found = py > AXIS ? near(px, py + scroller.scrollTop) : -1;
    if (found >= 0) scene.select(found);
    else if (px > gutter) scene.move(ns(px));
  });
  canvas.addEventListener("pointercancel", () => { held = null; });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  canvas.addEventListener("dblclick", (event) => scene.zoom(0.4, ns(place2(event)[0])));
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey && document.activeElement !== canvas) return;
    event.preventDefault();
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (sideways) scene.pan((event.deltaX || event.deltaY) / 800);
    else scene.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 250), ns(place2(event)[0]));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const from = scene.selected >= 0 ? scene.selected : firstAt(scene.now);
    const row = (i) => scene.lanes.of[events.node[i]];
    const step = (by) => nextShown(scene.selected >= 0 ? from + by : from, by);
    const lane = (by) => {
      const rows = scene.selected < 0 ? null : row(from) + by;
      const [ahead, behind] = [1, -1].map((way) => nextShown(from, way, (i) => rows === null || row(i) === rows));
      if (ahead < 0 || behind < 0) return Math.max(ahead, behind);
      return events.at[ahead] - events.at[from] < events.at[from] - events.at[behind] ? ahead : behind;
    };
    const go = (i) => { if (i >= 0) { scene.select(i, { reveal: true }); reveal(); } };
    const keys = {
      ArrowRight: () => (event.shiftKey ? scene.pan(0.2) : go(step(1))), ArrowLeft: () => (event.shiftKey ? scene.pan(-0.2) : go(step(-1))),
      ArrowDown: () => go(lane(1)), ArrowUp: () => go(lane(-1)),
      Home: () => go(nextShown(0, 1)), End: () => go(nextShown(events.count - 1, -1)),
      "+": () => scene.zoom(0.5, scene.now), "=": () => scene.zoom(0.5, scene.now), "-": () => scene.zoom(2, scene.now), 0: scene.fit,
      Enter: () => document.getElementById("detail").focus(), Escape: () => scene.select(-1),
    };
    if (!Object.hasOwn(keys, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  /** Scrolls the lane of the selected event into view. */
  function reveal() {
    if (scene.selected < 0) return;
    const y = laneY(scene.lanes.of[events.node[scene.selected]]);
    if (y < scroller.scrollTop + AXIS + 20) scroller.scrollTop = y - AXIS - 40;
    else if (y > scroller.scrollTop + height() - 20) scroller.scrollTop = y - height() + 40;
  }
  scroller.addEventListener("scroll", draw);
  new ResizeObserver(draw).observe(scroller);
  for (const what of ["view", "select", "filter"]) scene.on(what, draw);
  scene.on("now", placeNow);
  scene.on("select", reveal);
  return { element: el("div.diagram", scroller, line, tip), said, draw };
}

/** What is drawn also where all else is too much. */
const STANDS_OUT = new Set(["node_crashed", "node_restarted", "node_paused", "breaker_changed", "health_changed", "fault_fired", "fault_healed", "quota_exceeded", "quota_level"]);

/** The stretches of a track in which it has one state. */
function spans(track, each) {
  track.changes.forEach((change, at) => each(change.state, change.at, track.changes[at + 1]?.at ?? endNs));
}

/** Puts bands that overlap into rows of their own. */
function stacked(list) {
  const ends = [];
  const place = list.map((band) => {
    let row = ends.findIndex((end) => end <= band.from);
    if (row < 0) row = ends.length < 8 ? ends.length : ends.indexOf(Math.min(...ends));
    ends[row] = band.to;
    return row;
  });
  return { place, rows: ends.length };
}
