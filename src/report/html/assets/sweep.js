// A sweep: its distinct failures, its seeds as a heat map, and how much happened in its runs.

const told = JSON.parse(document.getElementById("run-data").textContent);
const runs = JSON.parse(document.getElementById("events-data").textContent);

const VERDICT_WORDS = { pass: "passed", failed_as_it_must: "failed, as it must", diverged_as_it_must: "diverged, as it must", fail: "failed", nondeterminism: "two histories" };
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/** A failure has a letter, in the order of their weight; further ones have none of their own. */
const letterOf = (index) => LETTERS[index] ?? "+";
const numberOf = new Map(told.failures.map((it, index) => [`${it.sim}\n${it.signature}`, index]));
const failureOf = (sim, at) => {
  const signature = sim.signatures[at];
  return signature === null ? -1 : numberOf.get(`${sim.sim}\n${runs.signatures[signature]}`) ?? -1;
};
const replayOf = (sim, at) => (sim.command ? `${sim.command[0]}${sim.seeds[at]}${sim.command[1]}` : `seed ${sim.seeds[at]}`);

function sweepHeader() {
  const good = told.failed === 0 && told.runs > 0;
  const ends = { complete: "complete", budget: "by its budget", interrupted: "interrupted", max_failures: "after as many failures as were to be", error: "broken off" };
  return el("header.top", { class: `top ${good ? "is-good" : "is-bad"}` },
    el("div.top-row", el("span.verdict", el("span", { "aria-hidden": "true" }, good ? "✓ " : "✕ "), good ? "passed" : told.runs === 0 ? "nothing ran" : `${count(told.failed)} failed`),
      el("h1", "Sweep of ", told.sims.length === 1 ? nameEl(told.sims[0], 60) : counted(told.sims.length, "sim")), themeButton()),
    el("dl.facts", fact("runs", told.planned ? `${count(told.runs)} of ${count(told.planned)}` : count(told.runs)), fact("passed", count(told.passed)), told.canaries ? fact("canaries", count(told.canaries)) : null,
      fact("failed", `${count(told.failed)} in ${counted(told.failures.length, "way")}`), told.nondeterministic ? fact("two histories", count(told.nondeterministic)) : null,
      fact("events", count(told.events)), fact("virtual time", duration(told.virtual_ms * 1e6)), told.ended ? fact("ended", ends[told.ended] ?? visible(told.ended)) : null,
      told.shard && told.shard !== "1/1" ? fact("shard", visible(told.shard)) : null, told.missing ? fact("missing", counted(told.missing, "result")) : null),
    told.failures.length ? commandEl("Replay", told.failures[0].replay, "replay") : null,
    runs.left_out ? el("p.notice", { role: "note" }, `Not in the map: ${counted(runs.left_out, "run")}, for which there was no room. The failures and sums count them.`) : null);
}

function failuresPanel(pick) {
  if (told.failures.length === 0) return panel("failures", "Failures", null, el("p.note", "No run failed."));
  const most = Math.max(...told.failures.map((it) => it.count));
  const line = (it, index) => {
    const bar = el("i");
    bar.style.width = `${(it.count / most) * 100}%`;
    return el("li.failure",
      el("div.failure-head", el("span.letter", { title: "in the map" }, letterOf(index)), nameEl(it.sim, 50), el("span.num.bad", it.verdict === "nondeterminism" ? "◆ two histories, " : "✕ ", counted(it.count, "run")),
        el("div.progress", { "aria-hidden": "true" }, bar), el("button.quiet", { type: "button", onclick: () => pick(index) }, "Show in the map")),
      el("div", visible(it.failure)), el("div.note", "first with seed ", visible(it.first_seed)), commandEl("Replay", it.replay));
  };
  const shown = 50;
  return panel("failures", "Failures", `${counted(told.failures.length, "distinct failure")}, those that matter most first`, el("ol.failures", told.failures.slice(0, shown).map(line)),
    told.failures.length > shown ? el("p.note", `and ${count(told.failures.length - shown)} more: --format json has them`) : null,
    told.ungrouped ? el("p.note", `${counted(told.ungrouped, "failed run")} too many to tell apart`) : null);
}

const CELL = 14;
const CELLS_MOST = 6000;

