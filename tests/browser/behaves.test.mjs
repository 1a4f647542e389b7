// What a user does with the report of a failing sim, by mouse and by keyboard.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, open, report, settled } from "./lib.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** Opens the page of a run, does something, and wants no complaint. */
const on = (sim, options, does) => async () => {
  const { page, complaints } = await open(browser, report(sim, 1), options);
  await does(page);
  assert.deepEqual(complaints, []);
  await page.context().close();
};
const canary = (does, options) => on("sims/canary/broken_expectation.toml", options, does);
const text = (page, selector) => page.locator(selector).innerText();
const selected = async (page) => Number((await text(page, "#detail .detail-title")).match(/#(\d+)/)[1]);

test("the head says what the run came to", canary(async (page) => {
  assert.match(await text(page, ".verdict"), /failed, as it must/);
  assert.match(await text(page, ".reasons"), /success_rate at least 99%: it is 0%/);
  assert.equal(await text(page, "#replay"), "seedbed replay sims/canary/broken_expectation.toml --seed 1");
  assert.match(await text(page, "#checks"), /✕[\s\S]*requests\.success_rate at least 99%[\s\S]*it is 0%/);
}));

test("copying the command says what became of it", canary(async (page) => {
  await page.click("#copy");
  assert.match(await text(page, ".replay"), /copied|Ctrl\+C/);
}));

test("a click on a mark shows the event, its causes and effects, which lead on", canary(async (page) => {
  await page.fill("#filter-text", "request_failed");
  await settled(page);
  assert.match(await text(page, "#diagram-said"), /20 events, each drawn/);
  // The first of them: its place is found with the keyboard, then clicked.
  await page.focus("#diagram");
  await page.keyboard.press("Home");
  const first = await selected(page);
  await page.keyboard.press("Escape");
  assert.match(await text(page, "#detail"), /Where trouble begins/);
  const place = await markAt(page, first);
  await page.mouse.click(place.x, place.y);
  assert.equal(await selected(page), first);
  assert.match(await text(page, "#detail"), /all_models_failed/);
  assert.match(await text(page, "#detail"), /What led to it/);
  await page.click("#filter-clear");
  await page.locator("#detail ol.events button.link", { hasText: "message delivered" }).first().click();
  const cause = await selected(page);
  assert.ok(cause < first, `${cause} led to ${first}`);
  assert.match(await text(page, "#detail"), /What it led to/);
}));

/** Where on the screen an event is drawn: red is found around the selection's ring. */
async function markAt(page, seq) {
  const row = page.locator("#events tbody tr", { has: page.locator("button", { hasText: new RegExp(`^#${seq}$`) }) });
  await row.locator("button").first().click();
  await page.locator("#diagram").scrollIntoViewIfNeeded();
  await settled(page);
  const found = await page.evaluate(() => {
    const canvas = document.getElementById("diagram");
    const scale = canvas.width / canvas.clientWidth;
    const g = canvas.getContext("2d");
    const { data, width, height } = g.getImageData(0, 0, canvas.width, canvas.height);
    const accent = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
    const [r, gr, b] = [1, 3, 5].map((at) => parseInt(accent.slice(at, at + 2), 16));
    // The ring is as wide as high, and below the axis; the line of the scrubber is one pixel wide.
    const xs = [], ys = [];
    for (let y = 30 * scale; y < height; y++) for (let x = 150 * scale; x < width; x++) {
      const at = (Math.floor(y) * width + Math.floor(x)) * 4;
      if (Math.abs(data[at] - r) + Math.abs(data[at + 1] - gr) + Math.abs(data[at + 2] - b) < 40) { xs.push(x); ys.push(y); }
    }
    const counts = new Map();
    ys.forEach((y) => counts.set(Math.floor(y), (counts.get(Math.floor(y)) ?? 0) + 1));
    const busy = [...counts].filter(([, n]) => n > 3).map(([y]) => y);
    const box = canvas.getBoundingClientRect();
    return { x: box.left + (Math.min(...xs) + Math.max(...xs)) / 2 / scale, y: box.top + (Math.min(...busy) + Math.max(...busy)) / 2 / scale };
  });
  await page.focus("#diagram");
  await page.keyboard.press("Escape");
  await settled(page);
  return found;
}

test("the scrubber drives the widgets", canary(async (page) => {
  const state = (kind) => page.locator(`#now [data-widget=${kind}]`).getAttribute("data-state");
  const scrub = async (share) => {
    await page.locator("#scrubber").evaluate((it, to) => { it.value = String(it.max * to); it.dispatchEvent(new Event("input")); }, share);
    await settled(page);
  };
  await scrub(0);
  assert.deepEqual([await state("TaskCard"), await state("MetricsWidget"), await state("ProgressIndicator")], ["empty", "empty", "empty"]);
  await scrub(0.004);
  assert.deepEqual([await state("TaskCard"), await state("MetricsWidget"), await state("ProjectStatus")], ["loading", "loading", "loading"]);
  await scrub(1);
  assert.deepEqual([await state("TaskCard"), await state("MetricsWidget"), await state("ProgressIndicator")], ["error", "error", "error"]);
  assert.match(await text(page, "#now [data-widget=ApprovalCard]"), /No approvals in this run/);
  // By keyboard, too.
  await page.focus("#scrubber");
  await page.keyboard.press("Home");
  await settled(page);
  assert.equal(await text(page, "#instant"), "0 s");
}));

test("play and pause move the scrubber", canary(async (page) => {
  await page.click("#play");
  assert.match(await text(page, "#play"), /Pause/);
  await page.waitForTimeout(1300);
  const at = await text(page, "#instant");
  assert.notEqual(at, "0 s");
  await page.click("#play");
  assert.match(await text(page, "#play"), /Play/);
}));

test("filters by text, node, kind and group say how much is left", canary(async (page) => {
  const left = async () => { await settled(page); return text(page, "#filter-count"); };
  const whole = await left();
  await page.fill("#filter-text", "rust-2/1");
  assert.match(await left(), /^\d+ of 330 events$/);
  await page.fill("#filter-text", "no such text");
  assert.equal(await left(), "0 of 330 events");
  assert.match(await text(page, "#events-said"), /No event in view/);
  await page.click("#filter-clear");
  assert.equal(await left(), whole);
  await page.selectOption("#filter-node", { label: "opus" });
  assert.match(await left(), /^\d+ of 330 events$/);
  const nodes = await page.locator("#events tbody tr td:nth-child(3)").allInnerTexts();
  assert.ok(nodes.length > 0 && nodes.every((name) => name === "opus"), String(nodes));
  await page.click("#filter-clear");
  await page.selectOption("#filter-kind", { label: "attempt_failed (20)" });
  assert.equal(await left(), "20 of 330 events");
  await page.click("#filter-clear");
  await page.locator(".chip", { hasText: "messages" }).first().locator("input").uncheck();
  assert.equal(await left(), "170 of 330 events");
  await page.click("#filter-clear");
  await page.fill("#filter-text", "#7");
  assert.equal(await left(), "1 of 330 events");
}));

test("zoom by buttons, keys and wheel changes the window, and nothing is dropped in silence", on("quickstart", {}, async (page) => {
  const said = () => text(page, "#diagram-said");
  assert.match(await said(), /^0 s to .*14\D943 events, too many to draw one by one.*zoom in/);
  await page.click("#zoom-in");
  await settled(page);
  const closer = await said();
  await page.focus("#diagram");
  await page.keyboard.press("+");
  await settled(page);
  assert.notEqual(await said(), closer);
  for (let at = 0; at < 9; at++) await page.keyboard.press("+");
  await settled(page);
  assert.match(await said(), /each drawn/);
  const before = await said();
  await page.keyboard.press("Shift+ArrowLeft");
  await settled(page);
  assert.notEqual(await said(), before);
  const box = await page.locator("#diagram").boundingBox();
  await page.mouse.move(box.x + 400, box.y + 120);
  const near = await said();
  await page.mouse.wheel(0, -300);
  await settled(page);
  assert.notEqual(await said(), near);
  await page.keyboard.press("0");
  await settled(page);
  assert.match(await said(), /^0 s to/);
}));

test("a bar of many events says how many it stands for", on("quickstart", {}, async (page) => {
  const box = await page.locator("#diagram").boundingBox();
  let tip = "";
  for (let y = 40; y < box.height && !/events? here/.test(tip); y += 6) {
    await page.mouse.move(box.x + box.width / 2, box.y + y);
    tip = await page.locator(".tip").innerText().catch(() => "");
  }
  assert.match(tip, /\d+ events? here/);
  assert.match(tip, /zoom in/);
}));

test("the keyboard goes from event to event and lane to lane", canary(async (page) => {
  await page.focus("#diagram");
  await page.keyboard.press("Home");
  assert.equal(await selected(page), 1);
  await page.keyboard.press("ArrowRight");
  assert.equal(await selected(page), 2);
  const node = () => page.locator("#detail dd").nth(1).innerText();
  const first = await node();
  await page.keyboard.press("ArrowUp");
  assert.notEqual(await node(), first);
  await page.keyboard.press("End");
  assert.equal(await selected(page), 330);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "detail");
  assert.match(await page.locator("[aria-live]").textContent(), /^Event 330: /);
}));

test("everything can be reached with Tab, and shows where the focus is", canary(async (page) => {
  const seen = new Set();
  for (let at = 0; at < 60; at++) {
    await page.keyboard.press("Tab");
    seen.add(await page.evaluate(() => document.activeElement.id));
  }
  for (const id of ["copy", "theme", "zoom-in", "fit", "filter-text", "filter-node", "scrubber", "play", "diagram", "diagram"]) assert.ok(seen.has(id), `${id}: ${[...seen]}`);
}));

test("the theme can be switched, and follows the system until then", canary(async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await ground();
  assert.notEqual(light, dark);
  await page.click("#theme");
  assert.equal(await ground(), light);
  assert.match(await text(page, "#theme"), /light/);
  await page.click("#theme");
  await page.emulateMedia({ colorScheme: "light" });
  assert.equal(await ground(), dark);
}));

