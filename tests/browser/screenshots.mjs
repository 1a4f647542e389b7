// The pictures of the README, from real runs: tests/browser/run screenshots

import { mkdirSync } from "node:fs";

import { launch, open, report, root, settled } from "./lib.mjs";

const out = `${root}/docs/screenshots`;
mkdirSync(out, { recursive: true });
const browser = await launch();

/** Opens a page, prepares what is to be seen, and takes the picture. */
async function shoot(name, sim, seed, options, prepare) {
  const { page } = await open(browser, report(sim, seed), options);
  await prepare(page);
  await page.evaluate(() => document.activeElement.blur());
  await settled(page);
  await page.screenshot({ path: `${out}/${name}.png` });
  await page.context().close();
}

/** Selects the n-th event of a kind. */
async function select(page, kind, nth = 0) {
  await page.selectOption("#filter-kind", { label: (await page.locator("#filter-kind option").allInnerTexts()).find((it) => it.startsWith(`${kind} `)) });
  await settled(page);
  await page.locator("#events tbody button.link").nth(nth).click();
  await page.click("#filter-clear");
}

await shoot("report", "sims/quickstart.toml", 1, { width: 1280, height: 860 }, async (page) => {
  // The partition begins: what was on its way is lost.
  await select(page, "message_dropped", 4);
  for (let at = 0; at < 5; at++) await page.click("#zoom-in");
  await page.click("#pan-left");
});
await shoot("report-dark", "sims/resilience/circuit_recovers.toml", 1, { width: 1280, height: 860, colorScheme: "dark" }, async (page) => {
  await select(page, "breaker_changed", 1);
});
await browser.close();
