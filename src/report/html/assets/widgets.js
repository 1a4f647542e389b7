// The widgets of a dashboard, each from plain values: `loading`, `updated`, `error`, `recovered` or
// `empty`, and what it shows then. What the values are at an instant is in `now.js`.

const STATE_MARKS = { loading: "◌", updated: "✓", error: "✕", recovered: "↻", empty: "–" };

function widget(kind, title, { state, note }, ...body) {
  return el("article.widget", { class: `widget ${state}`, "data-widget": kind, "data-state": state, "aria-label": `${title}: ${state}` },
    el("header", el("h3", title), el("span.badge", el("span", { "aria-hidden": "true" }, STATE_MARKS[state]), ` ${state}`)),
    state === "loading" ? el("div.progress.unknown", { "aria-hidden": "true" }, el("i")) : null,
    ...body, note ? el("p.note", visible(note)) : null);
}
const pair = (name, value) => (value === null || value === undefined ? null : [el("dt", name), el("dd", el("bdi", short(value, 40)))]);
function bar(share, label) {
  const inner = el("i");
  inner.style.width = `${Math.max(0, Math.min(100, share * 100))}%`;
  return el("div.progress", { role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.round(share * 100)) }, inner);
}

const WIDGETS = {
  TaskCard: (it) => widget("TaskCard", "Task", it,
    it.id ? [el("p.lead", nameEl(it.id, 36)), el("dl", pair("task", it.task), pair("on", it.on), pair("status", it.status), pair("model", it.model), pair("calls", it.calls), pair("for", it.took))] : el("p.lead.note", "No task yet")),
  ProjectStatus: (it) => widget("ProjectStatus", "Projects", it,
    it.projects?.length ? it.projects.map((one) => el("div.row", nameEl(one.name, 18), bar(one.all ? one.done / one.all : 0, `${short(one.name)}: ${one.done} of ${one.all} done`), el("span.num", `${count(one.done)}/${count(one.all)}`), el("span.num", { class: `num ${one.failed ? "bad" : "note"}` }, one.failed ? `✕ ${count(one.failed)}` : "")))
      : el("p.lead.note", "No project has work yet")),
  MetricsWidget: (it) => widget("MetricsWidget", "Metrics", it,
    it.rate !== undefined ? [el("div.figures", el("div", el("div.figure", it.success), el("div.note", "success")), el("div", el("div.figure", it.p50), el("div.note", "p50")), el("div", el("div.figure", it.p95), el("div.note", "p95")), el("div", el("div.figure", it.rate), el("div.note", "per s"))), it.line ? spark(it.line) : null]
      : el("p.lead.note", it.state === "loading" ? it.none ?? "Requests are under way" : "Nothing measured yet")),
  AlertWidget: (it) => widget("AlertWidget", "Alerts", it,
    it.alerts?.length ? el("ul.alerts", it.alerts.slice(0, 5).map((one) => el("li", { class: one.firing ? "bad" : "good" }, one.firing ? "✕ " : "✓ ", nameEl(one.text, 44))), it.alerts.length > 5 ? el("li.note", `and ${count(it.alerts.length - 5)} more`) : null)
      : el("p.lead.note", it.state === "loading" ? "The run begins" : "No alert so far")),
  ApprovalCard: (it) => widget("ApprovalCard", "Approval", it,
    it.id ? [el("p.lead", nameEl(it.id, 36)), el("dl", pair("status", it.status), pair("by", it.by), pair("waiting", it.waiting), pair("others wait", it.others))] : el("p.lead.note", it.none ?? "Nothing to approve yet")),
  ProgressIndicator: (it) => widget("ProgressIndicator", "Progress", it,
    it.share !== undefined ? [el("p.lead", nameEl(it.task, 30), el("span.num", ` ${Math.round(it.share * 100)} %`)), bar(it.share, it.task)] : el("p.lead.note", "Nothing has begun")),
};

function spark(values) {
  const most = Math.max(1, ...values);
  const line = values.map((value, at) => `${at ? "L" : "M"}${(at / (values.length - 1)) * 200} ${26 - (value / most) * 24}`).join("");
  return svg("svg", { viewBox: "0 0 200 28", preserveAspectRatio: "none", class: "chart spark", role: "img", "aria-label": `Ends of requests in the window, at most ${count(most)} in one part` }, svg("path", { d: line, class: "line" }));
}

/** Every widget in every state, with made-up values: opened with `#states`, and drawn by tests. */
const SAMPLES = {
  TaskCard: {
    empty: {}, loading: { id: "rust-3/17", task: "code_generation", calls: "1", took: "310 ms", note: "waiting for opus" },
    updated: { id: "rust-3/17", task: "code_generation", model: "opus", calls: "1", took: "1.42 s" },
    error: { id: "rust-3/17", task: "code_generation", model: "opus", calls: "2", took: "5.61 s", note: "server error" },
    recovered: { id: "rust-3/17", task: "code_generation", model: "sonnet", calls: "3", took: "6.2 s", note: "a fallback answered" },
  },
  ProjectStatus: {
    empty: {}, loading: { projects: [{ name: "acme", done: 0, all: 6, failed: 0 }] },
    updated: { projects: [{ name: "acme", done: 40, all: 52, failed: 0 }, { name: "globex", done: 7, all: 9, failed: 0 }] },
    error: { projects: [{ name: "acme", done: 44, all: 52, failed: 4 }, { name: "globex", done: 9, all: 9, failed: 0 }], note: "the last request failed" },
    recovered: { projects: [{ name: "acme", done: 50, all: 52, failed: 4 }], note: "answers again" },
  },
  MetricsWidget: {
    empty: {}, loading: {},
    updated: { success: "100 %", p50: "820 ms", p95: "1.9 s", rate: "6.2", line: [2, 4, 3, 6, 5, 6, 7, 6] },
    error: { success: "62 %", p50: "2.1 s", p95: "5 s", rate: "1.8", line: [6, 6, 5, 2, 1, 1, 0, 1], note: "below 90 % in the last 10 s" },
    recovered: { success: "98 %", p50: "900 ms", p95: "2.2 s", rate: "5.4", line: [1, 0, 1, 3, 5, 6, 6, 5] },
  },
  AlertWidget: {
    empty: {}, loading: {}, updated: { alerts: [{ text: "quota of acme: warning, 80 %", firing: false }], note: "for your information" },
    error: { alerts: [{ text: "partition router ⇹ opus", firing: true }, { text: "breaker opus is open", firing: true }] },
    recovered: { alerts: [{ text: "partition router ⇹ opus", firing: false }, { text: "breaker opus is open", firing: false }], note: "all has healed" },
  },
  ApprovalCard: {
    empty: {}, loading: { id: "deploy rust-3", status: "submitted", waiting: "4.2 s" }, updated: { id: "deploy rust-3", status: "approved", by: "reviewer-1" },
    error: { id: "deploy rust-3", status: "expired" }, recovered: { id: "deploy rust-3", status: "approved", by: "reviewer-2", note: "submitted again after it had expired" },
  },
  ProgressIndicator: {
    empty: {}, loading: { task: "indexing", share: 0 }, updated: { task: "indexing", share: 0.4 },
    error: { task: "indexing", share: 0.55, note: "connection lost" }, recovered: { task: "indexing", share: 0.9, note: "resumed at 55 %" },
  },
};

function gallery() {
  return el("main.gallery", el("h1", "Widgets and their states"), Object.keys(SAMPLES).map((kind) =>
    el("section", el("h2", kind), el("div.widgets", Object.entries(SAMPLES[kind]).map(([state, sample]) => WIDGETS[kind]({ state, ...sample }))))));
}