test("a check leads to the event that decided it", canary(async (page) => {
  await page.locator("#checks details summary").first().click();
  await page.locator("#checks button.link", { hasText: "first at" }).first().click();
  assert.ok((await selected(page)) >= 1);
}));

test("requests are a waterfall that leads to their events", on("quickstart", {}, async (page) => {
  assert.match(await text(page, "#requests"), /1 to 25 of 240 requests/);
  assert.ok((await page.locator("#requests .fall-call.bad").count()) > 0, "calls that failed");
  assert.ok((await page.locator("#requests .fall-pause").count()) > 0, "waits to retry");
  await page.fill("#request-text", "architect/5");
  assert.match(await text(page, "#requests .waterfall"), /architect\/5/);
  await page.locator("#requests .waterfall .fall-call.bad").first().click();
  assert.match(await text(page, "#detail"), /attempt started/);
  assert.match(await text(page, "#detail"), /Request architect\/5/);
}));

test("quotas are meters at the scrubber", on("sims/ccr/quota_levels.toml", {}, async (page) => {
  assert.match(await text(page, "#meters"), /Quota of/);
  const used = async (to) => {
    await page.locator("#scrubber").evaluate((it, share) => { it.value = String(it.max * share); it.dispatchEvent(new Event("input")); }, to);
    return page.locator("#meters .figure").first().innerText();
  };
  assert.match(await used(0), /^0 of/);
  assert.doesNotMatch(await used(1), /^0 of/);
  assert.match(await text(page, "#now [data-widget=AlertWidget]"), /quota of/);
}));

