// The head of the page: shown before anything is made of the events.

const run = JSON.parse(document.getElementById("run-data").textContent);

function header() {
  const verdict = VERDICTS[run.verdict] ?? { mark: "?", word: visible(run.verdict), good: false };
  return el("header.top", { class: `top ${verdict.good ? "is-good" : "is-bad"}` },
    el("div.top-row", el("span.verdict", el("span", { "aria-hidden": "true" }, `${verdict.mark} `), verdict.word), el("h1", nameEl(run.sim, 80)), themeButton()),
    el("dl.facts", fact("seed", visible(run.seed)), fact("fingerprint", el("code", visible(run.fingerprint))), fact("events", count(run.events)), fact("virtual time", duration(run.ended_ns)),
      fact("ended", { idle: "nothing left to do", stopped: "stopped", time_limit: "at the time limit", failed: "failed" }[run.ending] ?? visible(run.ending)),
      run.requests.total ? fact("requests", `${count(run.requests.ok)} of ${count(run.requests.total)} ok`) : null, fact("starts", visible(run.start))),
    run.reasons.length ? el("ul.reasons", run.reasons.slice(0, 12).map((reason) => el("li", visible(reason))), run.reasons.length > 12 ? el("li.note", `and ${run.reasons.length - 12} more under Checks`) : null) : null,
    commandEl("Replay", run.replay, "replay"));
}

/** Shows the head; says whether more is to follow. */
function showHead() {
  const page = document.getElementById("page");
  const isGallery = () => location.hash === "#states";
  addEventListener("hashchange", () => { if (isGallery() !== Boolean(document.querySelector(".gallery"))) location.reload(); });
  replace(page, isGallery() ? gallery() : [header(), el("p.note.loading", `Reading ${counted(run.events, "event")} …`)]);
  return !isGallery();
}
