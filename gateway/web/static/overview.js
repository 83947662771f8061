import { byID, empty, figures, h, keyed, setText } from "./dom.js";
import { ago, bytes, clock, duration, number, plural, short } from "./format.js";
import { follow } from "./live.js";

const known = { cluster: null, queries: { running: [], recent: [] }, streams: [] };

function drawFigures() {
  const t = known.cluster?.totals;
  if (!t) return;
  const streaming = known.streams.filter((s) => s.state === "running");
  const list = [
    { label: "Workers", number: number(t.workers), under: lostWorkers() },
    { label: "Tasks running", number: number(t.running), share: t.slots ? t.running / t.slots : 0, under: `of ${plural(t.slots, "slot")}` },
    { label: "Memory used", number: bytes(t.memoryUsed), share: t.memory ? t.memoryUsed / t.memory : 0, under: `of ${bytes(t.memory)}` },
    { label: "Queries running", number: number(known.queries.running.length), under: waiting() },
    { label: "Streams running", number: number(streaming.length), under: streaming.length ? `${short(streaming.reduce((n, s) => n + s.rowsPerSecond, 0))} rows/s` : "" },
  ];
  figures(byID("figures"), list);
}

function lostWorkers() {
  const lost = known.cluster.workers.filter((w) => w.state === "lost").length;
  return lost ? `${lost} not reachable` : known.cluster.leader ? "this coordinator leads" : "another coordinator leads";
}

function waiting() {
  const n = known.queries.running.filter((q) => q.waiting).length;
  return n ? `${n} waiting` : "";
}

// One pip for each slot, lit while a task runs in it.
function drawWorkers({ workers }) {
  empty(byID("workers"), workers, "No worker has joined.");
  keyed(byID("workers"), workers, (w) => w.id,
    () => h("div", { class: "item worker" }, h("div", { class: "line" }, h("code"), h("span", { class: "state" })),
      h("div", { class: "pips", role: "img" }), h("div", { class: "meter" }, h("i")), h("div", { class: "small" })),
    (el, w) => {
      const [line, pips, meter, small] = el.children;
      setText(line.firstChild, w.address);
      line.firstChild.title = w.id;
      setText(line.lastChild, w.state);
      line.lastChild.dataset.state = w.state;
      pips.setAttribute("aria-label", `${w.running} of ${w.slots} slots busy`);
      const n = Math.min(w.slots, 64);
      while (pips.children.length < n) pips.append(h("i"));
      while (pips.children.length > n) pips.lastChild.remove();
      for (let i = 0; i < n; i++) pips.children[i].classList.toggle("on", i < w.running);
      meter.firstChild.style.setProperty("--share", w.memory ? w.memoryUsed / w.memory : 0);
      setText(small, w.state === "lost" ? w.error ?? "" : `${plural(w.running, "task")} in ${plural(w.slots, "slot")} · ${bytes(w.memoryUsed)} of ${bytes(w.memory)}`);
    });
}

function drawQuery() {
  return h("a", { class: "item query" }, h("div", { class: "line" }, h("span", { class: "dot" }), h("code", { class: "sql" })),
    h("div", { class: "track" }), h("div", { class: "small" }));
}

function updateQuery(el, q) {
  const [line, track, small] = el.children;
  el.href = `/query?id=${encodeURIComponent(q.id)}`;
  el.dataset.state = q.state;
  setText(line.lastChild, q.text || (q.kind === "operation" ? "session command" : q.kind));
  line.firstChild.title = q.state;
  drawTrack(track, q);
  const words = [duration(q.milliseconds)];
  if (q.state === "running") words.push(q.waiting ? `waits: ${q.waiting}` : `${q.done} of ${plural(q.tasks, "task")}`);
  else words.push(ago(q.ended));
  if (q.user) words.push(q.user);
  if (q.error) words.push(q.error.condition || q.error.message);
  setText(small, words.join(" · "));
}

// A segment for each stage, as wide as it has tasks; finished tasks fill it and running ones lighten it.
function drawTrack(track, q) {
  track.hidden = q.state !== "running" || !q.stages.length;
  if (track.hidden) return;
  keyed(track, q.stages, (s) => `${s.run}/${s.id}`, () => h("span", {}, h("i"), h("b")), (el, s) => {
    el.style.setProperty("--tasks", Math.max(1, s.tasks));
    el.style.setProperty("--done", s.done / Math.max(1, s.tasks));
    el.style.setProperty("--running", s.running / Math.max(1, s.tasks));
    el.title = `stage ${s.id}: ${s.done} of ${plural(s.tasks, "task")} done, ${s.running} running`;
  });
}

