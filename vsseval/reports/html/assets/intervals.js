// Interval plots: a panel a metric, a line a model, one scale a panel.

const PLOT = { width: 360, left: 116, right: 58, line: 20, top: 6, bottom: 22 };

function intervalPlot(board, rows, at) {
  const column = board.columns[at];
  const known = rows.filter((row) => row.cells[at] && row.cells[at].value !== null);
  if (!known.length) return null;
  const ends = known.flatMap(({ cells }) => [cells[at].value, ...(cells[at].interval || [])]);
  let low = Math.min(...ends);
  let high = Math.max(...ends);
  if (low === high) [low, high] = [low - 1, high + 1];
  const ticks = niceTicks(low, high);
  low = Math.min(low, ticks[0]);
  high = Math.max(high, ticks[ticks.length - 1]);
  const x = (value) =>
    PLOT.left + ((value - low) / (high - low)) * (PLOT.width - PLOT.left - PLOT.right);
  const height = PLOT.top + known.length * PLOT.line + PLOT.bottom;
  const foot = height - PLOT.bottom;
  const grid = ticks.map((tick) => svg('g', { class: 'tick' },
    svg('line', { x1: x(tick), x2: x(tick), y1: PLOT.top, y2: foot }),
    svg('text', { x: x(tick), y: foot + 14, 'text-anchor': 'middle' },
      String(tick).replace('-', '−'))));
  const lines = known.map((row, index) => {
    const cell = row.cells[at];
    const y = PLOT.top + (index + 0.5) * PLOT.line;
    const said = cell.interval
      ? `${row.label}: ${number(cell.value)}, 95 % interval ${number(cell.interval[0])} to ${number(cell.interval[1])}`
      : `${row.label}: ${number(cell.value)}, no interval`;
    return svg('g', { class: `line ${row.group}` }, svg('title', {}, said),
      svg('text', { x: PLOT.left - 10, y: y + 4, 'text-anchor': 'end' }, clipped(row.label, 17)),
      cell.interval ? svg('line', { class: 'whisker', x1: x(cell.interval[0]),
        x2: x(cell.interval[1]), y1: y, y2: y }) : null,
      svg('circle', { cx: x(cell.value), cy: y, r: 3.5, class: cell.interval ? '' : 'open' }),
      svg('text', { class: 'value', x: PLOT.width, y: y + 4, 'text-anchor': 'end' },
        number(cell.value)));
  });
  return el('figure', { class: 'plot' },
    el('figcaption', {}, el('strong', {}, `${column.title} ${ARROW[column.better]}`),
      el('span', {}, column.unit)),
    svg('svg', { viewBox: `0 0 ${PLOT.width} ${height}`, role: 'img',
      'aria-label': `Intervals of ${column.title}` }, grid, lines));
}

// The columns that have no plot, by why they have none.
function withoutValue(board, rows, lacking) {
  const whys = new Map();
  board.columns.forEach((column, at) => {
    if (!lacking(at)) return;
    const cell = rows.map((row) => row.cells[at]).find((one) => one);
    const why = cell ? cell.note || 'no value' : 'not measured';
    whys.set(why, [...(whys.get(why) || []), column.title]);
  });
  return [...whys].map(([why, titles]) => `${titles.join(', ')}: ${why}.`).join(' ');
}

const clipped = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// Three to five round numbers that cover a range.
function niceTicks(low, high) {
  const rough = (high - low) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, at) =>
    Number(((first + at) * step).toPrecision(10)));
}
