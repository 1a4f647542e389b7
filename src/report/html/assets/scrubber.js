// The whole run at a glance, and the scrubber: an instant for the widgets, and a way to any place.

function scrubber() {
  const canvas = el("canvas", { "aria-hidden": "true" });
  const steps = 2000;
  const slider = el("input", { type: "range", id: "scrubber", min: "0", max: String(steps), step: "1", value: String(steps), "aria-label": "Instant of the run",
    oninput: () => scene.move((Number(slider.value) / steps) * endNs) });
  const at = el("output.instant", { id: "instant" });
  const play = el("button", { type: "button", id: "play", onclick: toggle }, "▶ Play");
  const before = el("button", { type: "button", id: "previous", title: "Previous event shown", onclick: () => step(-1) }, "‹ Event");
  const after = el("button", { type: "button", id: "next", title: "Next event shown", onclick: () => step(1) }, "Event ›");
  const line = el("div.overview-line", { "aria-hidden": "true" });
  const track = el("div.overview", canvas, line, slider);
  let timer = 0;
  let last = 0;

  function step(by) {
    const from = scene.selected >= 0 && events.at[scene.selected] === scene.now ? scene.selected + by : by > 0 ? firstAt(scene.now + 1) : firstAt(scene.now) - 1;
    const i = nextShown(from, by);
    if (i >= 0) scene.select(i, { reveal: true });
  }
  function toggle() {
    if (timer) return stop();
    if (scene.now >= endNs) scene.move(0);
    play.textContent = "❚❚ Pause";
    last = performance.now();
    // Twenty seconds from end to end; in steps for those who want no motion.
    timer = reducedMotion.matches ? setInterval(() => forward(endNs / 20), 1000) : requestAnimationFrame(frame);
  }
  function frame(now) {
    timer = requestAnimationFrame(frame);
    forward(((now - last) / 20000) * endNs);
    last = now;
  }
  function forward(by) {
    scene.move(scene.now + by);
    if (scene.now >= endNs) stop();
  }
  function stop() {
    cancelAnimationFrame(timer);
    clearInterval(timer);
    timer = 0;
    play.textContent = "▶ Play";
  }

  let pending = 0;
  const draw = () => { if (!pending) pending = requestAnimationFrame(() => { pending = 0; paint(); }); };
  function paint() {
    const [width, height] = [track.clientWidth, 46];
    if (width === 0) return;
    const g = sized(canvas, width, height);
    const colours = palette();
    const x = (ns) => (ns / endNs) * width;
    for (const [from, to] of joined(faultBands)) patterned(g, colours.fault, "hatch", x(from), 0, Math.max(2, x(to) - x(from)), height, 0.12);
    const bins = Math.floor(width / 3);
    const all = new Uint32Array(bins + 1);
    const bad = new Uint32Array(bins + 1);
    for (let i = 0; i < events.count; i++) {
      if (!mask[i]) continue;
      const bin = Math.floor((events.at[i] / endNs) * bins);
      all[bin]++;
      bad[bin] += isBad[i];
    }
    const most = Math.max(1, ...all);
    all.forEach((here, bin) => {
      if (!here) return;
      const tall = 2 + (height - 12) * (Math.log1p(here) / Math.log1p(most));
      g.fillStyle = colours.accent;
      g.globalAlpha = 0.4;
      g.fillRect(bin * 3, height - tall, 2, tall);
      g.globalAlpha = 1;
      if (bad[bin]) { g.fillStyle = colours.bad; g.fillRect(bin * 3, 1, 2, 5); }
    });
    const [v0, v1] = [Math.max(0, x(scene.from)), Math.min(width, x(scene.to))];
    g.fillStyle = colours.lane;
    g.globalAlpha = 0.75;
    g.fillRect(0, 0, v0, height);
    g.fillRect(v1, 0, width - v1, height);
    g.globalAlpha = 1;
    g.strokeStyle = colours.accent;
    g.strokeRect(v0 + 0.5, 0.5, Math.max(2, v1 - v0 - 1), height - 1);
  }
  const sync = () => {
    slider.value = String(Math.round((scene.now / endNs) * steps));
    slider.setAttribute("aria-valuetext", instant(Math.round(scene.now)));
    at.textContent = instant(Math.round(scene.now));
    line.style.left = `${(scene.now / endNs) * 100}%`;
  };
  new ResizeObserver(draw).observe(track);
  scene.on("now", sync);
  scene.on("view", draw);
  scene.on("filter", draw);
  sync();
  return { element: el("div.scrub", track, el("div.scrub-row", before, play, after, el("span.note", "at"), at)), draw };
}

/** Stretches of time in which there is any of these bands. */
function joined(bands) {
  const all = [];
  for (const { from, to } of [...bands].sort((a, b) => a.from - b.from)) {
    const last = all[all.length - 1];
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}
