// Words and numbers for people. Values in, text out.

const UNITS = [["s", 1e9], ["ms", 1e6], ["µs", 1e3], ["ns", 1]];

/** A whole number with thin spaces between thousands. */
const count = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");

const counted = (n, noun, plural = `${noun}s`) => `${count(n)} ${n === 1 ? noun : plural}`;

/** A length of time at a glance: three significant digits. */
function duration(ns) {
  if (ns === 0) return "0";
  if (ns >= 3600e9) return `${Math.floor(ns / 3600e9)} h ${Math.floor((ns % 3600e9) / 60e9)} m`;
  if (ns >= 100e9) return `${Math.floor(Math.round(ns / 1e9) / 60)} m ${Math.round(ns / 1e9) % 60} s`;
  const [name, size] = UNITS.find(([, size]) => ns >= size) ?? UNITS[3];
  const value = ns / size;
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${Number(value.toFixed(digits))} ${name}`;
}

/** An instant, exact to the nanosecond, without needless zeros. */
function instant(ns) {
  const whole = Math.floor(ns / 1e9);
  const rest = String(Math.round(ns % 1e9)).padStart(9, "0").replace(/0+$/, "");
  return `${count(whole)}${rest ? "." : ""}${rest} s`;
}

/** An instant to the millisecond, where there is little room. */
const instantShort = (ns) => `${(ns / 1e9).toFixed(3)} s`;

/** An instant for an axis whose marks are this far apart. */
function tick(ns, step) {
  const digits = step >= 1e9 ? 0 : Math.min(9, Math.ceil(-Math.log10(step / 1e9)));
  return `${(ns / 1e9).toFixed(digits)} s`;
}

/** Marks on a time axis: at most so many, at round instants. */
function ticks(from, to, most) {
  const rough = (to - from) / most;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((it) => it * power).find((it) => it >= rough) ?? power * 10;
  const marks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) marks.push(at);
  return { step, marks };
}

const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A text as it is, with what cannot be seen, or turns around what can, spelled out. */
function visible(text) {
  return String(text).replace(HIDDEN, (it) => `⟨U+${it.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** At most so many characters. */
function short(text, most = 60) {
  const plain = visible(text);
  return plain.length > most ? `${plain.slice(0, most - 1)}…` : plain;
}

const words = (name) => visible(name).replaceAll("_", " ");

/** A value of a field for people: durations with their unit, the rest as it is. */
function valueText(name, value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "object") return visible(value.json);
  if (typeof value === "number" && name.endsWith("_ns")) return `${duration(value)} (${count(value)} ns)`;
  if (typeof value === "number" && name.endsWith("_ms")) return `${count(value)} ms`;
  if (typeof value === "number") return String(value);
  return visible(value);
}

/** The value of a metric in its unit. */
function metricText({ unit, value }) {
  if (unit === "duration") return duration(value);
  if (unit === "ratio") return `${Number((value / 1e4).toFixed(2))} %`;
  if (unit === "factor") return String(Number((value / 1e6).toFixed(2)));
  return count(value);
}

const VERDICTS = {
  pass: { mark: "✓", word: "passed", good: true },
  fail: { mark: "✕", word: "failed", good: false },
  failed_as_it_must: { mark: "✓", word: "failed, as it must", good: true },
  diverged_as_it_must: { mark: "✓", word: "diverged, as it must", good: true },
};
