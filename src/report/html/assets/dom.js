// Elements. All text is set as text: there is no way from here to HTML.

/** An element: `el("p.note", {title: "x"}, "text", child…)`. */
function el(name, ...rest) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  const isOptions = rest.length && rest[0] !== null && typeof rest[0] === "object" && !(rest[0] instanceof Node) && !Array.isArray(rest[0]);
  for (const [key, value] of Object.entries(isOptions ? rest.shift() : {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked" || key === "disabled") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  fill(element, rest);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  fill(element, children);
  return element;
}

function fill(element, children) {
  for (const child of children.flat(3)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

const replace = (element, ...children) => { element.replaceChildren(); return fill(element, children); };

/** A name from a sim: kept apart from the text around it, whichever way it runs. */
const nameEl = (text, most = 48) => el("bdi", { title: String(text).length > most ? short(text, 400) : null }, short(text, most));

/** A panel with a heading. */
function panel(id, title, note, ...children) {
  const heading = el("h2", { id: `${id}-title` }, title);
  return el("section.panel", { id, "aria-labelledby": `${id}-title` },
    el("div.panel-head", heading, note ? el("span.note", note) : null), ...children);
}

/** A table: names of columns (with `num` for numbers), rows of cells. */
function table(caption, columns, rows) {
  const classOf = (at) => (columns[at].startsWith("#") ? "num" : null);
  return el("table",
    el("caption.away", caption),
    el("thead", el("tr", columns.map((name, at) => el("th", { scope: "col", class: classOf(at) }, name.replace(/^#/, ""))))),
    el("tbody", rows.map((row) => el("tr", row.map((cell, at) => el("td", { class: classOf(at) }, cell))))));
}

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** Says something to whoever listens instead of looking. */
const announcer = el("div.away", { role: "status", "aria-live": "polite" });
const announce = (text) => { announcer.textContent = text; };

/** Whoever draws in colours of the theme, to be told when it changes. */
const redrawn = [];
const redraw = () => redrawn.forEach((it) => it());

/** Goes from the theme of the system to light to dark. */
function themeButton() {
  const button = el("button.quiet", { type: "button", id: "theme", onclick: () => {
    const order = ["auto", "light", "dark"];
    const next = order[(order.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % 3];
    document.documentElement.dataset.theme = next;
    button.textContent = `Theme: ${next}`;
    redraw();
  } }, "Theme: auto");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return button;
}

/** A command to be copied; the first of a page has an id. */
function commandEl(name, text, id = null) {
  const said = el("span.note", { role: "status" });
  const command = el("code", { id }, visible(text));
  const copy = el("button", { type: "button", id: id ? "copy" : null, "aria-label": `Copy: ${short(text, 80)}`, onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "copied";
    } catch {
      // A page from the disk may not be let at the clipboard: then it is selected, for the keyboard.
      getSelection().selectAllChildren(command);
      said.textContent = "press Ctrl+C";
    }
  } }, "Copy");
  return el("div.replay", el("span.note", name), command, copy, said);
}

const fact = (name, value) => el("div.fact", el("dt", name), el("dd", value));
