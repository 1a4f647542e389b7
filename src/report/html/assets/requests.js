// Requests as a waterfall: each from its beginning, with its calls of models, retries and end.

const REQUESTS_PAGE = 25;

function requestsPanel() {
  const all = model.requests;
  if (all.length === 0) return panel("requests", "Requests", null, el("p.note", "No requests in this run."));
  const took = (it) => (it.end < 0 ? endNs : events.at[it.end]) - events.at[it.start];
  const trouble = (it) => (it.outcome === "ok" ? 0 : 2) + (it.attempts.some((one) => one.status === "failed") ? 1 : 0);
  const orders = {
    trouble: ["Trouble first", (a, b) => trouble(b) - trouble(a) || took(b) - took(a)],
    time: ["In their order", (a, b) => a.start - b.start],
    slow: ["Slowest first", (a, b) => took(b) - took(a)],
  };
  const models = [...new Set(all.flatMap((it) => it.attempts.map((one) => one.model)))];
  let [page, order, wanted] = [0, all.some((it) => trouble(it)) ? "trouble" : "time", ""];
  const body = el("div.waterfall", { role: "list" });
  const pager = el("span.note", { role: "status" });
  const select = el("select", { "aria-label": "Order of requests", onchange: () => { order = select.value; page = 0; render(); } },
    Object.entries(orders).map(([name, [title]]) => el("option", { value: name }, title)));
  select.value = order;
  const search = el("input", { type: "search", id: "request-text", placeholder: "Agent or request", "aria-label": "Show requests of this name",
    oninput: () => { wanted = search.value.trim().toLowerCase(); page = 0; render(); } });
  const back = el("button.quiet", { type: "button", onclick: () => { page--; render(); } }, "‹ Back");
  const on = el("button.quiet", { type: "button", onclick: () => { page++; render(); } }, "More ›");
  const axis = el("div.fall-axis", { "aria-hidden": "true" });

  function bar(of, from, to, scale, classes, title, i, text) {
    const node = el(`button.${classes}`, { type: "button", title, tabindex: "-1", onclick: (event) => { event.stopPropagation(); scene.select(i, { reveal: true }); } }, text);
    node.style.left = `${((from - of) / scale) * 100}%`;
    node.style.width = `max(3px, ${(Math.max(to - from, 0) / scale) * 100}%)`;
    return node;
  }
  function line(it, scale) {
    const start = events.at[it.start];
    const end = start + took(it);
    const bars = [bar(start, start, end, scale, "fall-whole", `${it.id}: ${duration(end - start)}`, it.start, null)];
    if (it.context >= 0) bars.push(bar(start, start, events.at[it.context], scale, "fall-context", `context: ${duration(events.at[it.context] - start)}`, it.context, null));
    it.pauses.forEach((pause) => bars.push(bar(start, events.at[pause.start], Math.min(pause.until, end), scale, "fall-pause", `waits ${duration(pause.until - events.at[pause.start])} to retry`, pause.start, null)));
    it.attempts.forEach((one) => {
      const to = one.end < 0 ? end : events.at[one.end];
      const status = one.status === "ok" ? "ok" : one.status === "failed" ? "bad" : "cut";
      const title = `${short(one.model)}${one.hedge ? ", hedged" : ""}: ${one.status}${one.cause ? ` (${words(one.cause)})` : ""}, ${duration(to - events.at[one.start])}`;
      bars.push(bar(start, events.at[one.start], to, scale, `fall-call.${status}.model-${models.indexOf(one.model) % 4}${one.hedge ? ".hedge" : ""}`, title, one.start, short(one.model, 14)));
    });
    if (it.firstToken >= 0) bars.push(bar(start, events.at[it.firstToken], events.at[it.firstToken], scale, "fall-token", `first token after ${duration(events.at[it.firstToken] - start)}`, it.firstToken, null));
    const good = it.outcome === "ok";
    const calls = it.attempts.map((one) => `${short(one.model, 30)} ${one.status}`).join(", ");
    const head = el("button.fall-name.link", { type: "button", onclick: () => scene.select(it.start, { reveal: true }),
      "aria-label": `${short(it.id)}, ${it.outcome ?? "unfinished"}, ${duration(end - start)}; calls: ${calls || "none"}` }, el("bdi", short(it.id, 24)));
    return el("div.fall", { role: "listitem" }, head,
      el("div.fall-bars", bars),
      el("span.fall-end", { class: `fall-end ${good ? "good" : "bad"}` }, `${good ? "✓" : it.outcome === null ? "…" : "✕"} ${duration(end - start)}`),
      el("span.fall-said.note", good ? (it.fallback ? "fallback" : it.attempts.length > 1 ? counted(it.attempts.length, "call") : "") : words(it.outcome ?? "unfinished")));
  }
  function render() {
    const list = all.filter((it) => !wanted || it.id.toLowerCase().includes(wanted)).sort(orders[order][1]);
    const pages = Math.max(1, Math.ceil(list.length / REQUESTS_PAGE));
    page = Math.min(page, pages - 1);
    const part = list.slice(page * REQUESTS_PAGE, (page + 1) * REQUESTS_PAGE);
    const scale = Math.max(1, ...part.map(took)) * 1.02;
    replace(body, part.map((it) => line(it, scale)));
    const { step, marks } = ticks(0, scale, 6);
    replace(axis, marks.map((at) => { const it = el("span", `+${tick(at, step)}`); it.style.left = `${(at / scale) * 100}%`; return it; }));
    pager.textContent = list.length ? `${count(page * REQUESTS_PAGE + 1)} to ${count(page * REQUESTS_PAGE + part.length)} of ${counted(list.length, "request")}` : "no such request";
    back.disabled = page === 0;
    on.disabled = page >= pages - 1;
  }
  render();
  const key = (name, text) => el("span.key", el(`i.${name}`), text);
  return panel("requests", "Requests", null,
    el("div.filters", search, select, back, on, pager),
    el("div.keys-row", key("fall-context", "context"), key("fall-call.ok", "call that answered"), key("fall-call.bad", "call that failed"), key("fall-call.cut", "given up"), key("fall-pause", "wait to retry"), key("fall-token", "first token")),
    el("div.fall", el("span"), axis), body);
}
