// The United States as a grid of equal tiles, each about where its state is: a small state shows as much as a large one.

const rows = [
  "AK .. .. .. .. .. .. .. .. .. ME",
  ".. .. .. .. .. .. .. .. .. VT NH",
  "WA ID MT ND MN IL WI MI NY RI MA",
  "OR NV WY SD IA IN OH PA NJ CT ..",
  "CA UT CO NE MO KY WV VA MD DE ..",
  ".. AZ NM KS AR TN NC SC DC .. ..",
  ".. .. .. OK LA MS AL GA .. .. ..",
  "HI .. .. TX .. .. .. .. FL .. ..",
].map((line) => line.split(" "));

export const columns = rows[0].length;
export const lines = rows.length;

// tiles gives the code, column and row of each.
export const tiles = rows.flatMap((row, y) => row.map((code, x) => ({ code, x, y })).filter((t) => t.code !== ".."));

export const names = {
  AL: "Alabama", AK: "Alaska", AZ: "Arizona", AR: "Arkansas", CA: "California", CO: "Colorado", CT: "Connecticut", DE: "Delaware",
  DC: "District of Columbia", FL: "Florida", GA: "Georgia", HI: "Hawaii", ID: "Idaho", IL: "Illinois", IN: "Indiana", IA: "Iowa", KS: "Kansas",
  KY: "Kentucky", LA: "Louisiana", ME: "Maine", MD: "Maryland", MA: "Massachusetts", MI: "Michigan", MN: "Minnesota", MS: "Mississippi",
  MO: "Missouri", MT: "Montana", NE: "Nebraska", NV: "Nevada", NH: "New Hampshire", NJ: "New Jersey", NM: "New Mexico", NY: "New York",
  NC: "North Carolina", ND: "North Dakota", OH: "Ohio", OK: "Oklahoma", OR: "Oregon", PA: "Pennsylvania", RI: "Rhode Island",
  SC: "South Carolina", SD: "South Dakota", TN: "Tennessee", TX: "Texas", UT: "Utah", VT: "Vermont", VA: "Virginia", WA: "Washington",
  WV: "West Virginia", WI: "Wisconsin", WY: "Wyoming",
};

// byState adds groups up by code, whatever case and blanks they come with. What is no state is left over.
export function byState(groups) {
  const states = new Map(), others = [];
  for (const g of groups) {
    const code = g.key?.trim().toUpperCase();
    if (!(code in names)) { others.push(g); continue; }
    const before = states.get(code);
    states.set(code, before ? { ...g, value: (before.value ?? 0) + (g.value ?? 0), text: "" } : g);
  }
  return { states, others };
}
