// Numbers as the Markdown report writes them: four significant digits.

const EMPTY = '–';
const ARROW = { higher: '↑', lower: '↓' };

function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return EMPTY;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e6) {
    const [digits, power] = value.toExponential(2).split('e');
    const sign = power[0] === '-' ? '-' : '+';
    return `${Number(digits)}e${sign}${power.slice(1).padStart(2, '0')}`.replace('-', '−');
  }
  const magnitude = Number(size.toExponential(6).split('e')[1]);
  const digits = Math.max(0, 3 - magnitude);
  return value.toFixed(Math.min(digits, 4)).replace('-', '−');
}

const seconds = (value) => {
  if (value === null) return EMPTY;
  return value < 0.001 ? '<0.001' : number(value);
};

// A clip's own value: that of a rate is a percentage.
function clipValue(score) {
  if (!score) return null;
  if (score.length === 1) return score[0];
  return score[1] ? (100 * score[0]) / score[1] : null;
}

const sign = (column) => (column.better === 'higher' ? -1 : 1);

// Ascending by key, what has none last; equal keys stay in order.
function sorted(list, key) {
  const keyed = list.map((one) => [key(one), one]);
  const missing = ([value]) => value === null || value === undefined || Number.isNaN(value);
  keyed.sort((a, b) => missing(a) - missing(b) || (missing(a) ? 0 : a[0] - b[0]));
  return keyed.map(([, one]) => one);
}
