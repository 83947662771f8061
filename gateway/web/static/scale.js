// From values to places between 0 and 1.

const steps = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

// roundUp is the next round number, so that a scale does not tremble with every new value.
export function roundUp(v) {
  if (!(v > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(v));
  return unit * steps.find((s) => s * unit >= v * (1 - 1e-12));
}

// colours spreads values for colouring: by the square root from 0, for a few states hold most of everything; evenly when some are negative.
export function colours(values) {
  const least = Math.min(0, ...values), most = Math.max(0, ...values);
  if (least < 0) {
    const from = -roundUp(-least), to = most > 0 ? roundUp(most) : 0;
    return { place: (v) => (v - from) / (to - from), ticks: [from, 0, to].filter((v, i, all) => all.indexOf(v) === i) };
  }
  const to = roundUp(most);
  return { place: (v) => Math.sqrt(v / to), ticks: [0, to / 4, to] };
}

// lengths spreads values for bars: evenly from zero, both ways.
export function lengths(values) {
  const to = roundUp(Math.max(0, ...values.map(Math.abs)));
  return (v) => Math.abs(v) / to;
}
