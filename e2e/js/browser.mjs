// A real Chromium by Playwright, which make e2e has put into .cache.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../../.cache/playwright/", import.meta.url));
const { chromium } = createRequire(cache)("playwright-core");

// launch starts the browser at a path. The flags keep it from talking to anybody but the page.
export const launch = (executablePath) => chromium.launch({
  executablePath, timeout: 120_000,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