/** The runs of a sim, a cell each; of many runs a cell is several, and the note says how many. */
function mapOf(sim, picked, chosen) {
  const each = Math.ceil(sim.seeds.length / CELLS_MOST);
  const cells = Math.ceil(sim.seeds.length / each);
  const canvas = el("canvas", { tabindex: "0", role: "application", "aria-label": `Runs of ${short(sim.sim)}, seed by seed: arrow keys go from run to run` });
  const holder = el("div.map", canvas);
  let [across, at] = [1, -1];
  const worst = (cell) => {
    let found = { failure: -1, bad: 0, verdict: "pass", at: cell * each };
    for (let i = cell * each; i < Math.min((cell + 1) * each, sim.seeds.length); i++) {
      const verdict = sim.verdicts[i];
      if (verdict !== "fail" && verdict !== "nondeterminism") continue;
      found.bad++;
      if (found.bad === 1 || (verdict === "nondeterminism" && found.verdict !== verdict)) found = { ...found, failure: failureOf(sim, i), verdict, at: i };
    }
    return found;
  };
  const worsts = Array.from({ length: cells }, (_, cell) => worst(cell));
  function paint() {
    const width = holder.clientWidth;
    if (!width) return;
    across = Math.max(1, Math.floor(width / CELL));
    const rows = Math.ceil(cells / across);
    canvas.style.height = `${rows * CELL}px`;
    const g = sized(canvas, width, rows * CELL);
    const colours = palette();
    g.font = "bold 9px system-ui, sans-serif";
    g.textAlign = "center";
    g.textBaseline = "middle";
    for (let cell = 0; cell < cells; cell++) {
      const [x, y] = [(cell % across) * CELL, Math.floor(cell / across) * CELL];
      const { failure, bad, verdict } = worsts[cell];
      const isFaint = picked() >= 0 && (bad === 0 || failure !== picked());
      g.globalAlpha = isFaint ? 0.25 : 1;
      if (bad === 0) {
        g.fillStyle = colours.good;
        g.globalAlpha *= 0.35;
        g.fillRect(x + 1, y + 1, CELL - 3, CELL - 3);
      } else {
        g.fillStyle = verdict === "nondeterminism" ? colours.guard : colours.bad;
        g.fillRect(x + 1, y + 1, CELL - 3, CELL - 3);
        g.fillStyle = colours.panel;
        g.fillText(failure < 0 ? "✕" : letterOf(failure), x + CELL / 2 - 0.5, y + CELL / 2);
      }
      g.globalAlpha = 1;
      if (cell === at) { g.strokeStyle = colours.ink; g.lineWidth = 2; g.strokeRect(x + 0.5, y + 0.5, CELL - 2, CELL - 2); }
    }
  }
  const choose = (cell) => {
    if (cell < 0 || cell >= cells) return;
    at = cell;
    paint();
    chosen(sim, worsts[cell], cell * each, Math.min(each, sim.seeds.length - cell * each));
  };
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / CELL);
    if (column < across) choose(Math.floor((event.clientY - box.top) / CELL) * across + column);
  });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across };
    const ends = { Home: 0, End: cells - 1 };
    if (!Object.hasOwn(steps, event.key) && !Object.hasOwn(ends, event.key)) return;
    event.preventDefault();
    choose(Object.hasOwn(ends, event.key) ? ends[event.key] : at < 0 ? 0 : at + steps[event.key]);
  });
  new ResizeObserver(paint).observe(holder);
  redrawn.push(paint);
  const failed = worsts.reduce((sum, it) => sum + it.bad, 0);
  return { paint, element: el("div.map-of", el("div.map-head", nameEl(sim.sim, 60), el("span.note", `${counted(sim.seeds.length, "run")}, ${count(failed)} failed${each > 1 ? `; a cell is ${each} runs` : ""}`)), holder) };
}

