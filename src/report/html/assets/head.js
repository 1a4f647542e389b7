// The head of the page: shown before anything is made of the events.

const run = JSON.parse(document.getElementById("run-data").textContent);

/** Whoever draws in colours of the theme, to be told when it changes. */
const redrawn = [];
const redraw = () => redrawn.forEach((it) => it());

function header() {
  const verdict = VERDICTS[run.verdict] ?? { mark: "?", word: visible(run.verdict), good: false };
  const copied = el("span.note", { role: "status" });
  const copy = el("button", { type: "button", id: "copy", onclick: async () => {
    try {
      await navigator.clipboard.writeText(run.replay);
      copied.textContent = "copied";
    } catch {
      // A page from the disk may not be let at the clipboard: then it is selected, for the keyboard.
      getSelection().selectAllChildren(command);
      copied.textContent = "press Ctrl+C";
    }
  } }, "Copy");
  const command = el("code", { id: "replay" }, visible(run.replay));
  const theme = el("button.quiet", { type: "button", id: "theme", onclick: () => {
    const order = ["auto", "light", "dark"];
    const next = order[(order.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % 3];
    setTheme(next);
  } });
  const setTheme = (name) => {
    document.documentElement.dataset.theme = name;
    theme.textContent = `Theme: ${name}`;
    redraw();
  };
  theme.textContent = "Theme: auto";
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  const fact = (name, value) => el("div.fact", el("dt", name), el("dd", value));
  return el("header.top", { class: `top ${verdict.good ? "is-good" : "is-bad"}` },
    el("div.top-row", el("span.verdict", el("span", { "aria-hidden": "true" }, `${verdict.mark} `), verdict.word), el("h1", nameEl(run.sim, 80)), theme),
    el("dl.facts", fact("seed", visible(run.seed)), fact("fingerprint", el("code", visible(run.fingerprint))), fact("events", count(run.events)), fact("virtual time", duration(run.ended_ns)),
      fact("ended", { idle: "nothing left to do", stopped: "stopped", time_limit: "at the time limit", failed: "failed" }[run.ending] ?? visible(run.ending)),
      run.requests.total ? fact("requests", `${count(run.requests.ok)} of ${count(run.requests.total)} ok`) : null, fact("starts", visible(run.start))),
    run.reasons.length ? el("ul.reasons", run.reasons.slice(0, 12).map((reason) => el("li", visible(reason))), run.reasons.length > 12 ? el("li.note", `and ${run.reasons.length - 12} more under Checks`) : null) : null,
    el("div.replay", el("span.note", "Replay"), command, copy, copied));
}

/** Shows the head; says whether more is to follow. */
function showHead() {
  const page = document.getElementById("page");
  const isGallery = () => location.hash === "#states";
  addEventListener("hashchange", () => { if (isGallery() !== Boolean(document.querySelector(".gallery"))) location.reload(); });
  replace(page, isGallery() ? gallery() : [header(), el("p.note.loading", `Reading ${counted(run.events, "event")} …`)]);
  return !isGallery();
}
