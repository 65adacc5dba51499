// Choices of clips made in the page: some clips of a board, and values pooled over them here in the page.

const DRAWS = 1000;
// As everywhere else: fewer items have no interval.
const FEWEST = 10;
// More items are drawn in random groups, so that a large benchmark answers at once.
const GROUPED = 400;

const ALL = { label: '', speaker: '', onsets: '' };

function isWhole(slice) {
  return !slice.label && !slice.speaker && !slice.onsets;
}

// Numbers of the clips in a slice.
function clipsOf(board, slice) {
  const fits = (clip) =>
    (!slice.label || clip.label === slice.label) &&
    (!slice.speaker || clip.speaker === slice.speaker) &&
    (!slice.onsets || (slice.onsets === 'discrete') === (clip.onsets !== null));
  return board.clips.flatMap((clip, at) => (fits(clip) ? [at] : []));
}

// Values of a field with the number of clips of each, the most frequent first.
function kinds(board, field) {
  const counts = new Map();
  for (const clip of board.clips) {
    if (clip[field] !== null) counts.set(clip[field], (counts.get(clip[field]) || 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

// Uniform numbers in [0, 1) from a seed (mulberry32), so that a slice always reads the same.
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

// Sums of items, merged into groups of equal size where there are many.
function grouped(sums, random) {
  if (sums.length <= GROUPED) return sums;
  const mixed = [...sums];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [mixed[at], mixed[other]] = [mixed[other], mixed[at]];
  }
  const groups = Array.from({ length: GROUPED }, () => [0, 0]);
  mixed.forEach(([top, bottom], at) => {
    groups[at % GROUPED][0] += top;
    groups[at % GROUPED][1] += bottom;
  });
  return groups;
}

// Value of a row in a column over some clips, as a cell. The interval is a percentile bootstrap
// over items: takes of one item, and items of one group, are drawn together.
function sliceCell(board, row, at, clips) {
  const column = board.columns[at];
  const cell = { value: null, interval: null, deviation: null, rank: null, place: 0,
    scored: 0, expected: clips.length, short: false, note: '' };
  if (column.pool === 'set') return { ...cell, note: 'not available on a slice' };
  if (column.pool === 'unknown') return { ...cell, note: 'not known how it is pooled' };
  const sums = new Map();
  for (const clip of clips) {
    const score = row.scores[at][clip];
    if (!score) continue;
    const sum = sums.get(board.clips[clip].item) || [0, 0];
    sum[0] += score[0];
    sum[1] += score.length > 1 ? score[1] : 1;
    sums.set(board.clips[clip].item, sum);
    cell.scored += 1;
  }
  const items = [...sums.values()];
  const factor = column.pool === 'percent_ratio' ? 100 : 1;
  const pooled = (top, bottom) => (bottom ? (factor * top) / bottom : null);
  cell.value = pooled(items.reduce((sum, one) => sum + one[0], 0),
    items.reduce((sum, one) => sum + one[1], 0));
  if (cell.value === null) cell.note = cell.scored ? 'undefined' : 'no clip was scored';
  if (items.length < FEWEST) return cell;
  const random = uniform(2020);
  const parts = grouped(items, random);
  const draws = [];
  for (let draw = 0; draw < DRAWS; draw += 1) {
    let top = 0;
    let bottom = 0;
    for (let count = 0; count < parts.length; count += 1) {
      const part = parts[Math.floor(random() * parts.length)];
      top += part[0];
      bottom += part[1];
    }
    const value = pooled(top, bottom);
    if (value !== null) draws.push(value);
  }
  draws.sort((a, b) => a - b);
  const quantile = (share) => draws[Math.round(share * (draws.length - 1))];
  if (draws.length) cell.interval = [quantile(0.025), quantile(0.975)];
  return cell;
}

// The rows of a board with cells over a slice; the best systems of each column are marked.
function slicedRows(board, slice) {
  if (isWhole(slice)) return board.rows;
  const clips = clipsOf(board, slice);
  const rows = board.rows.map((row) => ({
    ...row,
    mean_rank: null,
    // Of single clips no record holds the time.
    seconds: null,
    cells: row.cells.map((cell, at) => (cell ? sliceCell(board, row, at, clips) : null)),
  }));
  board.columns.forEach((column, at) => {
    const cells = rows.filter((row) => row.group === 'system' && row.cells[at])
      .map((row) => row.cells[at]).filter((cell) => cell.value !== null);
    const most = Math.max(0, ...cells.map((cell) => cell.scored));
    const full = cells.filter((cell) => cell.scored === most);
    const values = [...new Set(sorted(full, (cell) => sign(column) * cell.value)
      .map((cell) => cell.value))];
    if (full.length > 1) {
      for (const cell of full) cell.place = [1, 2][values.indexOf(cell.value)] || 0;
    }
  });
  return rows;
}
