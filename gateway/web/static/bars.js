import { h, keyed, setText } from "./dom.js";
import { number, short } from "./format.js";
import { lengths } from "./scale.js";

// bars draws a list of bars and returns a function that brings it up to date: rows glide to their new places.
export function bars(list, hover, name = (key) => key) {
  return function update(groups) {
    const length = lengths(groups.map((g) => g.value ?? 0));
    list.style.setProperty("--rows", groups.length);
    const items = groups.map((g, place) => ({ ...g, place }));
    keyed(list, items, (g) => (g.key === null ? "null" : "=" + g.key), (g) => {
      const el = h("li", {}, h("span", { class: "key" }, g.key ?? "none"), h("span", { class: "bar" }, h("i")), h("span", { class: "value" }));
      el.dataset.key = g.key ?? "";
      el.classList.toggle("null", g.key === null);
      el.title = name(g.key) ?? "";
      el.addEventListener("pointerenter", () => hover(g.key));
      el.addEventListener("pointerleave", () => hover(null));
      return el;
    }, (el, g) => {
      el.style.setProperty("--place", g.place);
      el.dataset.value = g.value ?? "";
      el.querySelector("i").style.setProperty("--length", length(g.value ?? 0).toFixed(4));
      el.classList.toggle("negative", g.value < 0);
      setText(el.lastChild, g.value === null ? "–" : Math.abs(g.value) >= 1e9 ? short(g.value) : number(g.value));
    });
  };
}
