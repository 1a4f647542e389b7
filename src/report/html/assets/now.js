// What the widgets show at an instant of the run: found in the events up to there, and only those.

const nowPanel = (() => {
  // What is worked on: requests or, in a run without any, the tasks of runners; in the order in which they began.
  const isTasks = model.requests.length === 0 && model.tasks.size > 0;
  const started = isTasks ? [...model.tasks.values()] : model.requests;
  const ends = isTasks ? model.tasksEnded : model.ended;
  const workOf = (i) => (isTasks ? model.tasks.get(String(events.field(i, "task"))) : model.requestById.get(events.field(i, "request")));
  /** How many of a list of events had happened by an instant. */
  const until = (list, ns) => {
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (events.at[list[middle]] <= ns) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const starts = started.map((it) => it.start);
  const isOk = ends.map((i) => (isTasks ? events.field(i, "status") === "completed" : events.field(i, "outcome") === "ok"));
  const done = (it, ns) => it.end >= 0 && events.at[it.end] <= ns;

  function task(ns) {
    const of = scene.selected >= 0 ? workOf(scene.selected) : null;
    const it = of && events.at[of.start] <= ns ? of : started[until(starts, ns) - 1];
    if (!it) return { state: "empty" };
    if (isTasks) return taskOfRunner(it, ns);
    const calls = it.attempts.filter((one) => events.at[one.start] <= ns);
    const failed = calls.filter((one) => one.status === "failed" && one.end >= 0 && events.at[one.end] <= ns);
    const last = calls[calls.length - 1];
    const isDone = done(it, ns);
    const shown = { id: it.id, task: events.field(it.start, "task"), model: last?.model, calls: count(calls.length),
      took: duration((isDone ? events.at[it.end] : ns) - events.at[it.start]) };
    if (isDone && it.outcome === "ok") {
      const had = failed.length > 0 || it.fallback;
      return { ...shown, state: had ? "recovered" : "updated", note: it.fallback ? "a fallback answered" : had ? "a retry answered" : null };
    }
    if (isDone) return { ...shown, state: "error", note: words(it.outcome) };
    const isFailing = last !== undefined && failed.includes(last);
    return { ...shown, state: isFailing ? "error" : "loading", note: isFailing ? words(last.cause ?? "the call failed") : last ? `waiting for ${last.model}` : "waiting for the router" };
  }

  function taskOfRunner(it, ns) {
    const update = it.updates[until(it.updates, ns) - 1] ?? it.start;
    const [status, isDone] = [String(events.field(update, "status")), done(it, ns)];
    const shown = { id: it.id, on: events.nodes[it.agent], status: `${words(status)}, ${events.field(update, "percent")} %`,
      took: duration((isDone ? events.at[it.end] : ns) - events.at[it.start]) };
    if (isDone) return { ...shown, state: it.outcome === "ok" ? "updated" : "error", note: it.outcome === "ok" ? null : "it ended with an error" };
    return { ...shown, state: "loading", note: status === "pending" ? "waiting for an approval" : "under way" };
  }

  function projects(ns) {
    const all = new Map();
    for (const it of started) {
      if (events.at[it.start] > ns) break;
      const name = isTasks ? events.nodes[it.agent] : events.field(it.start, "workspace") || "requests";
      if (!all.has(name)) all.set(name, { name, all: 0, done: 0, failed: 0 });
      const one = all.get(name);
      one.all++;
      if (done(it, ns)) { one.done++; if (it.outcome !== "ok") one.failed++; }
    }
    if (all.size === 0) return { state: "empty" };
    const list = [...all.values()].sort((a, b) => b.failed - a.failed || b.all - a.all);
    const known = until(ends, ns);
    const failed = list.some((one) => one.failed > 0);
    const state = known === 0 ? "loading" : !isOk[known - 1] ? "error" : failed ? "recovered" : "updated";
    return { state, projects: list.slice(0, 4), note: state === "error" ? (isTasks ? "the last task ended with an error" : "the last request was not answered") : list.length > 4 ? `and ${list.length - 4} more` : null };
  }

  const WINDOW = Math.min(10e9, endNs / 5);
  function measured(ns) {
    const known = until(ends, ns);
    if (known === 0) return { state: until(starts, ns) ? "loading" : "empty", none: isTasks ? "Tasks are under way" : null };
    const begin = until(ends, ns - WINDOW);
    const ok = isOk.slice(begin, known).filter(Boolean).length;
    const all = known - begin;
    const took = ends.slice(begin, known).map((i) => events.at[i] - events.at[workOf(i).start]).sort((a, b) => a - b);
    const line = new Array(20).fill(0);
    for (let at = begin; at < known; at++) line[Math.min(19, Math.floor(((events.at[ends[at]] - ns + WINDOW) / WINDOW) * 20))]++;
    const share = all ? ok / all : 1;
    const was = isOk.slice(0, known).includes(false);
    return { state: share < 0.9 ? "error" : was ? "recovered" : "updated", success: all ? `${Math.floor(share * 100)} %` : "–",
      p50: all ? duration(percentile(took, 0.5)) : "–", p95: all ? duration(percentile(took, 0.95)) : "–",
      rate: String(Number((all / (WINDOW / 1e9)).toFixed(1))), line, note: `the last ${duration(WINDOW)}` };
  }

  function alerts(ns) {
    const list = faultBands.filter((it) => it.from <= ns).map((it) => ({ text: it.label, firing: ns < it.to || !it.healed, at: it.from }));
    for (const track of model.tracks) {
      const changes = track.changes.filter((it) => it.at <= ns && it.event >= 0);
      if (changes.length === 0) continue;
      const state = changes[changes.length - 1].state;
      const name = track.kind === "node" ? events.nodes[track.node] : track.label;
      const isFine = lookOf(state)[0] === "good";
      const worst = changes.map((it) => it.state).filter((it) => lookOf(it)[0] !== "good").pop();
      if (worst) list.push({ text: `${name} ${isFine ? `was ${words(worst)}` : `is ${words(state)}`}`, firing: !isFine, at: changes[changes.length - 1].at });
    }
    for (const i of model.alerts.slice(0, until(model.alerts, ns))) {
      const [level, workspace] = [events.field(i, "level") ?? "exceeded", events.field(i, "workspace")];
      list.push({ text: `quota of ${workspace}: ${level}`, firing: level !== "warning", at: events.at[i], isNote: level === "warning" });
    }
    if (list.length === 0) return { state: ns < (events.at[0] ?? 0) ? "loading" : "empty" };
    const latest = new Map(list.sort((a, b) => a.at - b.at).map((one) => [one.text, one]));
    const firing = [...latest.values()].sort((a, b) => b.firing - a.firing || b.at - a.at);
    const state = firing.some((one) => one.firing) ? "error" : firing.every((one) => one.isNote) ? "updated" : "recovered";
    return { state, alerts: firing };
  }

  const nameOf = (i) => visible(["approval", "task", "request", "id"].map((name) => events.field(i, name)).find((it) => it !== undefined && it !== null) ?? `#${i + 1}`);
  function approval(ns) {
    if (model.approvals.length === 0) return { state: "empty", none: "No approvals in this run" };
    const seen = model.approvals.slice(0, until(model.approvals, ns));
    if (seen.length === 0) return { state: "empty" };
    const i = seen[seen.length - 1];
    const id = nameOf(i);
    const earlier = seen.filter((it) => it !== i && nameOf(it) === id);
    const refused = (it) => events.kindName(it) === "approval_expired" || /reject|refuse|den/.test(String(events.field(it, "decision") ?? events.field(it, "status") ?? events.field(it, "outcome") ?? ""));
    const open = new Set();
    for (const it of seen) { if (events.kindName(it) === "approval_submitted") open.add(nameOf(it)); else open.delete(nameOf(it)); }
    open.delete(id);
    const others = open.size ? count(open.size) : null;
    if (events.kindName(i) === "approval_submitted") return { state: "loading", id, status: "submitted", waiting: duration(ns - events.at[i]), others };
    const status = events.kindName(i) === "approval_expired" ? "expired" : words(events.field(i, "decision") ?? events.field(i, "status") ?? events.field(i, "outcome") ?? "decided");
    return { state: refused(i) ? "error" : earlier.some(refused) ? "recovered" : "updated", id, status, by: events.field(i, "by") ?? events.field(i, "reviewer"), others };
  }

  function advance(ns) {
    if (model.progress.length) {
      const seen = model.progress.slice(0, until(model.progress, ns));
      if (seen.length === 0) return { state: "empty" };
      const i = seen[seen.length - 1];
      const [task, status] = [events.field(i, "task"), String(events.field(i, "status") ?? "")];
      const share = Number(events.field(i, "percent") ?? 0) / 100;
      const isBad = (it) => /fail|error|lost|disconnect|cancel/.test(String(events.field(it, "status") ?? ""));
      const had = seen.some((it) => events.field(it, "task") === task && isBad(it));
      return { state: isBad(i) ? "error" : had ? "recovered" : share > 0 ? "updated" : "loading", task: String(task), share, note: words(status) };
    }
    const all = started.length;
    const known = until(ends, ns);
    if (all === 0 || until(starts, ns) === 0) return { state: "empty" };
    const failed = isOk.slice(0, known).filter((it) => !it).length;
    const state = known === 0 ? "loading" : !isOk[known - 1] ? "error" : failed ? "recovered" : "updated";
    return { state, task: "Requests of the run", share: known / all, note: `${count(known)} of ${count(all)} ended${failed ? `, ${count(failed)} not ok` : ""}` };
  }

  const at = { TaskCard: task, ProjectStatus: projects, MetricsWidget: measured, AlertWidget: alerts, ApprovalCard: approval, ProgressIndicator: advance };
  return () => {
    const body = el("div.widgets");
    const note = el("span.note");
    let pending = 0;
    const render = () => {
      pending = 0;
      note.textContent = `at ${instant(Math.round(scene.now))}`;
      replace(body, Object.keys(WIDGETS).map((kind) => WIDGETS[kind](at[kind](scene.now))));
    };
    const later = () => { if (!pending) pending = requestAnimationFrame(render); };
    scene.on("now", later);
    scene.on("select", later);
    render();
    const element = panel("now", "The stack at the scrubber", null, body);
    element.firstChild.append(note);
    return element;
  };
})();
