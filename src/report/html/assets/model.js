// What the events say of the stack: messages, requests, states and meters over time.

/** What kinds of events are about, for filters and marks. */
const GROUPS = [
  ["messages", ["message_sent", "message_delivered"]],
  ["lost messages", ["message_dropped", "message_duplicated", "message_corrupted", "late_answer", "call_timed_out"]],
  ["nodes and faults", ["node_started", "node_restarted", "node_crashed", "node_paused", "node_resumed", "actor_stopped",
    "fault_planned", "fault_fired", "fault_healed", "fault_point_fired"]],
  ["requests", ["request_started", "request_ended", "request_routed", "request_failed", "first_token", "stream_mixed",
    "answer_truncated", "context_received", "context_missing"]],
  ["attempts", ["attempt_started", "attempt_skipped", "attempt_failed", "retry_scheduled", "retry_refused"]],
  ["guards", ["breaker_changed", "health_checked", "health_changed", "health_reported", "heal_started", "heal_ended",
    "quota_exceeded", "quota_settled", "quota_level", "quota_reset", "state_restored"]],
  ["tasks and approvals", ["progress_reported", "progress_shown", "task_resumed", "task_stopped", "approval_submitted",
    "approval_decided", "approval_expired", "approval_refused", "stream_opened", "stream_lost", "widget_changed"]],
  ["timers and disks", ["timer_fired", "disk_synced", "disk_failed"]],
];
/** What stands for a text for which there was no room. */
const NO_ROOM = "… (left out: the texts of this run are too long)";

const OTHER = "sidecar, services and others";
const GROUP_NAMES = [...GROUPS.map(([name]) => name), OTHER];
const groupOfKind = events.kinds.map((kind) => {
  const at = GROUPS.findIndex(([, kinds]) => kinds.includes(kind));
  return at < 0 ? GROUPS.length : at;
});

const BAD_KINDS = new Set(["message_dropped", "message_corrupted", "call_timed_out", "node_crashed", "disk_failed",
  "attempt_failed", "request_failed", "quota_exceeded", "context_missing", "stream_mixed", "answer_truncated",
  "result_damaged", "event_dropped", "connections_lost", "agent_alone", "approval_expired"]);

/** Whether an event tells of trouble. */
const isBad = (() => {
  const bad = new Uint8Array(events.count);
  const always = events.kinds.map((kind) => BAD_KINDS.has(kind));
  const kind = (name) => events.kinds.indexOf(name);
  const [ended, breaker, service, progress] = ["request_ended", "breaker_changed", "service_called", "progress_reported"].map(kind);
  for (let i = 0; i < events.count; i++) {
    const k = events.kind[i];
    if (always[k]) bad[i] = 1;
    else if (k === ended || k === service) bad[i] = events.field(i, "outcome") === "ok" ? 0 : 1;
    else if (k === breaker) bad[i] = events.field(i, "to") === "open" ? 1 : 0;
    else if (k === progress) bad[i] = events.field(i, "status") === "error" ? 1 : 0;
  }
  return bad;
})();

const nodeByName = new Map(events.nodes.map((name, index) => [name, index]));

