// How it looks: each widget in each state, and the report at two widths, compared with baselines.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { PNG } from "pngjs";

import { SHARE_MAX, compare, difference, here, launch, open, report, settled, withData } from "./lib.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** Always the same data: a change of the stack changes no picture. */
const fixture = () => withData(report("sims/canary/broken_expectation.toml", 1), `${here}/fixture.json`, "fixture.html");

const assertSame = (name, bytes) => {
  const share = compare(name, bytes);
  assert.ok(share <= SHARE_MAX, `${name} differs from its baseline in ${(share * 100).toFixed(2)} % of its pixels: see tests/browser/differs`);
};

test("each widget in each state", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, complaints } = await open(browser, fixture(), { hash: "#states", colorScheme });
    const widgets = await page.locator("[data-widget]").all();
    assert.equal(widgets.length, 30, "six widgets, five states");
    for (const widget of widgets) {
      const name = `${await widget.getAttribute("data-widget")}-${await widget.getAttribute("data-state")}`;
      if (colorScheme === "light") assertSame(`widget-${name}`, await widget.screenshot());
    }
    // In the dark all of them at once: what they say is the same.
    if (colorScheme === "dark") assertSame("widgets-dark", await page.locator(".gallery").screenshot());
    assert.deepEqual(complaints, []);
    await page.context().close();
  }
});

for (const width of [1280, 800]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`the report, ${width} wide, ${colorScheme}`, async () => {
      const { page, complaints } = await open(browser, fixture(), { width, height: 1300, colorScheme });
      // An event is selected, so that its panel is part of the picture.
      await page.focus("#diagram");
      await page.keyboard.press("Home");
      for (let at = 0; at < 20; at++) await page.keyboard.press("ArrowRight");
      await page.evaluate(() => document.activeElement.blur());
      await settled(page);
      assertSame(`report-${width}-${colorScheme}`, await page.screenshot());
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(overflow, 0, "nothing sticks out");
      assert.deepEqual(complaints, []);
      await page.context().close();
    });
  }
}

test("a picture in which 2 % of the pixels differ is not the same, and half a percent is", () => {
  const picture = (share) => {
    const png = new PNG({ width: 200, height: 100 });
    png.data.fill(255);
    for (let at = 0; at < 200 * 100 * share; at++) png.data[at * 4] = 0;
    return png;
  };
  assert.ok(difference(picture(0), picture(0.02)) > SHARE_MAX);
  assert.ok(difference(picture(0), picture(0.005)) <= SHARE_MAX);
});

test("a report that is shifted by one pixel is not the same", async () => {
  const { page } = await open(browser, fixture(), { height: 1300 });
  const straight = PNG.sync.read(await page.screenshot());
  // Style from a script is let through by the page's policy; the shift is what a careless margin does.
  await page.evaluate(() => { document.getElementById("page").style.transform = "translate(1px, 1px)"; });
  await settled(page);
  const share = difference(straight, PNG.sync.read(await page.screenshot()));
  assert.ok(share > 0.02, `${(share * 100).toFixed(2)} % differ`);
  const widget = page.locator("#now [data-widget=TaskCard]");
  const before = PNG.sync.read(await widget.screenshot());
  await widget.locator("dl").evaluate((it) => { it.style.transform = "translateY(1px)"; });
  const moved = difference(before, PNG.sync.read(await widget.screenshot()));
  assert.ok(moved > SHARE_MAX, `${(moved * 100).toFixed(2)} % differ`);
  await page.context().close();
});