function drawQueries({ running, recent }) {
  setText(byID("running-count"), running.length ? String(running.length) : "");
  empty(byID("running"), running, "Nothing runs now.");
  keyed(byID("running"), running, (q) => q.id, drawQuery, updateQuery);
  const done = recent.slice(0, 12);
  empty(byID("recent"), done, "No query has run yet.");
  keyed(byID("recent"), done, (q) => q.id, drawQuery, updateQuery);
}

function drawStreams({ streams }) {
  byID("streams-card").hidden = streams.length === 0;
  keyed(byID("streams"), streams, (s) => s.runId,
    () => h("div", { class: "item stream" }, h("div", { class: "line" }, h("span", { class: "dot" }), h("strong"), h("span", { class: "small" })),
      h("div", { class: "batches", "aria-hidden": "true" }), h("div", { class: "small" })),
    (el, s) => {
      const [line, batches, small] = el.children;
      el.dataset.state = s.state === "stopped" ? "cancelled" : s.state;
      setText(line.children[1], s.name || s.id.slice(0, 8));
      setText(line.children[2], s.error ? "failed" : s.message);
      batches.hidden = s.recent.length === 0;
      drawBatches(batches, s.recent);
      const words = s.batch < 0 ? ["no batch yet"] : [`batch ${s.batch}`, `${number(s.rowsPerSecond)} rows/s`, `${plural(s.rows, "row")} in ${duration(s.milliseconds)}`];
      if (s.sink) words.push(`to ${s.sink}`);
      if (s.error) words.unshift(s.error.message);
      small.title = s.error?.message ?? "";
      setText(small, words.join(" · "));
    });
}

// The rows of the last micro-batches, oldest first.
function drawBatches(parent, list) {
  const most = Math.max(1, ...list.map((b) => b.rows));
  keyed(parent, list, (b) => b.batch, () => h("i"), (el, b) => {
    el.style.setProperty("--share", b.rows / most);
    el.title = `batch ${b.batch}: ${plural(b.rows, "row")} in ${duration(b.milliseconds)}`;
  });
}

const address = (t) => (t.name ? `/table?name=${encodeURIComponent(`\`${t.namespace}\`.\`${t.name}\``)}` : `/table?path=${encodeURIComponent(t.location)}`);

function drawTables({ tables }) {
  empty(byID("tables"), tables, "No table has a name or was used lately.");
  keyed(byID("tables"), tables, (t) => t.location + " " + t.name, (t) => h("a", { class: "item table", href: address(t) },
    h("div", { class: "line" }, h("strong"), h("span", { class: "small" })), h("div", { class: "small" })),
  (el, t) => {
    const [line, small] = el.children;
    setText(line.firstChild, t.name ? (t.namespace === "default" ? t.name : `${t.namespace}.${t.name}`) : t.location);
    line.firstChild.classList.toggle("path", !t.name);
    setText(line.lastChild, t.detail ? `version ${number(t.detail.version)}` : t.format || t.kind.toLowerCase());
    setText(small, t.detail ? `${plural(t.detail.files, "file")} · ${bytes(t.detail.bytes)} · ${ago(t.detail.changed)}` : t.comment ?? "");
    el.title = t.detail ? `${t.location}\n${clock(t.detail.changed)}` : t.location ?? "";
  });
}

function drawJobs({ jobs }) {
  byID("jobs-card").hidden = jobs.length === 0;
  keyed(byID("jobs"), jobs, (j) => j.id,
    () => h("div", { class: "item job" }, h("div", { class: "line" }, h("span", { class: "dot" }), h("strong"), h("code", { class: "small" })),
      h("div", { class: "meter" }, h("i")), h("div", { class: "small" })),
    (el, j) => {
      el.dataset.state = j.state;
      const [line, meter, small] = el.children;
      setText(line.children[1], j.name || j.id);
      setText(line.children[2], j.name ? j.id : "");
      meter.firstChild.style.setProperty("--share", j.steps ? j.done / j.steps : 0);
      setText(small, [j.state, `${j.done} of ${plural(j.steps, "statement")}`, ago(j.ended ?? j.started ?? j.submitted), j.error?.message].filter(Boolean).join(" · "));
    });
}

follow("/api/v1/events", {
  cluster: (c) => { known.cluster = c; drawWorkers(c); drawFigures(); },
  queries: (q) => { known.queries = q; drawQueries(q); drawFigures(); },
  streams: (s) => { known.streams = s.streams; drawStreams(s); drawFigures(); },
  tables: drawTables,
  jobs: drawJobs,
});
