import { h, setText, svg } from "./dom.js";
import { number, short } from "./format.js";
import { colours } from "./scale.js";
import { byState, columns, lines, names, tiles } from "./tiles.js";

const size = 64, gap = 4, side = size - gap;

// cartogram draws the tile grid once and returns a function that brings it up to date with groups of values.
export function cartogram(parent, legend, hover) {
  const drawing = svg("svg", { viewBox: `0 0 ${columns * size - gap} ${lines * size - gap}`, role: "group", "aria-label": "Map of the United States in tiles" });
  const drawn = new Map();
  for (const t of tiles) {
    const code = svg("text", { class: "code", x: side / 2, y: 25 }, t.code);
    const value = svg("text", { class: "value", x: side / 2, y: 44 });
    const title = svg("title");
    const tile = svg("g", { class: "tile", "data-state": t.code, role: "img", transform: `translate(${t.x * size} ${t.y * size})` },
      title, svg("rect", { width: side, height: side, rx: 7 }), code, value);
    tile.addEventListener("pointerenter", () => hover(t.code));
    tile.addEventListener("pointerleave", () => hover(null));
    drawn.set(t.code, { tile, value, title });
    drawing.append(tile);
  }
  parent.replaceChildren(drawing);

  return function update(groups) {
    const { states } = byState(groups);
    const values = [...states.values()].map((g) => g.value).filter((v) => v !== null);
    const scale = colours(values);
    const total = values.reduce((a, b) => a + b, 0);
    for (const [code, { tile, value, title }] of drawn) {
      const v = states.get(code)?.value ?? null;
      const place = v === null ? 0 : scale.place(v);
      const before = tile.dataset.value;
      tile.dataset.value = v ?? "";
      tile.style.setProperty("--t", place.toFixed(4));
      tile.classList.toggle("none", v === null);
      setText(value, short(v));
      const words = v === null ? `${names[code]}: no rows` : `${names[code]}: ${number(v)}${total > 0 ? ` (${((100 * v) / total).toFixed(1)} %)` : ""}`;
      setText(title, words);
      tile.setAttribute("aria-label", words);
      if (before !== undefined && before !== tile.dataset.value) flash(tile.querySelector("rect"));
    }
    drawLegend(legend, scale);
  };
}

const still = matchMedia("(prefers-reduced-motion: reduce)");

// flash draws the eye to what has changed.
function flash(el) {
  if (still.matches) return;
  el.getAnimations().filter((a) => a.id === "flash").forEach((a) => a.cancel());
  el.animate([{ strokeWidth: 3, strokeOpacity: 0.9 }, { strokeWidth: 0, strokeOpacity: 0 }], { duration: 900, easing: "ease-out", id: "flash" });
}

function drawLegend(legend, scale) {
  if (!legend.firstChild) legend.append(h("div", { class: "ramp" }), h("div", { class: "ticks" }));
  const ticks = legend.lastChild;
  while (ticks.children.length < scale.ticks.length) ticks.append(h("span"));
  while (ticks.children.length > scale.ticks.length) ticks.lastChild.remove();
  scale.ticks.forEach((v, i) => {
    ticks.children[i].style.setProperty("--at", scale.place(v));
    setText(ticks.children[i], short(v));
  });
}
