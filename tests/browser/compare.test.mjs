// The page of a comparison, and every page on a narrow screen.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { folder, launch, open, report, seedbed } from "./lib.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const text = (page, selector) => page.locator(selector).innerText();

/** The page of two sims compared. */
function compared(a, b) {
  const file = `${folder}/compare.html`;
  const ran = seedbed("compare", a, b, "--seeds", "12", "--html", file, "--format", "json");
  assert.equal(ran.code, 0, ran.err);
  return { file, told: JSON.parse(ran.out) };
}

test("a comparison shows each metric with its interval, cost in dollars", async () => {
  const { file, told } = compared("sims/ccr/cheapest.toml", "sims/ccr/fastest.toml");
  const { page, complaints } = await open(browser, file);
  const rows = told.sims[0].rows;
  const better = rows.filter((row) => row.finding === "better").length;
  const worse = rows.filter((row) => row.finding === "worse").length;
  assert.match(await text(page, ".verdict"), new RegExp(`B is better in ${better}, worse in ${worse}`));
  assert.match(await text(page, ".facts"), /cheapest[\s\S]*fastest[\s\S]*95 %/);
  const line = (metric) => page.locator("tbody tr", { has: page.locator("td:first-child", { hasText: new RegExp(`^${metric}$`) }) });
  for (const row of rows.filter((row) => row.finding !== "unmeasured")) assert.equal(await line(row.metric).count(), 1, row.metric);
  const cost = rows.find((row) => row.metric === "answers.cost");
  assert.equal(cost.unit, "nanodollars");
  assert.equal(cost.finding, "worse", "the fastest is not the cheapest");
  assert.match((await line("answers.cost").innerText()).replaceAll(/\s+/g, " "), /✕ worse \$\d[\d.]* \$\d[\d.]* \+\$\d[\d.]* \+\$.* to \+\$/);
  assert.equal(await line("answers.cost").locator("svg[role=img]").count(), 1, "its interval, drawn");
  // Where all seeds are the same, there is no interval of nothing.
  assert.doesNotMatch(await text(page, "table"), /0 points to 0 points/);
  await page.click("#theme");
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("nothing sticks out of a narrow screen", async () => {
  const { file } = compared("sims/ccr/cheapest.toml", "sims/ccr/fastest.toml");
  const sweep = `${folder}/narrow.html`;
  seedbed("sweep", "tests/browser/flaky.toml", "--seeds", "40", "--html", sweep);
  for (const shown of [file, sweep, report("quickstart", 1), report("sims/observability/widgets.toml", 1)]) {
    const { page, complaints } = await open(browser, shown, { width: 400 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(wide, 400, shown);
    // A word that is broken letter by letter makes its element far too high.
    for (const one of await page.locator("h1, .replay button, .replay > .note").all()) {
      const box = await one.boundingBox();
      assert.ok(box === null || box.height < 90, `${await one.innerText()} is ${box?.height} high`);
    }
    assert.deepEqual(complaints, []);
    await page.context().close();
  }
});
