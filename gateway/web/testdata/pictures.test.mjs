// The parts of the page's scripts that compute: run by node --test, from scripts_test.go.
import assert from "node:assert/strict";
import test from "node:test";
import { ago, bytes, duration, number, short } from "../static/format.js";
import { colours, lengths, roundUp } from "../static/scale.js";
import { byState, columns, lines, names, tiles } from "../static/tiles.js";

test("each state and the capital have a tile of their own", () => {
  assert.equal(tiles.length, 51);
  assert.deepEqual(tiles.map((t) => t.code).sort(), Object.keys(names).sort());
  assert.equal(new Set(tiles.map((t) => `${t.x}/${t.y}`)).size, 51);
  assert.ok(tiles.every((t) => t.x >= 0 && t.x < columns && t.y >= 0 && t.y < lines));
});

test("tiles lie about where the states do", () => {
  const at = Object.fromEntries(tiles.map((t) => [t.code, t]));
  for (const [west, east] of ["CA UT", "WA MT", "TX FL", "OR NJ", "OK GA", "MN ME"].map((p) => p.split(" "))) assert.ok(at[west].x < at[east].x, `${west} ${east}`);
  for (const [north, south] of ["WA OR", "ND SD", "MN TX", "ME FL", "NY GA", "MI AL"].map((p) => p.split(" "))) assert.ok(at[north].y < at[south].y, `${north} ${south}`);
});

test("groups are added up by state, whatever their case", () => {
  const { states, others } = byState([{ key: "CA", value: 3 }, { key: " ca ", value: 4 }, { key: "NY", value: null }, { key: "XX", value: 1 }, { key: null, value: 2 }]);
  assert.equal(states.get("CA").value, 7);
  assert.equal(states.get("NY").value, null);
  assert.deepEqual(others.map((g) => g.key), ["XX", null]);
});

test("round numbers are not below, and near", () => {
  for (const v of [1e-7, 0.3, 1, 1.4, 9.99, 10, 299, 1e6 + 1, 7.3e12]) {
    const r = roundUp(v);
    assert.ok(r >= v * (1 - 1e-9) && r <= v * 1.6, `${v} ${r}`);
  }
  assert.equal(roundUp(28_000), 30_000);
  assert.equal(roundUp(0), 1);
});

test("colours go from 0 to 1 in the order of values, and the legend tells where", () => {
  const up = colours([4, 1, 100]);
  assert.deepEqual(up.ticks, [0, 25, 100]);
  assert.deepEqual(up.ticks.map(up.place), [0, 0.5, 1]);
  assert.ok(up.place(1) < up.place(4));
  const both = colours([-30, 10]);
  assert.deepEqual(both.ticks, [-30, 0, 10]);
  assert.deepEqual(both.ticks.map(both.place), [0, 0.75, 1]);
  assert.deepEqual(colours([]).ticks, [0, 0.25, 1]);
});

test("bars are as long as values are great", () => {
  const length = lengths([50, -100]);
  assert.equal(length(50), 0.5);
  assert.equal(length(-100), 1);
});

test("numbers, sizes and times", () => {
  assert.equal(number(1234567.891), "1,234,567.89");
  assert.deepEqual([null, 0, 999.5, 12345, 999_999, 1_234_567, -2e9, 0.1234].map(short), ["–", "0", "1000", "12,345", "999,999", "1.235M", "-2B", "0.123"]);
  assert.deepEqual([0, 1023, 1536, 5 * 2 ** 30].map(bytes), ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
  assert.deepEqual([4, 1500, 61_000, 3_700_000].map(duration), ["4 ms", "1.50 s", "1 min 1 s", "1 h 1 min"]);
  const now = Date.parse("2026-03-01T12:00:00Z");
  assert.deepEqual(["2026-03-01T11:59:59Z", "2026-03-01T11:59:30Z", "2026-03-01T11:00:00Z", "2026-02-28T12:00:00Z"].map((t) => ago(t, now)), ["just now", "30 s ago", "1 h ago", "28 Feb 2026"]);
});
