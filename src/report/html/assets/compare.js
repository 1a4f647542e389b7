// A comparison: for each sim its metrics on both sides, the mean difference and its interval.

const told = JSON.parse(document.getElementById("run-data").textContent);

const FINDINGS = { better: ["✓ better", "good"], worse: ["✕ worse", "bad"], not_shown: ["no difference can be shown", null], same: ["the same in every seed", null], unmeasured: ["not measured", null] };
const number = (value, digits = 2) => String(Number(value.toFixed(digits)));
const valueOf = { count: (v) => number(v), ppm: (v) => `${number(v / 1e4)} %`, us: (v) => (v === 0 ? "0" : duration(v * 1e3)), nanodollars: (v) => dollars(v / 1e9) };
/** To a hundredth of a cent, and below a cent to three figures. */
const dollars = (v) => `$${v === 0 ? "0" : v >= 0.01 ? number(v, 4) : Number(v.toPrecision(3)).toFixed(9).replace(/0+$/, "")}`;
const signed = (unit, v) => {
  const text = unit === "us" || unit === "nanodollars" ? valueOf[unit](Math.abs(v)) : unit === "ppm" ? `${number(Math.abs(v) / 1e4)} points` : number(Math.abs(v));
  return v === 0 ? text : `${v > 0 ? "+" : "−"}${text}`;
};
const rowsOf = (finding) => told.sims.flatMap((sim) => sim.rows.filter((row) => row.finding === finding)).length;
const percent = `${number(told.confidence * 100)} %`;

function comparisonHeader() {
  const [better, worse] = [rowsOf("better"), rowsOf("worse")];
  const side = (side) => [nameEl(side.name, 80), side.seedbed ? el("span.note", ` of seedbed ${visible(side.seedbed)}`) : null];
  return el("header.top", { class: `top ${worse ? "is-bad" : "is-good"}` },
    el("div.top-row", el("span.verdict", better + worse === 0 ? "no difference can be shown" : `B is better in ${count(better)}, worse in ${count(worse)}`), el("h1", "Comparison"), themeButton()),
    el("dl.facts", fact("A", el("span", side(told.a))), fact("B", el("span", side(told.b))), fact("intervals", percent), fact("sims", count(told.sims.length)),
      fact("seeds", count(Math.max(0, ...told.sims.map((sim) => sim.seeds))))));
}

/** An interval on a scale of its own, in which nothing is in the middle. */
function bar({ interval, difference, unit, finding }) {
  if (!interval) return el("span.note", "too few seeds");
  const [low, high] = interval;
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const x = (v) => 80 + (v / most) * 72;
  const colour = finding === "better" ? "var(--good)" : finding === "worse" ? "var(--bad)" : "var(--muted)";
  return svg("svg", { width: 160, height: 18, role: "img", "aria-label": `${signed(unit, low)} to ${signed(unit, high)}` },
    svg("line", { x1: 80, x2: 80, y1: 0, y2: 18, stroke: "var(--faint)" }),
    svg("line", { x1: x(low), x2: x(high), y1: 9, y2: 9, stroke: colour, "stroke-width": 3 }),
    svg("circle", { cx: x(difference), cy: 9, r: 4, fill: colour }));
}

function simPanel(sim, index) {
  const rows = sim.rows.filter((row) => row.finding !== "unmeasured").map((row) => {
    const [word, tone] = FINDINGS[row.finding] ?? [visible(row.finding), null];
    const isSame = row.finding === "same";
    const said = el(`span${tone ? `.${tone}` : ".note"}`, row.finding === "not_shown" ? `${word} at ${counted(row.seeds, "seed")}` : word);
    return [row.metric, said, valueOf[row.unit](row.a), valueOf[row.unit](row.b), isSame ? "–" : signed(row.unit, row.difference),
      row.interval && !isSame ? `${signed(row.unit, row.interval[0])} to ${signed(row.unit, row.interval[1])}` : "–", isSame ? null : bar(row)];
  });
  const missing = sim.rows.filter((row) => row.finding === "unmeasured").map((row) => row.metric);
  return panel(`sim-${index}`, nameEl(sim.sim, 100), counted(sim.seeds, "seed"),
    el("div.scroll-x.wide", { tabindex: "0", role: "region", "aria-label": `Metrics of ${short(sim.sim, 60)}` }, table("Metrics of both sides", ["metric", "B is", "#A", "#B", "#B − A", `#${percent} interval`, "around 0"], rows)),
    sim.unmeasured ? el("p.note", `${counted(sim.unmeasured, "seed")} of which only whether it passed is known`) : null,
    sim.alone ? el("p.note", `${counted(sim.alone, "seed")} left out: only one side has one result of each`) : null,
    missing.length ? el("p.note", `Not measured on both sides (tokens of quotas are with a quota, cost is if models have prices): ${missing.join(", ")}.`) : null);
}

const shown = 200;
replace(document.getElementById("page"), comparisonHeader(), el("main.sweep", told.sims.slice(0, shown).map(simPanel),
  told.sims.length > shown ? el("p.note", `and ${counted(told.sims.length - shown, "more sim")}: --format json has them`) : null), announcer);
document.documentElement.dataset.ready = "true";
