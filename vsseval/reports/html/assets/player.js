// One clip: video, and a track for each sound, all on one clock.

const LANES = { wave: 30, spectrogram: 60 };
const STEP = 0.1;
const DRIFT = 0.08;

class Player {
  constructor() {
    this.mixer = new Mixer();
    this.mixer.onend = () => this.show();
    this.lanes = 'both';
    this.clip = null;
    this.media = null;
    this.serial = 0;
    this.node = el('div', { class: 'player' });
  }

  get ready() {
    return this.media !== null && this.buffers !== undefined;
  }

  clear() {
    this.serial += 1;
    this.mixer.pause();
    this.media = null;
    this.buffers = undefined;
    this.node.replaceChildren();
  }

  // Shows a clip; what is being loaded for an older one is dropped.
  async open(clip, media) {
    this.clear();
    const { serial } = this;
    this.clip = clip;
    this.media = media;
    this.build();
    const buffers = await Promise.all(media.tracks.map((track) =>
      (track.audio ? decode(track.audio, track.rate).catch(() => null) : null)));
    if (serial !== this.serial) return;
    const known = buffers.filter((buffer) => buffer !== null);
    const longest = Math.max(0.1, ...known.map((buffer) => buffer.duration));
    this.duration = clip.duration || longest;
    this.buffers = buffers;
    buffers.forEach((buffer, at) => {
      if (!buffer && media.tracks[at].audio) {
        put(this.tracks[at].lanes,
          el('p', { class: 'missing' }, 'This browser cannot decode the sound.'));
      }
    });
    this.mixer.load(buffers, this.duration);
    const first = buffers.findIndex((buffer) => buffer !== null);
    const kept = media.tracks.findIndex((track, at) =>
      buffers[at] && track.names.includes(this.wanted));
    if (first >= 0) this.select(kept >= 0 ? kept : first, false);
    this.draw();
    this.node.dataset.ready = 'yes';
    this.show();
  }

  build() {
    const { clip, media } = this;
    delete this.node.dataset.ready;
    this.time = el('output', { class: 'time', 'aria-label': 'Position' });
    this.button = el('button', { type: 'button', class: 'play', onclick: () => this.toggle() });
    this.loopButton = el('button', { type: 'button', class: 'loop', title: 'Loop (L)',
      'aria-pressed': String(this.mixer.loop), onclick: () => this.toggleLoop() }, 'Loop');
    this.video = media.video
      ? el('video', { src: media.video, muted: true, playsinline: true, preload: 'auto',
        'aria-label': `Video of ${clip.id}`, onclick: () => this.toggle() })
      : null;
    if (this.video) this.video.muted = true;
    this.slider = el('input', { type: 'range', min: 0, max: 1000, value: 0, step: 1,
      class: 'seek', 'aria-label': 'Seek',
      oninput: () => this.seek((this.slider.value / 1000) * this.duration) });
    this.tracks = media.tracks.map((track, at) => this.track(track, at));
    const words = [clip.caption, clip.transcript && `“${clip.transcript}”`].filter(Boolean);
    put(this.node,
      el('div', { class: 'stage' },
        this.video || el('p', { class: 'missing box' }, `No video: ${media.missing}.`),
        el('div', { class: 'controls' },
          words.length ? el('p', { class: 'words' }, words.join(' ')) : null,
          el('div', { class: 'transport' }, this.button, this.time, this.loopButton,
            choice('Lanes', [['both', 'Both'], ['wave', 'Waveform'], ['spectrogram', 'Spectrogram']],
              this.lanes, (lanes) => {
                this.lanes = lanes;
                this.layOut();
              })),
          this.slider,
          el('p', { class: 'hint' }, 'All sounds run on one clock: switch with ',
            el('kbd', {}, '1'), '…', el('kbd', {}, '9'), ' while it plays; ',
            el('kbd', {}, 'Space'), ' plays, ', el('kbd', {}, '?'), ' lists all keys. ',
            clip.onsets ? 'Dashed lines are annotated onsets. ' : null,
            media.tracks.some((track) => track.onsets)
              ? 'Ticks at the foot are onsets detected in the sound.' : null))),
      el('ol', { class: 'tracks' }, this.tracks.map((track) => track.node)));
    this.layOut();
    this.show();
  }

