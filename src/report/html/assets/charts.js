// Latencies as a histogram, quotas and tokens as meters over time. Each has its numbers as a table.

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))];

function latencyPanel() {
  const ended = model.requests.filter((it) => it.end >= 0);
  if (ended.length === 0) return panel("latency", "Latency", null, el("p.note", "No request ended in this run."));
  const took = (it) => events.at[it.end] - events.at[it.start];
  const sorted = ended.map(took).sort((a, b) => a - b);
  const marks = [["p50", 0.5], ["p95", 0.95], ["p99", 0.99], ["longest", 1]].map(([name, share]) => [name, percentile(sorted, share)]);
  // Bins on a logarithmic scale, as latencies are.
  const [low, high] = [Math.log10(Math.max(sorted[0], 1e3)), Math.log10(Math.max(sorted[sorted.length - 1], 1e4))];
  const bins = Math.max(6, Math.min(28, Math.ceil(Math.sqrt(sorted.length)) + 4));
  const width = Math.max(high - low, 0.05) / bins;
  const good = new Array(bins).fill(0);
  const bad = new Array(bins).fill(0);
  for (const it of ended) {
    const bin = Math.max(0, Math.min(bins - 1, Math.floor((Math.log10(Math.max(took(it), 1e3)) - low) / width)));
    (it.outcome === "ok" ? good : bad)[bin]++;
  }
  const most = Math.max(...good.map((it, bin) => it + bad[bin]));
  const [w, h, left] = [560, 150, 34];
  const x = (log) => left + ((log - low) / (bins * width)) * (w - left - 6);
  const y = (n) => h - 22 - (n / most) * (h - 50);
  const chart = svg("svg", { viewBox: `0 0 ${w} ${h}`, role: "img", "aria-label": `Histogram of ${counted(ended.length, "latency", "latencies")}: ${marks.map(([name, ns]) => `${name} ${duration(ns)}`).join(", ")}`, class: "chart" },
    svg("defs", {}, svg("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("rect", { width: 5, height: 5, class: "bad-fill soft" }), svg("rect", { width: 2, height: 5, class: "bad-fill" }))),
    [0, most].map((n) => [svg("line", { x1: left, x2: w, y1: y(n), y2: y(n), class: "rule" }), svg("text", { x: left - 5, y: y(n) + 3, "text-anchor": "end" }, count(n))]),
    good.map((n, bin) => {
      const [x0, x1] = [x(low + bin * width) + 0.5, x(low + (bin + 1) * width) - 0.5];
      const title = () => svg("title", {}, `${duration(10 ** (low + bin * width))} to ${duration(10 ** (low + (bin + 1) * width))}: ${count(n)} ok, ${count(bad[bin])} not`);
      return [n ? svg("rect", { x: x0, width: x1 - x0, y: y(n), height: y(0) - y(n), class: "good-fill" }, title()) : null,
        bad[bin] ? svg("rect", { x: x0, width: x1 - x0, y: y(n + bad[bin]), height: y(0) - y(bad[bin]), fill: "url(#hatch)" }, title()) : null];
    }),
    marks.slice(0, 3).map(([name, ns], at) => {
      const place = x(Math.log10(Math.max(ns, 1e3)));
      return [svg("line", { x1: place, x2: place, y1: 8 + at * 9, y2: y(0), class: "mark" }), svg("text", { x: place - 3, y: 14 + at * 9, "text-anchor": "end", class: "strong" }, name)];
    }),
    [0, 0.25, 0.5, 0.75, 1].map((share) => svg("text", { x: x(low + share * bins * width), y: h - 6, "text-anchor": share === 0 ? "start" : share === 1 ? "end" : "middle" }, duration(10 ** (low + share * bins * width)))));
  const failed = ended.filter((it) => it.outcome !== "ok").length;
  const rows = good.map((n, bin) => [`${duration(10 ** (low + bin * width))} to ${duration(10 ** (low + (bin + 1) * width))}`, count(n), count(bad[bin])]).filter((row) => row[1] !== "0" || row[2] !== "0");
  return panel("latency", "Latency", `${counted(ended.length, "request")}, ${failed ? `${count(failed)} not ok (hatched)` : "all ok"}`,
    el("div.figures", marks.map(([name, ns]) => el("div", el("div.figure", duration(ns)), el("div.note", name)))),
    chart, el("details", el("summary", "As a table"), table("Latencies", ["from, to", "#ok", "#not ok"], rows)));
}

/** A meter over time, as steps. */
function meter(name, points, limit, unit) {
  const [w, h] = [560, 58];
  const top = Math.max(limit ?? 0, ...points.map((it) => it.used), 1);
  const x = (ns) => (ns / endNs) * w;
  const y = (used) => h - 4 - (used / top) * (h - 12);
  // Steps that are nearer than a pixel are one.
  let line = `M0 ${y(0)}`;
  let before = -1;
  points.forEach((it, at) => {
    const place = Math.round(x(it.at) * 2) / 2;
    if (place === before && at < points.length - 1 && points[at + 1].used >= it.used) return;
    before = place;
    line += `H${place}V${y(it.used).toFixed(1)}`;
  });
  line += `H${w}`;
  const last = points[points.length - 1];
  const now = svg("line", { y1: 0, y2: h, class: "now" });
  const value = el("span.figure.small");
  const sync = () => {
    const place = x(scene.now);
    now.setAttribute("x1", place);
    now.setAttribute("x2", place);
    let used = 0;
    for (const it of points) { if (it.at > scene.now) break; used = it.used; }
    value.textContent = `${count(used)}${limit ? ` of ${count(limit)} (${Math.round((used / limit) * 100)} %)` : ""} ${unit}`;
  };
  scene.on("now", sync);
  sync();
  return el("div.meter", el("div.meter-head", nameEl(name, 32), value),
    svg("svg", { viewBox: `0 0 ${w} ${h}`, preserveAspectRatio: "none", class: "chart short", role: "img", "aria-label": `${short(name)}: ${count(last.used)} ${unit} in the end${limit ? ` of ${count(limit)}` : ""}` },
      limit ? svg("line", { x1: 0, x2: w, y1: y(limit), y2: y(limit), class: "limit" }) : null,
      svg("path", { d: `${line}V${h}H0Z`, class: "area" }), svg("path", { d: line, class: "line" }), now));
}

function metersPanel() {
  const quotas = model.quotas.map(([name, points]) => {
    const limit = points.reduce((most, it) => Math.max(most, it.limit ?? 0), 0);
    // A limit that nobody can reach is none.
    return meter(`Quota of ${name}`, points, limit < 1e12 ? limit : null, "tokens used");
  });
  const tokens = model.tokens.map(([name, points]) => meter(`Tokens of ${name}`, points, null, "tokens in all"));
  if (quotas.length + tokens.length === 0) return panel("meters", "Quotas and tokens", null, el("p.note", "No quota was charged in this run, so nothing says how many tokens were used."));
  const most = 8;
  const rest = [...quotas, ...tokens].slice(most);
  return panel("meters", "Quotas and tokens", "at the scrubber", ...[...quotas, ...tokens].slice(0, most),
    rest.length ? el("details", el("summary", `${count(rest.length)} more`), rest) : null);
}

function metricsPanel() {
  const rows = run.metrics.map((it) => [it.name, metricText(it)]);
  return panel("metrics", "Metrics of the run", null, el("details", { open: rows.length <= 12 }, el("summary", counted(rows.length, "metric")), el("div.columns", table("Metrics", ["metric", "#value"], rows))));
}
