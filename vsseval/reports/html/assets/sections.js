// The parts of a board that only show.

const plural = (count, one) => `${count} ${one}${count === 1 ? '' : 's'}`;

const titleOf = (board) => (board.slice ? `${board.name}, slice ${board.slice}` : board.name);

// What a tab says: of slices of one benchmark the slice alone.
function tabTitle(board) {
  if (!board.slice) return board.name;
  const alone = page.boards.every((one) => one.name === board.name);
  return alone ? board.slice : `${board.name}: ${board.slice}`;
}

function facts(board) {
  const count = (group) => board.rows.filter((row) => row.group === group).length;
  const seeds = new Set(board.rows.flatMap((row) => row.seeds));
  const systems = count('system') + count('incomplete');
  return el('dl', { class: 'facts' }, [
    ['Task', board.task],
    ['Slice', board.slice],
    ['Clips', String(board.clips.length)],
    ['Systems', String(systems)],
    ['Oracles', String(count('oracle'))],
    ['Seeds', String(seeds.size)],
    ['Version', board.version],
    ['Digest', board.digest.slice(0, 8)],
  ].filter(([, value]) => value).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
}

function section(id, title, ...content) {
  return el('section', { id, 'aria-labelledby': `${id}-title` },
    el('h2', { id: `${id}-title` }, title), ...content);
}

function remarks(board) {
  const list = (items, kind) => (items.length
    ? el('ul', { class: kind }, items.map((text) => el('li', {}, text)))
    : null);
  if (!board.notes.length && !board.warnings.length) return null;
  return el('details', { class: 'remarks', open: board.warnings.length < 4 },
    el('summary', {}, [board.warnings.length && plural(board.warnings.length, 'warning'),
      board.notes.length && plural(board.notes.length, 'note')].filter(Boolean).join(', ')),
    list(board.warnings, 'warnings'), list(board.notes, 'notes'));
}

function plainTable(head, rows, label) {
  return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label },
    el('table', { class: 'plain' },
      el('thead', {}, el('tr', {}, head.map((text, at) =>
        el('th', { scope: 'col', class: at ? 'number' : 'name' }, text)))),
      el('tbody', {}, rows.map((row) => el('tr', {}, row.map((text, at) =>
        el(at ? 'td' : 'th', at ? { class: 'number' } : { scope: 'row', class: 'name' },
          text || EMPTY)))))));
}

function checksSection(board) {
  if (!board.checks.length) return null;
  const [[, ...head], ...rows] = board.checks;
  return section('checks', 'Audio checks', plainTable(['Model', ...head], rows, 'Audio checks'),
    el('p', { class: 'legend' }, board.checks_said));
}

function reportedSection(board) {
  if (!board.reported.length) return null;
  return section('reported', 'Reported elsewhere',
    el('p', {}, 'Numbers from publications, not measured here. They compare within one table of ' +
      'one source and never with the leaderboard above.'),
    board.reported.map((table) => [el('h3', {}, table.title),
      plainTable(table.columns, table.rows, table.title), el('p', { class: 'source' }, `Source: ${table.source}.`)]));
}

function signaturesSection(board) {
  return section('signatures', 'Signatures',
    el('p', {}, 'All that moves a number. Two signatures never share a column; counts stand in ' +
      'the cells.'),
    el('ol', { class: 'signatures' }, board.columns.map((column) => el('li', {},
      el('strong', {}, column.title), ` (${column.unit}, ${column.better} is better). `,
      column.definition, el('code', {}, column.signature)))));
}

const KEYS = [
  ['Space', 'play or pause'],
  ['1 … 9', 'hear this track, from the same moment on'],
  ['[  ]', 'track before, track after'],
  ['←  →', 'back, forward by 0.1 s; with Shift by 1 s'],
  ['Home', 'to the beginning'],
  ['L', 'loop'],
  ['J  K', 'next clip, previous clip of the list'],
  ['/', 'search clips'],
  ['F', 'filter models'],
  ['T', 'dark or light'],
  ['?', 'these keys'],
];

function helpDialog() {
  const dialog = el('dialog', { class: 'help', 'aria-labelledby': 'help-title' },
    el('h2', { id: 'help-title' }, 'Keys'),
    el('dl', {}, KEYS.map(([key, what]) =>
      el('div', {}, el('dt', {}, key.split(/ {2}| (?=…)|(?<=…) /).map((one) =>
        (one === '…' ? ' … ' : el('kbd', {}, one)))), el('dd', {}, what)))),
    el('form', { method: 'dialog' }, el('button', {}, 'Close')));
  return dialog;
}
