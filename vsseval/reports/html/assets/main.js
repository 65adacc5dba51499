// The page: boards, where one is, dark or light, and keys.

const page = JSON.parse(document.getElementById('data').textContent);

const waiting = new Map();

// Called by the media files of a site.
window.vssevalMedia = (media) => waiting.get(media.name)?.(media);

// Media of a clip: a block of this page, or a file beside it; null if that is not there.
function loadMedia(name) {
  const block = document.getElementById(`media-${name}`);
  if (block) return Promise.resolve(JSON.parse(block.textContent));
  if (!page.media) return Promise.resolve(null);
  return new Promise((resolve) => {
    const script = el('script', { src: `${page.media}/${encodeURIComponent(name)}.js` });
    const done = (media) => {
      script.remove();
      waiting.delete(name);
      resolve(media);
    };
    waiting.set(name, done);
    script.addEventListener('error', () => done(null));
    document.head.append(script);
  });
}

class BoardView {
  constructor(board) {
    this.board = board;
    this.slice = ALL;
    this.table = new LeaderboardTable(board);
    this.plots = el('div', { class: 'plots' });
    this.without = el('p', { class: 'without' });
    this.legend = el('p', { class: 'legend' });
    this.clips = new ClipBrowser(board, loadMedia, (at) => this.visit(at));
    this.filter = el('input', { type: 'search', placeholder: 'Filter models',
      'aria-label': 'Filter models', oninput: () => this.table.update({ text: this.filter.value }) });
    this.node = el('div', { class: 'view' },
      el('div', { class: 'title' }, el('h1', {}, titleOf(board)),
        board.about ? el('p', {}, `${board.slice ? 'Slice of: ' : ''}${board.about}.`) : null,
        facts(board)),
      this.sliceBar(),
      section('leaderboard', 'Leaderboard', this.toolbar(), this.table.node, this.legend,
        remarks(board)),
      section('intervals', 'Intervals', el('p', {}, 'Values with their 95 % intervals; an open ' +
        'circle has none.'), this.plots, this.without),
      section('clips', 'Clips', this.clips.node),
      checksSection(board), reportedSection(board), signaturesSection(board));
    this.applySlice({});
  }

  sliceBar() {
    const { board } = this;
    const options = (field, any) => [['', any],
      ...kinds(board, field).map(([value, count]) => [value, `${value} (${count})`])];
    const change = (field) => (value) => this.applySlice({ [field]: value });
    const fields = ['label', 'speaker'].filter((field) => kinds(board, field).length > 1);
    const annotated = board.clips.filter((clip) => clip.onsets !== null).length;
    const both = annotated > 0 && annotated < board.clips.length;
    if (!fields.length && !both) return null;
    this.sliceCount = el('output', { class: 'count' });
    this.reset = el('button', { type: 'button', hidden: true, onclick: () => {
      this.bar.querySelectorAll('select').forEach((one) => { one.value = ''; });
      this.applySlice(ALL);
    } }, 'Clear');
    this.bar = el('div', { class: 'slice', role: 'group', 'aria-label': 'Slice' },
      el('strong', {}, 'Slice'),
      fields.map((field) => select({ label: 'Label', speaker: 'Speaker' }[field],
        options(field, 'all'), '', change(field))),
      both ? select('Sound', [['', 'all'], ['discrete', `discrete (${annotated})`],
        ['continuous', `continuous (${board.clips.length - annotated})`]], '', change('onsets')) : null,
      this.sliceCount, this.reset);
    return this.bar;
  }

