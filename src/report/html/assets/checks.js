// The checks: which hold, which do not, and the event that decided it.

function checksPanel() {
  const failed = run.checks.filter((it) => it.failure !== null);
  const held = run.checks.filter((it) => it.failure === null && it.evaluated > 0);
  const unseen = run.checks.filter((it) => it.failure === null && it.evaluated === 0);
  const jump = (seq, word) => {
    if (seq === null) return el("span.note", "at the end");
    const i = seq - 1;
    if (i >= events.count) return el("span.note", `#${count(seq)}, not in this page`);
    return el("button.link", { type: "button", onclick: () => scene.select(i, { reveal: true }) }, `${word} ${instantShort(events.at[i])}`);
  };
  const line = (it) => {
    const [mark, name] = it.failure !== null ? ["✕", "bad"] : it.evaluated ? ["✓", "good"] : ["–", "none"];
    const moment = it.failure !== null ? jump(it.broken, "broken at") : it.evaluated ? jump(it.reached, it.evaluated > 1 ? "first at" : "reached at") : el("span.note", "nothing to see");
    return el("li.check", { class: `check ${name}` }, el("span.check-mark", { "aria-label": { bad: "broken", good: "holds", none: "not evaluated" }[name] }, mark),
      el("div.check-text", el("bdi", { title: it.check.length > 90 ? short(it.check, 400) : null }, short(it.check, 90)), it.failure !== null ? el("div.check-why", visible(it.failure)) : null),
      el("span.check-when", moment, it.evaluated > 1 ? el("span.note", ` ${count(it.evaluated)}×`) : null));
  };
  const sometimes = run.reached.map((it) => el("li.check", { class: `check ${it.reached ? "good" : "none"}` },
    el("span.check-mark", { "aria-label": it.reached ? "reached" : "not reached" }, it.reached ? "✓" : "–"), el("div.check-text", visible(it.what)), el("span.check-when.note", it.reached ? "reached" : "not in this run")));
  return panel("checks", "Checks", `${count(held.length)} hold, ${count(failed.length)} broken, ${count(unseen.length)} with nothing to see`,
    failed.length ? el("ul.checks", failed.map(line)) : null,
    el("details", { open: failed.length === 0 }, el("summary", `${counted(held.length, "check")} that hold`), el("ul.checks", held.map(line))),
    unseen.length ? el("details", el("summary", `${count(unseen.length)} with nothing to see`), el("ul.checks", unseen.map(line))) : null,
    sometimes.length ? el("details", { open: true }, el("summary", "What some run must reach"), el("ul.checks", sometimes)) : null,
    run.notes.map((note) => el("p.note", visible(note))));
}

function faultsPanel() {
  if (run.faults.length === 0) return panel("faults", "Faults", null, el("p.note", "No faults in this run."));
  const time = (ns) => (ns === null ? "–" : el("button.link", { type: "button", onclick: () => { scene.show(ns - 5e8, ns + 5e8); scene.move(ns); } }, instant(ns)));
  const rows = run.faults.map((it) => [el("bdi", { title: it.fault.length > 60 ? short(it.fault, 400) : null }, short(it.fault, 60)), time(it.fired_ns), time(it.healed_ns)]);
  const fired = run.faults.filter((it) => it.fired_ns !== null).length;
  return panel("faults", "Faults", `${count(fired)} of ${count(run.faults.length)} fired`,
    el("div.scroll-y", { tabindex: "0", role: "region", "aria-label": "Faults" }, table("Faults of the plan", ["fault", "#fired", "#healed"], rows)));
}

function sourcePanel() {
  return panel("source", "The sim", null, el("p", visible(run.purpose)),
    el("details", el("summary", "Its text"), el("pre", { tabindex: "0" }, visible(run.source))),
    run.plan ? el("details", el("summary", "With the faults that this seed drew"), el("pre", { tabindex: "0" }, visible(run.plan))) : null);
}
