import { byID, figures, h, keyed, setText } from "./dom.js";
import { ago, bytes, clock, duration, number, plural } from "./format.js";
import { follow } from "./live.js";

const id = new URLSearchParams(location.search).get("id");
const path = `/api/v1/queries/${encodeURIComponent(id)}`;

function draw(q) {
  const title = `${q.kind === "operation" ? "Query" : q.kind[0].toUpperCase() + q.kind.slice(1)} ${q.state}`;
  setText(byID("title"), title);
  document.title = `${title} · millrace`;
  byID("title").dataset.state = q.state;
  byID("cancel").hidden = q.state !== "running";
  byID("text").hidden = !q.text;
  setText(byID("text"), q.text);
  byID("chips").replaceChildren(...[q.user ? `user ${q.user}` : null, `started ${clock(q.started)}`, q.runs > 1 ? `${q.runs} runs on the workers` : null]
    .filter(Boolean).map((c) => h("span", {}, c)), h("code", {}, q.id));
  const trouble = q.error ?? (q.waiting ? { message: `It waits: ${q.waiting}.` } : null);
  byID("problem").hidden = !trouble;
  if (trouble) byID("problem").replaceChildren(trouble.condition ? h("strong", {}, trouble.condition) : "", h("p", {}, trouble.message));
  figures(byID("figures"), [
    { label: q.state === "running" ? "Running for" : "Took", number: duration(q.milliseconds), under: q.ended ? ago(q.ended) : "" },
    { label: "Tasks done", number: `${q.done} / ${q.tasks}`, share: q.tasks ? q.done / q.tasks : 0, under: q.retries ? plural(q.retries, "retry", "retries") : "" },
    { label: "Rows out", number: number(q.rows) },
    { label: "Between stages", number: bytes(q.bytes) },
  ]);
  drawStages(q);
  drawPlan(q.plan ?? []);
}

const several = (q) => new Set(q.stages.map((s) => s.run)).size > 1;

function drawStages(q) {
  keyed(byID("stages"), q.stages, (s) => `${s.run}/${s.id}`,
    () => h("tr", {}, h("td", { class: "n" }), h("td", { class: "wide" }, h("div", { class: "track" }, h("span", {}, h("i"), h("b")))),
      ...Array.from({ length: 6 }, () => h("td", { class: "n" }))),
    (el, s) => {
      const track = el.querySelector(".track span");
      track.style.setProperty("--done", s.done / Math.max(1, s.tasks));
      track.style.setProperty("--running", s.running / Math.max(1, s.tasks));
      const cells = [several(q) ? `${s.run}.${s.id}` : s.id, null, `${s.done} / ${s.tasks}`, s.retries || "", number(s.rows), bytes(s.bytes), duration(s.milliseconds), s.memoryPeak ? bytes(s.memoryPeak) : ""];
      cells.forEach((text, i) => { if (text !== null) setText(el.children[i], String(text)); });
    });
}

function drawPlan(lines) {
  keyed(byID("plan"), lines.map((l, i) => ({ ...l, i })), (l) => l.i,
    () => h("tr", {}, h("td", {}, h("code")), ...Array.from({ length: 4 }, () => h("td", { class: "n" }))),
    (el, l) => {
      el.classList.toggle("stage", l.depth === 0);
      el.style.setProperty("--depth", l.depth);
      const cells = [l.rows === undefined ? "" : number(l.rows), l.milliseconds === undefined ? "" : duration(l.milliseconds),
        l.bytesRead ? bytes(l.bytesRead) : "", l.spilled ? bytes(l.spilled) : ""];
      setText(el.firstChild.firstChild, l.text);
      if (l.files || l.filesSkipped) el.firstChild.title = `${plural(l.files ?? 0, "file")} read, ${number(l.filesSkipped ?? 0)} skipped`;
      cells.forEach((text, i) => setText(el.children[i + 1], text));
    });
}

byID("cancel").addEventListener("click", async () => {
  byID("cancel").disabled = true;
  await fetch(`${path}/cancel`, { method: "POST" });
});

follow(`${path}/events`, { query: draw });
