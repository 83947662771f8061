// Drives a browser for the page's test: a request on a line of stdin, {"do": …}, is answered by a line of stdout.
// Usage: node page.mjs CHROMIUM URL
import { createInterface } from "node:readline";
import { launch } from "./browser.mjs";

const [chromium, base] = process.argv.slice(2);
const browser = await launch(chromium);
const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
const page = await context.newPage();
page.setDefaultTimeout(120_000);

let messages = [];
page.on("console", (m) => messages.push(`${m.type()}: ${m.text()}`));
page.on("pageerror", (e) => messages.push(`exception: ${e.message}`));
page.on("request", (r) => { if (!r.url().startsWith(base)) messages.push(`request elsewhere: ${r.url()}`); });

const read = () => page.evaluate(() => ({
  version: document.getElementById("picture").dataset.version,
  total: document.getElementById("total").title,
  tiles: Object.fromEntries([...document.querySelectorAll(".tile")].map((t) => [t.dataset.state,
    { value: t.dataset.value, text: t.querySelector(".value").textContent, title: t.querySelector("title").textContent }])),
  bars: [...document.querySelectorAll("#bars li")].map((li) => ({ key: li.dataset.key, value: li.dataset.value, text: li.querySelector(".value").textContent, length: +li.querySelector("i").style.getPropertyValue("--length") })),
  history: [...document.querySelectorAll("#history tr")].map((tr) => [...tr.children].map((td) => td.textContent)),
}));

// contrast is the least contrast of a tile's text with its tile, by the definition of WCAG 2.
const contrast = () => page.evaluate(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const luminance = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const of = (el) => luminance(getComputedStyle(el).fill) + 0.05;
  let least = { ratio: 99 };
  for (const tile of document.querySelectorAll(".tile:not(.none)")) {
    const pair = [of(tile.querySelector("rect")), of(tile.querySelector("text"))];
    const ratio = Math.max(...pair) / Math.min(...pair);
    if (ratio < least.ratio) least = { ratio, state: tile.dataset.state, value: tile.dataset.value };
  }
  return least;
});

const actions = {
  open: async ({ path }) => { await page.goto(base + path); await page.waitForSelector('#pulse[data-state="live"]'); return page.title(); },
  settle: async ({ version }) => {
    await page.waitForFunction((v) => document.getElementById("picture").dataset.version === v, version);
    await page.waitForFunction((v) => document.querySelector("#history td")?.textContent === v, version);
    return read();
  },
  pulse: async ({ state }) => { await page.waitForSelector(`#pulse[data-state="${state}"]`); },
  offline: async ({ yes }) => context.setOffline(yes),
  text: async ({ selector }) => page.locator(selector).first().innerText(),
  wait: async ({ selector, text }) => { await page.waitForFunction(([s, t]) => document.querySelector(s)?.textContent.includes(t), [selector, text]); },
  size: async ({ width }) => { await page.setViewportSize({ width, height: 900 }); return page.evaluate(() => document.documentElement.scrollWidth); },
  scheme: async ({ scheme }) => { await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" }); return contrast(); },
  messages: async () => { const list = messages; messages = []; return list; },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    console.log(JSON.stringify({ result: (await actions[request.do](request)) ?? null }));
  } catch (e) {
    console.log(JSON.stringify({ error: e.message }));
  }
}
await browser.close();