test("hostile names are text, and nothing of them runs", async () => {
  const { readFileSync, writeFileSync } = await import("node:fs");
  const { folder, root, seedbed } = await import("./lib.mjs");
  const sim = readFileSync(`${root}/sims/canary/broken_expectation.toml`, "utf8");
  const purpose = "</script><script>document.title='owned'</script><!-- <img src=x onerror=\"document.title='owned'\"> \u202etxt.exe " + "x".repeat(10_000);
  writeFileSync(`${folder}/hostile.toml`, sim.replace(/^purpose.*$/m, `purpose = ${JSON.stringify(purpose)}`));
  const ran = seedbed("run", `${folder}/hostile.toml`, "--seed", "1", "--html", `${folder}/hostile.html`);
  assert.equal(ran.code, 0, ran.err);
  const { page, complaints } = await open(browser, `${folder}/hostile.html`);
  assert.match(await page.title(), /^hostile seed 1/);
  const shown = await text(page, "#source");
  assert.ok(shown.includes("</script><script>"), shown);
  assert.ok(shown.includes("⟨U+202E⟩"), "what turns text around is spelled out");
  assert.equal(await page.locator("#source img").count(), 0);
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.equal(width[0], width[1], "a word of 10 000 letters is broken");
  assert.deepEqual(complaints, []);
  await page.context().close();
});