  track(track, at) {
    const button = el('button', { type: 'button', class: 'name', 'aria-pressed': 'false',
      disabled: !track.audio, onclick: () => this.select(at) },
    el('kbd', { 'aria-hidden': 'true' }, at < 9 ? String(at + 1) : ''),
    el('span', {}, track.names[0]),
    track.names.length > 1
      ? el('small', {}, `same samples: ${track.names.slice(1).join(', ')}`) : null);
    if (!track.audio) {
      return { node: el('li', { class: `track ${track.group}` }, button,
        el('div', { class: 'lanes' }, el('p', { class: 'missing' }, `${track.missing}.`))) };
    }
    const wave = el('canvas', { class: 'wave', 'aria-hidden': 'true' });
    const picture = el('canvas', { class: 'spectrogram', 'aria-hidden': 'true' });
    const head = el('div', { class: 'head' });
    const lanes = el('div', { class: 'lanes', onpointerdown: (event) => {
      const box = lanes.getBoundingClientRect();
      this.select(at);
      this.seek(((event.clientX - box.left) / box.width) * this.duration);
    } }, wave, picture, head);
    return { node: el('li', { class: `track ${track.group}` }, button, lanes),
      button, wave, picture, head, lanes };
  }

  layOut() {
    this.node.dataset.lanes = this.lanes;
    if (this.ready) this.draw();
  }

  draw() {
    if (!this.ready) return;
    const rates = this.media.tracks.map((track) => track.rate);
    const top = Math.max(...rates) / 2;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const known = this.buffers.filter((buffer) => buffer !== null);
    const most = Math.max(0.05, ...known.map(peakOf));
    this.tracks.forEach((track, at) => {
      const buffer = this.buffers[at];
      if (!buffer) return;
      for (const [canvas, lane] of [[track.wave, 'wave'], [track.picture, 'spectrogram']]) {
        canvas.width = Math.max(64, Math.round(track.lanes.clientWidth * ratio));
        canvas.height = Math.round(LANES[lane] * ratio);
      }
      if (this.lanes !== 'spectrogram') drawWaveform(track.wave, buffer, this.duration, most);
      if (this.lanes !== 'wave') drawSpectrogram(track.picture, buffer, this.duration, top, -10);
      track.lanes.querySelectorAll('.onset').forEach((line) => line.remove());
      const found = this.media.tracks[at].onsets || [];
      for (const [kind, times] of [['annotated', this.clip.onsets || []], ['found', found]]) {
        for (const time of times) {
          const line = el('i', { class: `onset ${kind}` });
          line.style.left = `${(100 * time) / this.duration}%`;
          track.lanes.append(line);
        }
      }
    });
  }

  async toggle() {
    if (!this.ready) return;
    if (this.mixer.playing) {
      this.mixer.pause();
      if (this.video) this.video.pause();
    } else {
      await this.mixer.play();
      this.syncVideo(true);
      this.follow();
    }
    this.show();
  }

  toggleLoop() {
    this.mixer.loop = !this.mixer.loop;
    if (this.loopButton) this.loopButton.setAttribute('aria-pressed', String(this.mixer.loop));
  }

  select(index, remember = true) {
    if (!this.ready || !this.buffers[index]) return;
    this.mixer.select(index);
    if (remember) [this.wanted] = this.media.tracks[index].names;
    this.tracks.forEach((track, at) => {
      if (track.button) track.button.setAttribute('aria-pressed', String(at === index));
      track.node.classList.toggle('active', at === index);
    });
  }

  // The next track that has a sound, in either direction.
  step(direction) {
    if (!this.ready) return;
    const count = this.buffers.length;
    for (let away = 1; away <= count; away += 1) {
      const at = (this.mixer.active + direction * away + count * away) % count;
      if (this.buffers[at]) {
        this.select(at);
        return;
      }
    }
  }

  seek(position) {
    if (!this.ready) return;
    this.mixer.seek(position);
    this.syncVideo(true);
    this.show();
  }

  move(by) {
    this.seek(this.mixer.position + by);
  }

  syncVideo(exactly) {
    const { video, mixer } = this;
    if (!video || !video.duration) return;
    const at = Math.min(mixer.position, video.duration - 0.01);
    if (exactly || Math.abs(video.currentTime - at) > DRIFT) video.currentTime = at;
    if (mixer.playing && video.paused && mixer.position < video.duration - 0.05) {
      video.play().catch(() => {});
    }
    if (!mixer.playing && !video.paused) video.pause();
  }

  follow() {
    const { serial } = this;
    const frame = () => {
      if (serial !== this.serial) return;
      const before = this.mixer.position;
      this.mixer.tick();
      this.syncVideo(this.mixer.position < before);
      this.show();
      if (this.mixer.playing) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  show() {
    const { mixer } = this;
    if (!this.time) return;
    const position = mixer.position;
    const total = this.duration || 0;
    this.time.textContent = `${position.toFixed(2)} / ${total.toFixed(2)} s`;
    this.time.dataset.position = position.toFixed(3);
    const label = mixer.playing ? 'Pause' : 'Play';
    if (this.button.dataset.state !== label) {
      this.button.dataset.state = label;
      this.button.textContent = label;
    }
    const share = total ? position / total : 0;
    this.slider.value = Math.round(1000 * share);
    for (const track of this.tracks) {
      if (track.head) track.head.style.left = `${100 * share}%`;
    }
  }
}
