// A run of 100 000 events: how long its page takes to be written and to be painted, and its size.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { folder, launch, open, root } from "./lib.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const EVENTS = 100_000;

test("the page of 100 000 events", async () => {
  // The built-in sim with seven times the requests.
  const sim = readFileSync(`${root}/sims/quickstart.toml`, "utf8").replaceAll("requests      = 20", "requests      = 150");
  writeFileSync(`${folder}/large.toml`, sim);
  const page = `${folder}/large.html`;
  // Time of the processor, in milliseconds: what else the machine does is not measured.
  const timed = (...args) => {
    const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>"$0"';
    const ran = spawnSync("bash", ["-c", script, `${folder}/said`, process.env.SEEDBED, ...args], { cwd: root, encoding: "utf8" });
    assert.equal(ran.status, 0, readFileSync(`${folder}/said`, "utf8"));
    return ran.stderr.trim().split(" ").reduce((sum, it) => sum + Number(it) * 1000, 0);
  };
  const build = process.env.SEEDBED.includes("/release/") ? "release" : "debug";
  // The least of three. A debug build is not measured at all.
  const least = (...args) => Math.min(...(build === "release" ? [1, 2, 3] : [1]).map(() => timed(...args)));
  const run = ["run", `${folder}/large.toml`, "--seed", "1"];
  const [plain, written] = [least(...run), least(...run, "--html", page)];
  const bytes = statSync(page).size;
  const { page: shown, complaints } = await open(browser, page);
  const events = await shown.evaluate(() => JSON.parse(document.getElementById("run-data").textContent).events);
  assert.ok(events >= EVENTS, `${events} events`);
  const painted = (it) => it.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  const paint = await painted(shown);
  assert.match(await shown.locator("#diagram-said").innerText(), /too many to draw one by one/);
  assert.deepEqual(complaints, []);
  writeFileSync(`${folder}/empty.html`, "<!doctype html><title>empty</title><p>empty</p>");
  const { page: empty } = await open(browser, `${folder}/empty.html`, { waits: (it) => it.waitForTimeout(200) });
  const nothing = await painted(empty);
  const frames = await shown.evaluate(() => new Promise((done) => {
    const begin = performance.now();
    let frames = 0;
    const step = () => { if (++frames < 20) { document.getElementById(frames % 2 ? "zoom-in" : "zoom-out").click(); requestAnimationFrame(step); } else done((performance.now() - begin) / frames); };
    requestAnimationFrame(step);
  }));
  console.log(`${events} events, ${build} build, time of the processor: written in ${Math.round(written - plain)} ms (run alone ${Math.round(plain)} ms), ${(bytes / 1e6).toFixed(1)} MB; `
    + `first paint after ${Math.round(paint)} ms, ${(paint / nothing).toFixed(1)} times that of an empty page (${Math.round(nothing)} ms); ${frames.toFixed(0)} ms a frame while zooming`);
  assert.ok(bytes < 15e6, `${bytes} bytes`);
  assert.ok(paint < 2000, `first paint after ${paint} ms`);
  if (build === "release") assert.ok(written - plain < 1000, `${written - plain} ms to write`);
});
