// Takes the README's pictures of a cluster that is at work. Usage: node screenshots.mjs CHROMIUM URL TABLE DIR
import { launch } from "./browser.mjs";

const [chromium, base, table, dir] = process.argv.slice(2);
const browser = await launch(chromium);

async function shoot(name, path, ready, options) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, ...options });
  page.setDefaultTimeout(180_000);
  await page.goto(base + path);
  await page.waitForSelector(ready);
  await page.waitForTimeout(8000);
  await page.screenshot({ path: `${dir}/${name}.png`, animations: "disabled", timeout: 180_000 });
  await page.close();
}

const picture = `/table?name=${encodeURIComponent(table)}`;
await shoot("cluster", "/", "#recent .item");
await shoot("picture", picture, ".tile");
await shoot("picture-dark", picture, ".tile", { colorScheme: "dark" });
await shoot("picture-narrow", picture, ".tile", { viewport: { width: 400, height: 860 } });
await browser.close();
