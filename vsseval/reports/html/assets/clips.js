// Clips of a board: which to look at, and all that is known of one.

const FIRST = 10;
const MORE = 50;

const ORDERS = [
  ['worst', 'Worst'],
  ['disagreement', 'Disagreement'],
  ['all', 'All'],
];

class ClipBrowser {
  constructor(board, load, onopen) {
    this.board = board;
    this.load = load;
    this.onopen = onopen;
    this.slice = ALL;
    this.metric = '';
    this.model = Math.max(0, board.rows.findIndex((row) => row.group !== 'oracle'));
    // Without scores of clips nothing is the worst.
    this.order = board.rows[this.model].badness.some((one) => one !== null) ? 'worst' : 'all';
    this.text = '';
    this.heard = false;
    this.most = FIRST;
    this.clip = null;
    this.player = new Player();
    this.list = el('ol', { class: 'clips' });
    this.said = el('p', { class: 'said', 'aria-live': 'polite' });
    this.detail = el('article', { class: 'clip', 'aria-label': 'Clip' });
    this.search = el('input', { type: 'search', placeholder: 'id, label, words', 'aria-label':
      'Search clips', oninput: () => this.update({ text: this.search.value }) });
    const names = board.rows.map((row, at) => [at, row.label]);
    const metrics = [['', 'All metrics'], ...board.columns.map((column, at) => [at, column.title])
      .filter(([at]) => board.rows.some((row) => row.scores[at].some((score) => score)))];
    this.modelField = select('Model', names, this.model, (value) =>
      this.update({ model: Number(value) }));
    this.node = el('div', { class: 'browser' },
      el('div', { class: 'side' },
        choice('Order of clips', ORDERS, this.order, (order) =>
          this.update({ order, most: FIRST })),
        el('div', { class: 'fields' },
          select('Metric', metrics, '', (value) => this.update({ metric: value })),
          this.modelField),
        this.search,
        board.clips.some((clip) => clip.media)
          ? el('label', { class: 'check' }, el('input', { type: 'checkbox',
            onchange: (event) => this.update({ heard: event.target.checked }) }),
          'Only clips that can be heard')
          : null,
        this.said, this.list),
      this.detail);
    this.draw();
  }

  update(changes) {
    Object.assign(this, changes);
    this.draw();
  }

  // What clips are ordered by, large first, and how it reads.
  measure() {
    const { board, metric, model } = this;
    const row = board.rows[model];
    const column = metric === '' ? null : board.columns[metric];
    const rivals = board.contestants.map((at) => board.rows[at]);
    if (this.order === 'disagreement') {
      const names = rivals.length > 4 ? `${rivals.length} models`
        : rivals.map((one) => one.label).join(', ');
      if (!column) {
        return { said: `mean over metrics of the largest difference of percentiles between ${names}`,
          key: (at) => board.clips[at].disagreement };
      }
      return { said: `largest difference of ${column.title} (${column.unit}) between ${names}`,
        key: (at) => {
          const values = rivals.map((one) => clipValue(one.scores[metric][at]))
            .filter((value) => value !== null);
          return values.length > 1 ? Math.max(...values) - Math.min(...values) : null;
        } };
    }
    if (!column) {
      return { said: `mean percentile of ${row.label} over metrics, 1 is worst`,
        key: (at) => row.badness[at] };
    }
    const added = column.pool === 'set' ? 'what the clip adds to ' : '';
    return { said: `${added}${column.title} of ${row.label} (${column.unit}), worst first`,
      key: (at) => clipValue(row.scores[metric][at]), sign: sign(column) };
  }

  found() {
    const wanted = this.text.toLowerCase();
    return clipsOf(this.board, this.slice).filter((at) => {
      const clip = this.board.clips[at];
      const words = [clip.id, clip.label, clip.speaker, clip.caption, clip.transcript];
      return (!this.heard || clip.media) &&
        words.some((word) => word && word.toLowerCase().includes(wanted));
    });
  }

  draw() {
    const { board } = this;
    const { said, key, sign: direction = 1 } = this.measure();
    const found = this.found();
    const ordered = this.order === 'all'
      ? found
      : sorted(found.filter((at) => key(at) !== null),
        (at) => -direction * key(at));
    this.shown = ordered.slice(0, this.order === 'all' ? Math.max(this.most, MORE) : this.most);
    this.modelField.hidden = this.order === 'disagreement';
    this.said.textContent = `${this.shown.length} of ${ordered.length} clips. ${
      said[0].toUpperCase()}${said.slice(1)}.`;
    const more = ordered.length - this.shown.length;
    put(this.list, this.shown.map((at) => {
      const clip = board.clips[at];
      return el('li', {}, el('button', { type: 'button', 'data-clip': clip.id,
        'aria-current': at === this.clip ? 'true' : null, onclick: () => this.onopen(at) },
      el('span', { class: 'id' }, clip.id,
        clip.media ? el('span', { class: 'heard', title: 'can be heard' }, '♪') : null),
      el('span', { class: 'number' }, number(key(at))),
      el('small', {}, [clip.label, clip.speaker, clip.transcript].filter(Boolean).join(' · '))));
    }), more > 0 ? el('li', {}, el('button', { type: 'button', class: 'more', onclick: () =>
      this.update({ most: this.shown.length + MORE }) }, `Show ${Math.min(MORE, more)} more`)) : null);
  }