/** Everything else, in one pass over the events. */
const model = (() => {
  const messages = { sent: [], end: [], from: [], to: [], fate: [], t0: [], t1: [] };
  const byId = new Map();
  const requests = new Map();
  const tracks = new Map(); // states of nodes, breakers and components over time
  const quotas = new Map();
  const tokens = new Map();
  const approvals = [];
  const progress = [];
  const tasks = new Map();
  const tasksEnded = [];
  const marks = { ended: [], alerts: [] };

  const request = (i) => {
    const id = events.field(i, "request");
    if (typeof id !== "string" || id === NO_ROOM) return null;
    let it = requests.get(id);
    if (!it) {
      it = { id, start: i, end: -1, outcome: null, events: [], attempts: [], pauses: [], skipped: [],
        firstToken: -1, context: -1, routed: -1, fallback: false, agent: events.node[i] };
      requests.set(id, it);
    }
    it.events.push(i);
    return it;
  };
  const track = (kind, key, label, node) => {
    const name = `${kind} ${node} ${key}`;
    let it = tracks.get(name);
    if (!it) tracks.set(name, (it = { kind, label, node, changes: [] }));
    return it;
  };
  const change = (of, i, state, before) => {
    if (of.changes.length === 0 && before !== undefined) of.changes.push({ at: 0, state: before, event: -1 });
    of.changes.push({ at: events.at[i], state, event: i });
  };
  const add = (map, key, value) => {
    if (!map.has(key)) map.set(key, []);
    map.get(key).push(value);
  };
  const arrived = (i, fate) => {
    const id = events.field(i, "message");
    const known = byId.get(id);
    if (known === undefined) return;
    if (messages.end[known] < 0) {
      messages.end[known] = i;
      messages.t1[known] = events.at[i];
      if (fate) messages.fate[known] = fate;
    } else {
      // A copy: its own line, beside the first.
      push(messages.sent[known], messages.from[known], messages.to[known], fate === "lost" ? "copy lost" : "copy");
      const last = messages.sent.length - 1;
      messages.end[last] = i;
      messages.t1[last] = events.at[i];
      if (messages.fate[known] === "delivered") messages.fate[known] = "twice";
    }
  };
  const push = (sent, from, to, fate) => {
    messages.sent.push(sent);
    messages.end.push(-1);
    messages.from.push(from);
    messages.to.push(to);
    messages.fate.push(fate);
    messages.t0.push(events.at[sent]);
    messages.t1.push(events.at[sent]);
  };
  const finish = (it, i, status) => {
    const model = events.field(i, "model");
    const attempt = events.field(i, "attempt");
    const open = it.attempts.filter((one) => one.end < 0 && one.model === model);
    const one = open.find((one) => attempt === undefined || one.attempt === attempt) ?? open[0];
    if (one) Object.assign(one, { end: i, status, cause: events.field(i, "cause") ?? null });
  };

  const see = {
    message_sent(i) {
      const [from, to] = [nodeByName.get(events.field(i, "from")), nodeByName.get(events.field(i, "to"))];
      if (from === undefined || to === undefined) return;
      const fates = { duplicate: "twice", corrupt: "corrupted", drop: "lost" };
      byId.set(events.field(i, "message"), messages.sent.length);
      push(i, from, to, fates[events.field(i, "verdict")] ?? "delivered");
    },
    message_delivered: (i) => arrived(i),
    message_dropped: (i) => arrived(i, "lost"),
    message_corrupted: (i) => arrived(i, "corrupted"),
    late_answer: (i) => arrived(i, "late"),
    node_crashed: (i) => change(track("node", "", "", events.node[i]), i, "down", "up"),
    node_restarted: (i) => change(track("node", "", "", events.node[i]), i, "up", "down"),
    node_paused: (i) => change(track("node", "", "", events.node[i]), i, "paused", "up"),
    node_resumed: (i) => change(track("node", "", "", events.node[i]), i, "up", "paused"),
    breaker_changed(i) {
      const component = events.field(i, "component");
      const of = track("breaker", component, `breaker ${component}`, events.node[i]);
      change(of, i, events.field(i, "to"), events.field(i, "from"));
    },
    health_changed(i) {
      const component = events.field(i, "component");
      const of = track("health", component, `health ${component}`, events.node[i]);
      change(of, i, events.field(i, "to"), events.field(i, "from"));
    },
    request_started: (i) => { const it = request(i); if (it) it.start = i; },
    context_received: (i) => { const it = request(i); if (it) it.context = i; },
    context_missing: (i) => { const it = request(i); if (it) it.context = i; },
    attempt_started(i) {
      const it = request(i);
      it?.attempts.push({ model: events.field(i, "model"), attempt: events.field(i, "attempt"), start: i, end: -1,
        status: "open", cause: null, hedge: events.field(i, "hedge") === true });
    },
    attempt_failed: (i) => { const it = request(i); if (it) finish(it, i, "failed"); },
    attempt_skipped: (i) => request(i)?.skipped.push(i),
    retry_scheduled(i) {
      request(i)?.pauses.push({ start: i, until: events.at[i] + (events.field(i, "delay_ms") ?? 0) * 1e6 });
    },
    request_routed(i) {
      const it = request(i);
      if (!it) return;
      it.routed = i;
      it.fallback = events.field(i, "fallback_used") === true;
      finish(it, i, "ok");
    },
    first_token: (i) => { const it = request(i); if (it && it.firstToken < 0) it.firstToken = i; },
    request_ended(i) {
      const it = request(i);
      if (!it) return;
      it.end = i;
      it.outcome = events.field(i, "outcome");
      marks.ended.push(i);
    },
    quota_settled(i) {
      const point = { at: events.at[i], event: i, used: events.field(i, "used"), limit: events.field(i, "limit") };
      add(quotas, events.field(i, "workspace"), point);
      add(tokens, events.field(i, "model"), { at: events.at[i], event: i, tokens: events.field(i, "tokens") });
    },
    quota_reset: (i) => add(quotas, events.field(i, "workspace"), { at: events.at[i], event: i, used: 0, limit: null }),
    quota_level: (i) => marks.alerts.push(i),
    quota_exceeded(i) { request(i); marks.alerts.push(i); },
    approval_submitted: (i) => approvals.push(i),
    approval_decided: (i) => approvals.push(i),
    approval_expired: (i) => approvals.push(i),
    progress_reported(i) {
      progress.push(i);
      const id = String(events.field(i, "task"));
      if (!tasks.has(id)) tasks.set(id, { id, start: i, end: -1, outcome: null, updates: [], agent: events.node[i] });
      const it = tasks.get(id);
      it.updates.push(i);
      const status = events.field(i, "status");
      if (it.end < 0 && (status === "completed" || status === "error")) {
        Object.assign(it, { end: i, outcome: status === "completed" ? "ok" : "failed" });
        tasksEnded.push(i);
      }
    },
  };
  const handlers = events.kinds.map((kind) => (Object.hasOwn(see, kind) ? see[kind] : null));
  const belongs = events.kinds.map((kind) => /^(request|retry|stream|answer)_/.test(kind));
  for (let i = 0; i < events.count; i++) {
    const handler = handlers[events.kind[i]];
    if (handler) handler(i);
    else if (belongs[events.kind[i]]) request(i);
  }
  // A call that ended otherwise ended with its request.
  for (const it of requests.values()) {
    for (const one of it.attempts) if (one.end < 0) Object.assign(one, { end: it.end, status: it.end < 0 ? "open" : "given up" });
  }
  const points = [...tokens].map(([model, list]) => {
    let sum = 0;
    return [model, list.map(({ at, event, tokens }) => ({ at, event, used: (sum += tokens), limit: null }))];
  });
  const started = [...requests.values()].filter((it) => events.kindName(it.start) === "request_started");
  const longest = messages.t1.reduce((most, end, at) => Math.max(most, end - messages.t0[at]), 0);
  return { messages, longest, requests: started, requestById: requests, tracks: [...tracks.values()],
    quotas: [...quotas], tokens: points, approvals, progress, tasks, tasksEnded, ...marks };
})();

/** The state of a track at an instant; null before anything is known. */
function stateAt(of, ns) {
  let state = null;
  for (const change of of.changes) {
    if (change.at > ns) break;
    state = change.state;
  }
  return state ?? (of.changes[0]?.event === -1 ? of.changes[0].state : null);
}

const faultBands = run.faults
  .filter((it) => it.fired_ns !== null)
  .map((it) => ({ label: it.fault, from: it.fired_ns, to: it.healed_ns ?? endNs, healed: it.healed_ns !== null }));
