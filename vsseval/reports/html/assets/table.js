// The leaderboard: a row a model, a column a metric, sorted and filtered in place.

const GROUPS = [
  ['system', ''],
  ['incomplete', 'Incomplete: clips failed, not ranked'],
  ['oracle', 'Oracles: they hear the reference or nothing at all, not ranked'],
];

class LeaderboardTable {
  constructor(board) {
    this.board = board;
    this.rows = board.rows;
    this.shown = new Set(board.columns.keys());
    this.sort = { key: null, ascending: true };
    this.text = '';
    this.oracles = true;
    this.node = el('div', { class: 'scroll', tabindex: '0', role: 'region',
      'aria-label': `Leaderboard of ${titleOf(board)}` });
    this.draw();
  }

  update(changes) {
    Object.assign(this, changes);
    this.draw();
  }

  // Sorts by a column, best first; again the other way; and again as it was.
  sortBy(key) {
    const { sort } = this;
    if (sort.key !== key) this.sort = { key, ascending: true };
    else if (sort.ascending) this.sort = { key, ascending: false };
    else this.sort = { key: null, ascending: true };
    this.draw();
    this.node.querySelector(`[data-sort="${key}"]`).focus();
  }

  key(row) {
    const { key } = this.sort;
    if (key === 'mean') return row.mean_rank;
    if (key === 'seconds') return row.seconds;
    const cell = row.cells[key];
    return cell && cell.value !== null ? sign(this.board.columns[key]) * cell.value : null;
  }

  ordered(rows) {
    const { key, ascending } = this.sort;
    if (key === null) return rows;
    if (key === 'name') {
      const named = [...rows].sort((a, b) => a.label.localeCompare(b.label));
      return ascending ? named : named.reverse();
    }
    return sorted(rows, (row) => {
      const value = this.key(row);
      return value === null || ascending ? value : -value;
    });
  }

  draw() {
    const wanted = this.text.toLowerCase();
    const fits = (row) => row.label.toLowerCase().includes(wanted) ||
      row.signature.toLowerCase().includes(wanted);
    const groups = GROUPS.filter(([group]) => this.oracles || group !== 'oracle');
    const left = this.node.scrollLeft;
    this.ranks = this.rows.some((row) => row.mean_rank !== null);
    this.times = this.rows.some((row) => row.seconds !== null);
    // Columns without a value, as those of sets are on a slice, come last.
    const valued = (at) => this.rows.some(({ cells }) => cells[at] && cells[at].value !== null);
    this.order = sorted([...this.shown].sort((a, b) => a - b), (at) => (valued(at) ? 0 : 1));
    const bodies = groups.map(([group, title]) => {
      const rows = this.ordered(this.rows.filter((row) => row.group === group && fits(row)));
      if (!rows.length) return null;
      const head = title
        ? el('tr', { class: 'group' }, el('th', { colspan: this.width(), scope: 'rowgroup' },
          el('span', {}, title)))
        : null;
      return el('tbody', { class: group }, head, rows.map((row) => this.row(row)));
    });
    const nothing = bodies.every((body) => body === null)
      ? el('tbody', {}, el('tr', {}, el('td', { colspan: this.width(), class: 'nothing' },
        'No model fits the filter.')))
      : null;
    put(this.node,
      el('table', { class: 'board' }, this.head(), bodies, nothing));
    this.node.scrollLeft = left;
  }

  width() {
    return 1 + (this.ranks ? 1 : 0) + this.shown.size + (this.times ? 1 : 0);
  }

  head() {
    const sortable = (key, content, attributes) => {
      const { sort } = this;
      const state = sort.key !== key ? 'none' : sort.ascending ? 'ascending' : 'descending';
      return el('th', { scope: 'col', 'aria-sort': state, ...attributes },
        el('button', { type: 'button', 'data-sort': key, onclick: () => this.sortBy(key) },
          content, el('span', { class: 'mark', 'aria-hidden': 'true' })));
    };
    return el('thead', {}, el('tr', {},
      sortable('name', 'Model', { class: 'name' }),
      this.ranks ? sortable('mean', [el('span', {}, 'Mean rank'), el('small', {}, 'of columns')],
        { class: 'number' }) : null,
      this.order.map((at) => {
        const column = this.board.columns[at];
        return sortable(at, [
          el('span', {}, `${column.title} ${ARROW[column.better]}`,
            el('sup', {}, String(at + 1))),
          el('small', {}, column.unit),
        ], { class: 'number', title: `${column.definition} Signature: note ${at + 1}.` });
      }),
      this.times ? sortable('seconds', [el('span', {}, 'Time'), el('small', {}, 's a clip')],
        { class: 'number' }) : null));
  }

  row(row) {
    return el('tr', { 'data-model': row.label },
      el('th', { scope: 'row', class: 'name', title: row.signature },
        el('span', {}, row.label), row.kind ? el('small', {}, row.kind) : null),
      this.ranks ? el('td', { class: 'number' },
        row.mean_rank === null ? '' : row.mean_rank.toFixed(1)) : null,
      this.order.map((at) => cellNode(row.cells[at])),
      this.times ? el('td', { class: 'number' }, seconds(row.seconds)) : null);
  }
}

function cellNode(cell) {
  if (!cell || cell.value === null) {
    return el('td', { class: 'number none', title: cell ? cell.note : 'not measured' }, EMPTY);
  }
  const place = ['', 'best', 'second'][cell.place];
  const partial = cell.scored !== cell.expected;
  return el('td', { class: 'number', 'data-value': cell.value, title: cell.note || null },
    cell.rank !== null ? el('span', { class: 'rank', title: `rank ${cell.rank}` }, `#${cell.rank}`) : null,
    el('span', { class: `value ${place}` }, number(cell.value)),
    cell.deviation !== null ? el('small', { class: 'deviation' }, `± ${number(cell.deviation)}`) : null,
    cell.interval
      ? el('small', { class: 'interval' }, `${number(cell.interval[0])} … ${number(cell.interval[1])}`)
      : null,
    partial
      ? el('small', { class: cell.short ? 'coverage short' : 'coverage',
        title: cell.short ? 'fewer clips than another system, so it is not ranked' : null },
      `${cell.scored}/${cell.expected} clips`)
      : null);
}