  mark() {
    for (const button of this.list.querySelectorAll('[data-clip]')) {
      if (button.dataset.clip === this.board.clips[this.clip].id) {
        button.setAttribute('aria-current', 'true');
        // Within the list alone: the page itself stays where it is.
        const { list } = this;
        const top = button.offsetTop - list.offsetTop;
        if (top < list.scrollTop || top + button.offsetHeight > list.scrollTop + list.clientHeight) {
          list.scrollTop = top - list.clientHeight / 2;
        }
      } else button.removeAttribute('aria-current');
    }
  }

  // The clip before or after in the list.
  step(direction) {
    const place = this.shown.indexOf(this.clip);
    const next = this.shown[place < 0 ? 0 : place + direction];
    if (next !== undefined) this.onopen(next);
  }

  // Something to hear, or else the first of the list; nothing if what is open is among the clips.
  openFirst() {
    if (this.clip !== null && clipsOf(this.board, this.slice).includes(this.clip)) return;
    const first = this.shown.find((at) => this.board.clips[at].media) ?? this.shown[0];
    if (first !== undefined) this.open(first);
  }

  async open(at) {
    const { board } = this;
    const clip = board.clips[at];
    this.clip = at;
    this.mark();
    this.player.clear();
    const chips = [clip.label, clip.speaker && `speaker ${clip.speaker}`,
      clip.duration && `${Number(clip.duration.toFixed(2))} s`,
      clip.onsets && `${clip.onsets.length} onset${clip.onsets.length === 1 ? '' : 's'}`];
    put(this.detail,
      el('header', {},
        el('h3', {}, clip.id),
        chips.filter(Boolean).map((chip) => el('span', { class: 'chip' }, chip)),
        el('span', { class: 'steps' },
          el('button', { type: 'button', onclick: () => this.step(-1), title: 'Clip before (K)' },
            'Previous'),
          el('button', { type: 'button', onclick: () => this.step(1), title: 'Clip after (J)' },
            'Next'))),
      clip.media ? this.player.node : this.silent(clip),
      this.scores(at), this.findings(at));
    if (!clip.media) return;
    const media = await this.load(clip.media);
    if (this.clip !== at) return;
    if (media) await this.player.open(clip, media);
    else put(this.player.node,
      el('p', { class: 'missing box' }, 'The media file of this clip is not beside the page.'));
  }

  silent(clip) {
    const words = [clip.caption, clip.transcript && `“${clip.transcript}”`].filter(Boolean);
    return el('div', {}, words.length ? el('p', { class: 'words' }, words.join(' ')) : null,
      el('p', { class: 'missing box' }, 'Scores only. ', this.board.media_note));
  }

  scores(at) {
    const { board } = this;
    const columns = [...board.columns.keys()].filter((column) =>
      board.rows.some((row) => row.scores[column][at]));
    if (!columns.length) return el('p', { class: 'missing' }, 'No model has a score for this clip.');
    const ofSet = (column) => board.columns[column].pool === 'set';
    return [
      el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Scores' },
        el('table', { class: 'scores' },
          el('thead', {}, el('tr', {}, el('th', { scope: 'col', class: 'name' }, 'This clip'),
            columns.map((column) => el('th', { scope: 'col', class: 'number' },
              `${board.columns[column].title} ${ARROW[board.columns[column].better]}`,
              el('small', {}, board.columns[column].unit, ofSet(column) ? ' *' : null))))),
          el('tbody', {}, board.rows.map((row) => el('tr', { class: row.group },
            el('th', { scope: 'row', class: 'name' }, row.label),
            columns.map((column) => el('td', { class: 'number' },
              number(clipValue(row.scores[column][at]))))))))),
      columns.some(ofSet)
        ? el('p', { class: 'said' }, '* what the clip adds to the value of the whole set')
        : null,
    ];
  }

  findings(at) {
    const { rows } = this.board;
    const said = new Map();
    for (const row of rows) {
      for (const text of row.findings[at] || []) said.set(text, [...(said.get(text) || []), row.label]);
    }
    const whose = (labels) => (labels.length === rows.length ? 'all models' : labels.join(', '));
    return said.size ? el('ul', { class: 'findings' }, [...said].map(([text, labels]) =>
      el('li', {}, `${whose(labels)}: ${text}`))) : null;
  }
}
