// Elements from values. Text always goes in as text: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

function build(el, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else el.setAttribute(name, value === true ? "" : value);
  }
  el.append(...children.flat().filter((c) => c !== null && c !== undefined));
  return el;
}

export const h = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => build(document.createElementNS(SVG, tag), attributes, children);
export const byID = (id) => document.getElementById(id);

// setText leaves the element alone when nothing changes, so that a selection in it survives.
export function setText(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

// keyed makes a parent's children those of a list, in its order, and keeps the elements of items that stay.
// make(item) gives an element, update(element, item) brings it up to date.
export function keyed(parent, items, key, make, update) {
  parent.elements ??= new Map();
  const seen = new Set();
  let before = parent.firstElementChild;
  for (const item of items) {
    const k = String(key(item));
    seen.add(k);
    let el = parent.elements.get(k);
    if (!el) parent.elements.set(k, (el = make(item)));
    update(el, item);
    if (el === before) before = before.nextElementSibling;
    else parent.insertBefore(el, before);
  }
  for (const [k, el] of parent.elements) {
    if (seen.has(k)) continue;
    el.remove();
    parent.elements.delete(k);
  }
}

// empty shows a sentence where a list has nothing in it.
export function empty(parent, items, sentence) {
  parent.dataset.empty = items.length ? "" : sentence;
}

// figure makes or updates a key figure: a label, a number, what stands below it, and a bar for a share from 0 to 1.
export function figures(parent, list) {
  keyed(parent, list, (f) => f.label,
    (f) => h("div", { class: "figure" }, h("div", { class: "label" }, f.label), h("div", { class: "number" }), h("div", { class: "under" })),
    (el, f) => {
      setText(el.children[1], f.number);
      if (f.id) el.children[1].id = f.id;
      const under = el.children[2];
      if (f.extra) { if (under.firstChild !== f.extra) under.replaceChildren(f.extra); }
      else if (f.share !== undefined) {
        if (!under.querySelector(".meter")) under.replaceChildren(h("div", { class: "meter" }, h("i")), h("span"));
        under.querySelector("i").style.setProperty("--share", Math.min(1, f.share));
        setText(under.querySelector("span"), f.under ?? "");
      } else setText(under, f.under ?? "");
    });
}