  toolbar() {
    const { board, table } = this;
    const shown = (at) => (event) => {
      if (event.target.checked) table.shown.add(at);
      else table.shown.delete(at);
      table.draw();
    };
    return el('div', { class: 'toolbar' }, this.filter,
      board.rows.some((row) => row.group === 'oracle')
        ? el('label', { class: 'check' }, el('input', { type: 'checkbox', checked: true,
          onchange: (event) => {
            table.update({ oracles: event.target.checked });
            this.plot();
          } }), 'Oracles')
        : null,
      el('details', { class: 'columns' }, el('summary', {}, 'Columns'),
        el('div', {}, board.columns.map((column, at) => el('label', { class: 'check' },
          el('input', { type: 'checkbox', checked: true, onchange: shown(at) }), column.title)))));
  }

  plot() {
    const { board, table } = this;
    const rows = table.rows.filter((row) => table.oracles || row.group !== 'oracle');
    const plots = board.columns.map((_, at) => intervalPlot(board, rows, at));
    put(this.plots, plots);
    this.without.textContent = withoutValue(board, rows, (at) => plots[at] === null);
  }

  applySlice(changes) {
    this.slice = { ...this.slice, ...changes };
    const { board, slice } = this;
    const rows = slicedRows(board, slice);
    const whole = isWhole(slice);
    this.table.update({ rows });
    this.clips.update({ slice });
    // At the start the address says which clip is open.
    if (this.clips.clip !== null) this.clips.openFirst();
    this.plot();
    this.legend.textContent = whole ? this.legendText() :
      'Values and intervals of these clips are computed in this page (percentile bootstrap over ' +
      'items, 1000 draws). Nothing is tested and nothing ranked; metrics of a whole set have no ' +
      'value on some of its clips. Remarks and audio checks are those of all clips.';
    if (this.sliceCount) {
      const count = clipsOf(board, slice).length;
      this.sliceCount.textContent = `${count} of ${board.clips.length} clips`;
      this.reset.hidden = whole;
      this.bar.classList.toggle('active', !whole);
    }
  }

  legendText() {
    const { board } = this;
    const parts = [board.slice
      ? `Value over the clips of ${board.slice} with its 95 % interval.`
      : 'Value with its 95 % interval over clips.'];
    if (board.rows.some((row) => row.cells.some((cell) =>
      cell && cell.value !== null && cell.scored !== cell.expected))) {
      parts.push('Where not all clips were scored, their number is below.');
    }
    if (board.rows.filter((row) => row.group === 'system').length > 1) {
      parts.push('Bold is the best system of a column, underlined the second.');
    }
    if (board.ranked) {
      parts.push('# is 1 + the number of systems that are better in a paired test (5 %, Holm’s ' +
        'correction within the column): systems that cannot be told apart share a rank.');
    }
    if (board.rows.some((row) => row.seeds.length > 1)) {
      parts.push('± is the standard deviation over seeds.');
    }
    return parts.join(' ');
  }

  visit(at) {
    const { board } = this;
    const hash = `#${board.id}/${encodeURIComponent(board.clips[at].id)}`;
    if (location.hash === hash) this.clips.open(at);
    else location.hash = hash;
  }
}

const views = new Map();
let view = null;

function show(board) {
  if (view && view.board === board) return;
  if (view) view.clips.player.clear();
  if (!views.has(board)) views.set(board, new BoardView(board));
  view = views.get(board);
  document.getElementById('board').replaceChildren(view.node);
  for (const tab of document.querySelectorAll('.tabs a')) {
    if (tab.hash === `#${board.id}`) {
      tab.setAttribute('aria-current', 'page');
      // Of many tabs the one that is open is in sight; the page itself stays where it is.
      const tabs = tab.parentNode;
      const room = Math.max(0, tabs.clientWidth - tab.offsetWidth);
      tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - room / 2;
    } else tab.removeAttribute('aria-current');
  }
}

// #board or #board/clip; what is unknown leads to the first board.
function route() {
  const [name, ...rest] = location.hash.slice(1).split('/');
  const board = page.boards.find((one) => one.id === name) || page.boards[0];
  show(board);
  const { clips } = view;
  let id = rest.join('/');
  try {
    id = decodeURIComponent(id);
  } catch {
    id = '';
  }
  const at = board.clips.findIndex((clip) => clip.id === id);
  if (at >= 0) {
    clips.open(at);
    return;
  }
  if (clips.clip !== null) clips.open(clips.clip);
  else clips.openFirst();
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem('vsseval-theme', theme);
  } catch {
    // A page from disk may have no storage; the choice then lasts as long as the page.
  }
  showTheme();
}

