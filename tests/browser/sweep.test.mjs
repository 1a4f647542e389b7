// What a user does with the page of a sweep, and what it says.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { folder, launch, open, seedbed, settled } from "./lib.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const text = (page, selector) => page.locator(selector).innerText();

test("the page of a sweep shows its failures, and leads to each run", async () => {
  const file = `${folder}/sweep.html`;
  const ran = seedbed("sweep", "tests/browser/flaky.toml", "--seeds", "120", "--html", file);
  assert.equal(ran.code, 1, ran.err);
  const [, failed, ways] = ran.out.match(/(\d+) failed in (\d+) ways/);
  assert.equal(ways, "2", ran.out);
  const { page, complaints } = await open(browser, file);
  assert.match(await text(page, ".verdict"), new RegExp(`${failed} failed`));
  assert.equal(await page.locator(".failure").count(), 2);
  assert.match(await text(page, "#replay"), /^seedbed replay tests\/browser\/flaky.toml --seed \d+$/);
  assert.match(await text(page, ".map-head"), new RegExp(`120 runs, ${failed} failed`));
  // To a run by keyboard, then by mouse.
  const canvas = page.locator(".map canvas");
  await canvas.focus();
  await page.keyboard.press("Home");
  assert.match(await text(page, ".chosen"), /seed 1\b/);
  await page.keyboard.press("End");
  assert.match(await text(page, ".chosen"), /seed 120\b/);
  await canvas.click({ position: { x: 14 * 2 + 7, y: 7 } });
  assert.match(await text(page, ".chosen"), /seed 3\b[\s\S]*replay tests\/browser\/flaky.toml --seed 3 --html/);
  // A failure picked out leaves other cells faint.
  const bytes = async () => (await canvas.screenshot()).toString("base64");
  const whole = await bytes();
  await page.locator(".failure button", { hasText: "Show in the map" }).last().click();
  await settled(page);
  assert.notEqual(await bytes(), whole);
  await page.click("#theme");
  assert.deepEqual(complaints, []);
  await page.context().close();
});
