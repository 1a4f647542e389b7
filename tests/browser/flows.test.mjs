// The widgets on runs of the flows around the stack: what they show at an instant is what the log says of it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, open, report, seedbed, settled } from "./lib.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** The events of these kinds, from the command and not from the page. */
function log(sim, ...kinds) {
  const ran = seedbed("replay", sim, "--seed", "1", "--format", "jsonl", ...kinds.flatMap((kind) => ["--kind", kind]));
  assert.equal(ran.code, 0, ran.err);
  return ran.out.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

/** An event of these that is the last of them for a while: the scrubber has steps. */
function lasting(events, is) {
  const found = events.find((it, at) => is(it) && (events[at + 1]?.at_ns ?? Infinity) - it.at_ns > 2 * AFTER);
  assert.ok(found, `one of ${events.length} events`);
  return found;
}
const AFTER = 200_000_000;

/** Moves the scrubber to just after an event, and says where it is then, in nanoseconds. */
async function scrub(page, event) {
  await page.locator("#scrubber").evaluate((it, at) => {
    const ends = JSON.parse(document.getElementById("run-data").textContent).ended_ns;
    it.value = String((Number(it.max) * at) / ends);
    it.dispatchEvent(new Event("input"));
  }, event.at_ns + AFTER);
  await settled(page);
  const text = (await page.locator("#instant").innerText()).replaceAll("\u202f", "");
  return Number(text.replace(" s", "")) * 1e9;
}

const card = async (page, kind) => {
  const it = page.locator(`#now [data-widget=${kind}]`);
  return { state: await it.getAttribute("data-state"), text: await it.innerText() };
};
/** What had happened by an instant. */
const until = (events, ns) => events.filter((it) => it.at_ns <= ns + 1);

test("the approval card follows the queue", async () => {
  const sim = "sims/observability/approval.toml";
  const all = log(sim, "approval_submitted", "approval_decided", "approval_expired");
  const { page, complaints } = await open(browser, report(sim, 1));
  // Tasks take the place of requests where there are none.
  const ends = log(sim, "progress_reported").filter((it) => ["completed", "error"].includes(it.fields.status));
  assert.ok(ends.length > 0);
  assert.match((await card(page, "MetricsWidget")).text, /\d+ %\s+success/);
  const wanted = [
    ["loading", "submitted", lasting(all, (it) => it.kind === "approval_submitted")],
    ["updated", "approved", lasting(all, (it) => it.fields.decision === "approved")],
    ["error", "rejected", lasting(all, (it) => it.fields.decision === "rejected")],
  ];
  for (const [state, status, event] of wanted) {
    const seen = until(all, await scrub(page, event));
    const last = seen[seen.length - 1];
    assert.equal(last.seq, event.seq);
    const shown = await card(page, "ApprovalCard");
    assert.ok(shown.text.includes(last.fields.task), `${shown.text} is not about ${last.fields.task}`);
    assert.ok(shown.text.includes(status), shown.text);
    assert.equal(shown.state, state, shown.text);
    const over = new Set(seen.filter((it) => it.kind !== "approval_submitted").map((it) => it.fields.task));
    const others = seen.filter((it) => it.kind === "approval_submitted" && !over.has(it.fields.task) && it.fields.task !== last.fields.task).length;
    assert.equal(shown.text.match(/others wait\s+(\d+)/)?.[1] ?? "0", String(others), shown.text);
  }
  const start = await scrub(page, { at_ns: -AFTER });
  assert.equal(until(all, start).length, 0);
  assert.match((await card(page, "ApprovalCard")).text, /Nothing to approve yet/);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("progress, task and project follow the runners", async () => {
  const sim = "sims/observability/widgets.toml";
  const all = log(sim, "progress_reported");
  const { page, complaints } = await open(browser, report(sim, 1));
  const half = lasting(all, (it) => it.fields.percent === 50);
  const failed = lasting(all, (it) => it.fields.status === "error");
  for (const event of [half, failed]) {
    const seen = until(all, await scrub(page, event));
    const { task, percent, status } = seen[seen.length - 1].fields;
    const progress = await card(page, "ProgressIndicator");
    for (const part of [task, `${percent} %`, status]) assert.ok(progress.text.includes(part), `${part} in ${progress.text}`);
    assert.equal(progress.state === "error", status === "error", progress.text);
    // The task that began last, and each runner with what it has done.
    const begun = [...new Set(seen.map((it) => it.fields.task))];
    assert.ok((await card(page, "TaskCard")).text.includes(begun[begun.length - 1]));
    const projects = (await card(page, "ProjectStatus")).text;
    for (const runner of new Set(begun.map((it) => it.split("/")[0]))) {
      const mine = (it) => it.fields.task.startsWith(`${runner}/`);
      const ended = seen.filter((it) => mine(it) && ["completed", "error"].includes(it.fields.status)).length;
      const tasks = begun.filter((it) => it.startsWith(`${runner}/`)).length;
      assert.match(projects.replaceAll("\n", " "), new RegExp(`${runner} ${ended}/${tasks}`));
    }
  }
  // An update that tells of an error is trouble; a click on it leads to its task.
  await page.fill("#filter-text", `#${failed.seq}`);
  await settled(page);
  await page.locator("#events tbody tr.trouble button").first().click();
  assert.ok((await card(page, "TaskCard")).text.includes(failed.fields.task));
  assert.deepEqual(complaints, []);
  await page.context().close();
});