function showTheme() {
  const button = document.querySelector('.theme');
  button.textContent = isDark() ? 'Light' : 'Dark';
  if (view) view.clips.player.draw();
}

function header(help) {
  return [
    page.home ? el('a', { class: 'brand', href: page.home }, 'vsseval')
      : el('span', { class: 'brand' }, 'vsseval'),
    el('nav', { class: 'tabs', 'aria-label': 'Benchmarks' }, page.boards.map((board) =>
      el('a', { href: `#${board.id}` }, tabTitle(board)))),
    el('span', { class: 'tools' },
      el('button', { type: 'button', onclick: () => help.showModal(), 'aria-label': 'Keys' }, '?'),
      el('button', { type: 'button', class: 'theme', title: 'Dark or light (T)',
        onclick: () => setTheme(isDark() ? 'light' : 'dark') })),
  ];
}

function focus(input) {
  input.focus();
  input.select();
}

function onKey(event, help) {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (target.matches('input[type=search], select, textarea')) {
    if (key === 'Escape') target.blur();
    return;
  }
  const { clips } = view;
  const { player } = clips;
  // A button, box or link does with Space what it always does, and a slider with arrows.
  if (key === ' ' && target.matches('button, input, summary, a')) return;
  if (target.matches('input[type=range]') && /^(Arrow|Home|End)/.test(key)) return;
  // A region that scrolls keeps its arrows.
  if (target.matches('.scroll') && /^Arrow/.test(key)) return;
  const away = event.shiftKey ? 1 : STEP;
  const actions = {
    ' ': () => player.toggle(),
    ArrowLeft: () => player.move(-away),
    ArrowRight: () => player.move(away),
    Home: () => player.seek(0),
    '[': () => player.step(-1),
    ']': () => player.step(1),
    l: () => player.toggleLoop(),
    j: () => clips.step(1),
    k: () => clips.step(-1),
    t: () => setTheme(isDark() ? 'light' : 'dark'),
    f: () => focus(view.filter),
    '/': () => focus(clips.search),
    '?': () => help.showModal(),
  };
  const action = /^[1-9]$/.test(key) ? () => player.select(Number(key) - 1)
    : actions[key.length === 1 ? key.toLowerCase() : key];
  if (!action) return;
  if (key === 'Home' && !player.ready) return;
  event.preventDefault();
  action();
}

function start() {
  try {
    const theme = localStorage.getItem('vsseval-theme');
    if (theme) document.documentElement.dataset.theme = theme;
  } catch {
    // As in setTheme.
  }
  const help = helpDialog();
  put(document.querySelector('.top'), header(help));
  document.body.append(help, el('footer', {}, `Made by vsseval ${page.version} from run records.`));
  route();
  showTheme();
  window.addEventListener('hashchange', route);
  document.addEventListener('keydown', (event) => onKey(event, help));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', showTheme);
  // What was clicked with a pointer gives its focus back, so that Space plays and arrows move.
  document.addEventListener('click', (event) => {
    const { target } = event;
    const control = target.closest('button, summary, input[type=checkbox]');
    if (control && event.detail > 0) control.blur();
    for (const open of document.querySelectorAll('.columns[open]')) {
      if (!open.contains(target)) open.open = false;
    }
  });
  document.addEventListener('pointerup', ({ target }) => {
    if (target.matches('input[type=range]')) target.blur();
  });
  let wait = 0;
  window.addEventListener('resize', () => {
    clearTimeout(wait);
    wait = setTimeout(() => view.clips.player.draw(), 150);
  });
}

start();
