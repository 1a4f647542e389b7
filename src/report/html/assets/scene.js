// What is looked at: the window of time, the instant of the scrubber, the selected event, the lanes.
// Everybody who draws listens here; nobody draws from here.

const scene = (() => {
  const listeners = { view: [], now: [], select: [], filter: [] };
  const tell = (what) => listeners[what].forEach((it) => it());
  const margin = endNs * 0.01;
  const least = 1000; // a microsecond of virtual time
  const it = {
    from: -margin, to: endNs + margin, now: endNs, selected: -1, grouped: false,
    on: (what, listener) => listeners[what].push(listener),

    view(from, to) {
      const span = Math.min(Math.max(to - from, least), endNs + 2 * margin);
      it.from = Math.min(Math.max(from, -margin), endNs + margin - span);
      it.to = it.from + span;
      tell("view");
    },
    zoom(factor, around = (it.from + it.to) / 2) {
      const share = (around - it.from) / (it.to - it.from);
      const span = Math.min(Math.max((it.to - it.from) * factor, least), endNs + 2 * margin);
      it.view(around - share * span, around + (1 - share) * span);
    },
    pan: (share) => it.view(it.from + share * (it.to - it.from), it.to + share * (it.to - it.from)),
    fit: () => it.view(-margin, endNs + margin),

    /** Moves the scrubber. */
    move(ns) {
      it.now = Math.min(Math.max(ns, 0), endNs);
      tell("now");
    },
    /** Selects an event; `reveal` brings it into view. -1 selects none. */
    select(i, { reveal = false } = {}) {
      it.selected = i >= 0 && i < events.count ? i : -1;
      if (it.selected >= 0) {
        const at = events.at[i];
        it.now = at;
        const span = it.to - it.from;
        if (reveal && (at < it.from + span * 0.05 || at > it.to - span * 0.05)) it.view(at - span / 2, at + span / 2);
        announce(`Event ${i + 1}: ${words(events.kindName(i))} on ${short(events.nodes[events.node[i]])} at ${instant(at)}. ${detail(i)}`);
      }
      tell("select");
      tell("now");
    },
    /** Brings a stretch of time into view. */
    show(from, to) {
      const room = Math.max((to - from) * 0.15, least);
      it.view(from - room, to + room);
    },
    group(grouped) { it.grouped = grouped; it.lanes = lanes(); tell("view"); },
    refilter: () => { tell("filter"); tell("view"); },
  };

  /** The rows of the diagram: nodes, or groups of nodes (`rust-1` … `rust-6`), then states. */
  function lanes() {
    const rows = [];
    const of = new Int32Array(events.nodes.length);
    const groups = new Map();
    const order = events.nodes.map((_, index) => index).sort((a, b) => rank(a) - rank(b) || a - b);
    for (const index of order) {
      const name = events.nodes[index];
      const stem = it.grouped ? name.replace(/-\d+$/, "") : name;
      if (!groups.has(stem)) {
        groups.set(stem, rows.length);
        rows.push({ label: stem, nodes: [], silent: true });
      }
      const row = rows[groups.get(stem)];
      row.nodes.push(index);
      row.silent &&= !busyNodes.has(index);
      of[index] = groups.get(stem);
    }
    for (const row of rows) if (row.nodes.length > 1) row.label += ` ×${row.nodes.length}`;
    const states = model.tracks.filter((track) => track.kind !== "node");
    return { rows, of, states };
  }
  // Whoever asks first stands above whoever answers; the world stands above all.
  function rank(index) {
    const name = events.nodes[index];
    if (name === "world") return 0;
    if (name === "load") return 1;
    if (!busyNodes.has(index)) return 6;
    if (asked.has(index) && !asks.has(index)) return 5;
    return name === "sidecar" ? 3 : name === "router" ? 4 : 2;
  }
  // A node that does nothing but start is silent.
  const busyNodes = new Set();
  const starts = events.kinds.indexOf("node_started");
  for (let i = 0; i < events.count; i++) if (events.kind[i] !== starts) busyNodes.add(events.node[i]);
  const asks = new Set();
  const asked = new Set();
  for (let at = 0; at < model.messages.sent.length; at++) {
    const sent = model.messages.sent[at];
    if (events.field(sent, "carries") === "answer") continue;
    asks.add(model.messages.from[at]);
    asked.add(model.messages.to[at]);
  }
  it.grouped = events.nodes.length > 26;
  it.lanes = lanes();
  return it;
})();
