import { bars } from "./bars.js";
import { cartogram } from "./cartogram.js";
import { byID, figures, h, keyed, setText, svg } from "./dom.js";
import { ago, bytes, clock, number, plural, short } from "./format.js";
import { follow } from "./live.js";
import { names } from "./tiles.js";

const asked = new URLSearchParams(location.search);
const query = asked.toString();
const few = 15; // bars that a narrow screen shows at first

const seen = []; // totals since the page was opened: { at, total }
let picture = null, whole = false;

function hover(key) {
  document.querySelectorAll(".tile.hot, #bars li.hot").forEach((el) => el.classList.remove("hot"));
  if (key === null) return;
  const q = CSS.escape(key);
  document.querySelectorAll(`.tile[data-state="${q}"], #bars li[data-key="${q}"]`).forEach((el) => el.classList.add("hot"));
}

let updateMap = null;
const updateBars = bars(byID("bars"), hover, (key) => names[key] ?? key);

const measure = (p) => (p.value === "*" ? "rows" : p.value);

function draw(p) {
  picture = p;
  byID("problem").hidden = !p.problem;
  if (p.problem) {
    byID("problem").replaceChildren(p.problem.condition ? h("strong", {}, p.problem.condition) : "", h("p", {}, p.problem.message));
    return;
  }
  const map = p.kind === "map";
  byID("picture").dataset.kind = p.kind;
  byID("picture").dataset.version = p.version ?? "";
  byID("map-card").hidden = !map;
  byID("bars-card").hidden = p.kind === "none";
  if (map) {
    updateMap ??= cartogram(byID("map"), byID("legend"), hover);
    updateMap(p.groups);
  }
  setText(byID("map-title"), `${measure(p)} by state`);
  setText(byID("bars-title"), `${measure(p)} by ${p.by}`);
  updateBars(p.groups);
  const more = byID("more");
  more.hidden = p.groups.length <= few || whole;
  setText(more, `Show all ${p.groups.length}`);
  byID("bars").classList.toggle("cut", !whole);
  drawChoices(p);
  drawFigures(p);
}

function drawChoices(p) {
  for (const [id, list, now] of [["by", p.choices.by, p.by], ["value", p.choices.value, p.value]]) {
    const select = byID(id);
    if (select.options.length !== list.length) {
      select.replaceChildren(...list.map((name) => h("option", { value: name }, name === "*" ? "rows (count)" : name)));
    }
    if (document.activeElement !== select) select.value = now;
  }
}

byID("choose").addEventListener("change", () => {
  asked.set("by", byID("by").value);
  asked.set("value", byID("value").value);
  location.search = asked.toString();
});
byID("more").addEventListener("click", () => { whole = true; draw(picture); });

const spark = svg("svg", { class: "spark", viewBox: "0 0 120 28", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("path"));

function drawFigures(p) {
  const now = Date.now();
  if (!seen.length || seen.at(-1).total !== p.total) seen.push({ at: now, total: p.total });
  if (seen.length > 240) seen.shift();
  const line = sparkline(seen, now);
  if (line) spark.firstChild.setAttribute("d", line);
  const list = [
    { label: measure(p), number: short(p.total), id: "total", ...(line ? { extra: spark } : { under: p.more ? "of the groups below" : "in all" }) },
    { label: p.kind === "map" ? "States" : "Groups", number: number(p.groups.length) + (p.more ? "+" : ""), under: p.by ? `of ${p.by}` : "" },
  ];
  if (p.version !== undefined) {
    list.push({ label: "Version", number: number(p.version), id: "version", under: p.changed ? ago(p.changed) : "" });
    list.push({ label: "Pace", number: pace(seen, now), under: "a second, of late" });
  }
  figures(byID("figures"), list);
  byID("total").title = number(p.total);
}

// pace is by how much the total has grown per second in the last ten.
function pace(points, now) {
  const from = points.findLast((x) => now - x.at > 10_000) ?? points[0];
  const seconds = (now - from.at) / 1000;
  if (points.length < 2 || seconds < 0.5 || now - points.at(-1).at > 10_000) return "0";
  return short(Math.round((points.at(-1).total - from.total) / seconds));
}

function sparkline(points, now) {
  if (points.length < 2) return "";
  const from = points[0].at, least = Math.min(...points.map((x) => x.total)), most = Math.max(...points.map((x) => x.total));
  const x = (at) => ((120 * (at - from)) / Math.max(1, now - from)).toFixed(1);
  const y = (v) => (26 - (24 * (v - least)) / Math.max(1e-9, most - least)).toFixed(1);
  return "M" + points.map((p) => `${x(p.at)} ${y(p.total)}`).join("L") + `L120 ${y(points.at(-1).total)}`;
}

// How many rows a commit wrote or took away, as far as it says.
const rowsOf = (m) => m?.numOutputRows ?? m?.numInsertedRows ?? m?.numUpdatedRows ?? m?.numDeletedRows;

function drawHistory({ commits }) {
  byID("history-card").hidden = commits.length === 0;
  keyed(byID("history"), commits, (c) => c.version,
    (c) => h("tr", { class: "new" }, h("td", { class: "n" }, number(c.version)), h("td"), h("td", {}, c.operation, h("span", { class: "small" }, details(c))),
      h("td", { class: "n" }, rowsOf(c.metrics) === undefined ? "" : number(Number(rowsOf(c.metrics)))), h("td", { class: "small" }, c.user || c.engine || "")),
    (el, c) => {
      setText(el.children[1], ago(c.time));
      el.children[1].title = clock(c.time);
    });
}

// The parameters of an operation that a reader wants: not those that are empty.
function details(c) {
  return Object.entries(c.parameters ?? {}).filter(([, v]) => v && v !== "[]" && v !== "{}" && v !== "null" && v !== '""')
    .map(([k, v]) => ` ${k} ${v.replace(/^"(.*)"$/, "$1")}`).join(" ·").slice(0, 120);
}

async function describe() {
  const t = await (await fetch(`/api/v1/table?${query}`)).json();
  const chips = [t.name ? `${t.namespace}.${t.name}` : null, t.format, t.kind === "PATH" ? null : t.kind.toLowerCase(), plural(t.columns.length, "column")];
  if (t.detail) chips.push(plural(t.detail.files, "file"), bytes(t.detail.bytes));
  if (t.detail?.partitionBy?.length) chips.push(`partitioned by ${t.detail.partitionBy.join(", ")}`);
  byID("chips").replaceChildren(...chips.filter(Boolean).map((c) => h("span", {}, c)), t.location ? h("code", {}, t.location) : "");
  return t;
}

const card = byID("rows-card");
card.addEventListener("toggle", async () => {
  if (!card.open || card.dataset.filled) return;
  card.dataset.filled = "yes";
  const [t, sample] = await Promise.all([describe(), fetch(`/api/v1/table/rows?${query}&limit=20`).then((r) => r.json())]);
  if (!sample.columns) return;
  const type = new Map(t.columns.map((c) => [c.name, c.type]));
  byID("rows").replaceChildren(h("table", { class: "sample" },
    h("thead", {}, h("tr", {}, sample.columns.map((c) => h("th", { scope: "col" }, c, h("span", { class: "small" }, type.get(c) ?? ""))))),
    h("tbody", {}, sample.rows.map((row) => h("tr", {}, row.map((v) => h("td", {}, v)))))));
});

setInterval(() => { if (picture && !picture.problem && !document.hidden) drawFigures(picture); }, 1000);
describe();
follow(`/api/v1/table/events?${query}`, { picture: draw, history: drawHistory });
