// The data block as events. Everything in it is text or a number, and stays so: no part of this
// script ever turns any of it into HTML.

const raw = JSON.parse(document.getElementById("events-data").textContent);

/** The events: columns by the number of the event, which is its `seq` less one. */
const events = (() => {
  const { texts, nodes, shapes, cut } = raw;
  const count = raw.at.length;
  const at = new Float64Array(count);
  const cause = new Int32Array(count);
  const row = new Uint32Array(count);
  const kind = new Uint16Array(count);
  const node = Uint32Array.from(raw.node);
  const shape = Uint32Array.from(raw.shape);
  const kinds = [...new Set(shapes.map((it) => it.kind))];
  const kindOf = shapes.map((it) => kinds.indexOf(it.kind));
  const next = new Uint32Array(shapes.length);
  let now = 0;
  for (let i = 0; i < count; i++) {
    now += raw.at[i];
    at[i] = now;
    const back = raw.cause[i];
    cause[i] = back === 0 || back > i ? -1 : i - back;
    row[i] = next[shape[i]]++;
    kind[i] = kindOf[shape[i]];
  }

  const decoded = (cell, isText) => {
    if (isText && cell !== null) return texts[cell];
    if (!Array.isArray(cell)) return cell;
    return cell.length === 2 ? { json: texts[cell[0]] } : texts[cell[0]];
  };
  const fieldNames = shapes.map((it) => it.fields.map((name) => texts[name]));

  /** The value of a field of an event; undefined if it has none of that name. */
  const field = (i, name) => {
    const at = fieldNames[shape[i]].indexOf(name);
    if (at < 0) return undefined;
    const of = shapes[shape[i]];
    return decoded(of.columns[at][row[i]], of.texts[at]);
  };
  /** All fields of an event, as pairs of name and value. */
  const fields = (i) => fieldNames[shape[i]].map((name) => [name, field(i, name)]);
  /** The places in `texts` of all texts of an event. */
  const textsOf = (i, each) => {
    const of = shapes[shape[i]];
    for (let f = 0; f < of.columns.length; f++) {
      const cell = of.columns[f][row[i]];
      if (of.texts[f]) {
        if (cell !== null) each(cell);
      } else if (Array.isArray(cell)) each(cell[0]);
    }
  };

  // What each event led to: the effects of i are effect[first[i]] to effect[first[i + 1] - 1].
  const first = new Uint32Array(count + 2);
  for (let i = 0; i < count; i++) if (cause[i] >= 0) first[cause[i] + 2]++;
  for (let i = 2; i < first.length; i++) first[i] += first[i - 1];
  const effect = new Uint32Array(first[count + 1]);
  for (let i = 0; i < count; i++) if (cause[i] >= 0) effect[first[cause[i] + 1]++] = i;

  return {
    count, at, cause, node, kind, cut, texts,
    nodes: nodes.map((id) => texts[id]),
    nodeTexts: nodes,
    kinds: kinds.map((id) => texts[id]),
    kindTexts: kinds,
    field, fields, textsOf,
    kindName: (i) => texts[shapes[shape[i]].kind],
    effects: (i) => effect.subarray(first[i], first[i + 1]),
  };
})();

// The numbers are in typed arrays now.
raw.at = raw.node = raw.shape = raw.cause = null;

/** The first event at or after an instant; `events.count` if there is none. */
function firstAt(ns) {
  let [low, high] = [0, events.count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (events.at[middle] < ns) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The end of the run, also where not all of its events are here. */
const endNs = Math.max(run.ended_ns, events.count ? events.at[events.count - 1] : 0, 1);

/** An event in a line: what it says of itself, most telling first. */
function detail(i) {
  const get = (name) => events.field(i, name);
  if (get("label") !== undefined && get("message") !== undefined) {
    const answer = get("carries") === "answer" ? "answer to " : "";
    const rest = get("cause") ?? (get("verdict") === "deliver" ? undefined : get("verdict"));
    return short(`${answer}${get("label")} ${get("from")} → ${get("to")}${rest ? `, ${rest}` : ""}`, 120);
  }
  const parts = events.fields(i)
    .filter(([, value]) => value !== null)
    .slice(0, 6)
    .map(([name, value]) => (name === "request" || name === "fault" ? visible(value) : `${name}=${valueText(name, value)}`));
  return short(parts.join("  "), 120);
}

/** A button that selects an event. */
function eventLink(i, text) {
  return el("button.link", { type: "button", onclick: () => scene.select(i, { reveal: true }) }, text ?? `#${i + 1}`);
}
