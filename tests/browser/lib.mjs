// What the tests share: the browser, pages of real runs, and comparing pictures.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { chromium } from "playwright-core";
import { PNG } from "pngjs";

export const here = dirname(fileURLToPath(import.meta.url));
export const root = resolve(here, "../..");
export const folder = mkdtempSync(join(tmpdir(), "seedbed-browser-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** The command, with what it printed. Exit codes other than 0 are the caller's to expect. */
export function seedbed(...args) {
  try {
    return { code: 0, out: execFileSync(process.env.SEEDBED, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }) };
  } catch (error) {
    if (typeof error.status !== "number") throw error;
    return { code: error.status, out: error.stdout, err: error.stderr };
  }
}

/** The page of a run, as a file. */
export function report(sim, seed) {
  const file = join(folder, `${sim.replaceAll(/\W/g, "-")}-${seed}.html`);
  if (!existsSync(file)) {
    const ran = seedbed("run", sim, "--seed", String(seed), "--html", file);
    if (ran.code > 1) throw new Error(ran.err);
  }
  return file;
}

/** A page with the script and style of another and this data: what it shows never changes. */
export function withData(page, data, name) {
  const escaped = (value) => JSON.stringify(value).replaceAll(/[<>&]/g, (it) => `\\u00${it.charCodeAt(0).toString(16)}`);
  let html = readFileSync(page, "utf8");
  for (const [part, value] of Object.entries(JSON.parse(readFileSync(data, "utf8")))) {
    const begin = html.indexOf(`id="${part}-data">`) + `id="${part}-data">`.length;
    html = html.slice(0, begin) + escaped(value) + html.slice(html.indexOf("</script>", begin));
  }
  const file = join(folder, name);
  writeFileSync(file, html);
  return file;
}

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--font-render-hinting=none", "--force-color-profile=srgb", "--disable-lcd-text"],
});

/** Opens a page, and waits for it to be complete; whatever it complains of is in `complaints`. */
export async function open(browser, file, { width = 1280, height = 900, hash = "", waits = settled, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: "reduce", colorScheme: "light", ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(error.stack ?? String(error)));
  page.on("request", (request) => { if (!request.url().startsWith("file:")) complaints.push(`asks for ${request.url()}`); });
  await page.goto(pathToFileURL(file).href + hash);
  await waits(page);
  return { page, complaints };
}

/** Waits until what was to be drawn is drawn. */
export const settled = (page) => page.waitForSelector("html[data-ready], .gallery", { state: "attached" }).then(() => page.evaluate(() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done())), 180))));

/** The share of pixels that differ. Pictures of other sizes differ altogether. */
export function difference(a, b) {
  if (a.width !== b.width || a.height !== b.height) return 1;
  let differ = 0;
  for (let at = 0; at < a.data.length; at += 4) {
    const far = Math.max(Math.abs(a.data[at] - b.data[at]), Math.abs(a.data[at + 1] - b.data[at + 1]), Math.abs(a.data[at + 2] - b.data[at + 2]));
    // Less than this no eye sees, and shades of the edges of letters vary.
    if (far > 24) differ++;
  }
  return differ / (a.width * a.height);
}

/** More than this share of pixels, and two pictures are not the same. */
export const SHARE_MAX = 0.01;

/** Compares a picture with its baseline, or makes it the baseline. */
export function compare(name, bytes) {
  const path = join(here, "baselines", `${name}.png`);
  if (process.env.UPDATE_BASELINES) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return 0;
  }
  if (!existsSync(path)) throw new Error(`there is no baseline ${path}: tests/browser/run baselines makes it`);
  const share = difference(PNG.sync.read(readFileSync(path)), PNG.sync.read(bytes));
  if (share > SHARE_MAX) {
    mkdirSync(join(here, "differs"), { recursive: true });
    writeFileSync(join(here, "differs", `${name}.png`), bytes);
  }
  return share;
}