function mapPanel() {
  let wanted = -1;
  const said = el("div.chosen", { role: "status" }, el("p.note", "Click a cell, or go there with the arrow keys, to see its run."));
  const chosen = (sim, worst, first, many) => replace(said,
    el("strong", nameEl(sim.sim, 60), ` seed ${visible(sim.seeds[worst.at])}`), ` ${VERDICT_WORDS[sim.verdicts[worst.at]] ?? ""}`,
    many > 1 ? el("span.note", ` (seeds ${visible(sim.seeds[first])} to ${visible(sim.seeds[first + many - 1])}: ${count(worst.bad)} of ${count(many)} failed)`) : null,
    el("span.note", ` ${counted(sim.events[worst.at], "event")}, ${duration(sim.virtual_ms[worst.at] * 1e6)} of virtual time`),
    worst.failure >= 0 ? el("div", visible(told.failures[worst.failure].failure)) : null,
    commandEl("Replay", replayOf(sim, worst.at)), commandEl("Its page", `${replayOf(sim, worst.at)} --html page.html --open`));
  const shown = 60;
  const maps = runs.sims.slice(0, shown).map((sim) => mapOf(sim, () => wanted, chosen));
  const key = (letter, text) => el("span.key", el(`i.cell.${letter ? "bad-cell" : "good-cell"}`, letter), text);
  const element = panel("map", "Seeds", "a cell is a run", el("div.keys-row", key("", "passed, or did what it must"), told.failures.slice(0, 6).map((it, index) => key(letterOf(index), short(it.failure, 60)))),
    said, maps.map((it) => it.element), runs.sims.length > shown ? el("p.note", `and ${counted(runs.sims.length - shown, "more sim")}`) : null);
  const pick = (index) => { wanted = wanted === index ? -1 : index; maps.forEach((it) => it.paint()); element.scrollIntoView({ block: "start" }); };
  return { element, pick };
}

/** How many runs have how much of something; failed ones are hatched. */
function spread(title, values, isBad, text) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const bins = low === high ? 1 : 24;
  const [good, bad] = [new Array(bins).fill(0), new Array(bins).fill(0)];
  values.forEach((value, at) => { (isBad[at] ? bad : good)[low === high ? 0 : Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins))]++; });
  const most = Math.max(...good.map((n, bin) => n + bad[bin]));
  const columns = good.map((n, bin) => {
    const [a, b] = [el("i.good-bar"), el("i.bad-bar")];
    a.style.height = `${(n / most) * 100}%`;
    b.style.height = `${(bad[bin] / most) * 100}%`;
    return el("span", { title: `${text(low + (bin / bins) * (high - low))}: ${count(n)} passed, ${count(bad[bin])} failed` }, b, a);
  });
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  return el("figure.spread", el("figcaption", title, el("span.note", ` median ${text(middle)}`)),
    el("div.bars", { role: "img", "aria-label": `${title}: from ${text(low)} to ${text(high)}, median ${text(middle)}` }, columns), el("div.ends.note", el("span", text(low)), el("span", text(high))));
}

function spreadPanel() {
  const list = runs.sims.filter((sim) => sim.seeds.length > 0);
  if (list.length === 0) return panel("spread", "Distributions", null, el("p.note", "No runs."));
  const body = el("div.pair");
  const select = el("select", { "aria-label": "Sim", onchange: render }, list.map((sim, at) => el("option", { value: String(at) }, short(sim.sim, 60))));
  function render() {
    const sim = list[Number(select.value || 0)];
    const bad = sim.verdicts.map((it) => it === "fail" || it === "nondeterminism");
    replace(body, spread("Events", sim.events, bad, count), spread("Virtual time", sim.virtual_ms, bad, (ms) => duration(ms * 1e6)));
  }
  render();
  return panel("spread", "Distributions", "over the seeds of a sim; failed runs hatched", el("div.filters", select), body);
}

function reachedPanel() {
  const rows = Object.entries(told.never_reached).filter(([, names]) => names.length).map(([sim, names]) => [nameEl(sim, 50), names.map((name) => short(name, 90)).join(", ")]);
  return rows.length === 0 ? null : panel("reached", "Checks that no run reached", "they proved nothing", el("details", { open: rows.length <= 6 }, el("summary", counted(rows.length, "sim")), table("Checks that no run reached", ["sim", "checks"], rows)));
}

const map = mapPanel();
replace(document.getElementById("page"), sweepHeader(), el("main.sweep", failuresPanel(map.pick), map.element, spreadPanel(), reachedPanel()), announcer);
document.documentElement.dataset.ready = "true";
