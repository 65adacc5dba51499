// Sounds: decoding, waveforms, and spectrograms that are computed here from the samples.

const FLOOR_DB = -80;
const LOWEST = 60;

function bytesOf(uri) {
  const text = atob(uri.slice(uri.indexOf(',') + 1));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

// An AudioBuffer at the file's own rate. An offline context needs no gesture of the user.
async function decode(uri, rate) {
  const context = new OfflineAudioContext(1, 1, rate);
  return context.decodeAudioData(bytesOf(uri).buffer);
}

// In-place radix-2 FFT; the length is a power of two.
function fft(re, im) {
  const n = re.length;
  for (let at = 1, to = 0; at < n; at += 1) {
    let bit = n >> 1;
    for (; to & bit; bit >>= 1) to ^= bit;
    to ^= bit;
    if (at < to) {
      [re[at], re[to]] = [re[to], re[at]];
      [im[at], im[to]] = [im[to], im[at]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    const turn = (-2 * Math.PI) / size;
    for (let k = 0; k < half; k += 1) {
      const cos = Math.cos(turn * k);
      const sin = Math.sin(turn * k);
      for (let at = k; at < n; at += size) {
        const other = at + half;
        const x = re[other] * cos - im[other] * sin;
        const y = re[other] * sin + im[other] * cos;
        re[other] = re[at] - x;
        im[other] = im[at] - y;
        re[at] += x;
        im[at] += y;
      }
    }
  }
}

// Power in dB of a full-scale sine, `columns` frames over `duration` seconds, each of n / 2 bins.
function spectrogram(samples, rate, duration, columns) {
  const n = rate > 24000 ? 1024 : 512;
  const window = Float64Array.from({ length: n }, (_, at) =>
    0.5 - 0.5 * Math.cos((2 * Math.PI * at) / n));
  const full = (n / 4) ** 2;
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  return Array.from({ length: columns }, (_, column) => {
    const start = Math.round(((column + 0.5) / columns) * duration * rate) - n / 2;
    for (let at = 0; at < n; at += 1) re[at] = (samples[start + at] || 0) * window[at];
    im.fill(0);
    fft(re, im);
    return Float32Array.from({ length: n / 2 }, (_, bin) =>
      10 * Math.log10((re[bin] ** 2 + im[bin] ** 2) / full + 1e-12));
  });
}

// Colours from dark to bright by level: black, violet, red, orange, cream.
const STOPS = [[8, 7, 24], [66, 20, 104], [147, 38, 103], [221, 81, 58], [252, 165, 40], [252, 254, 190]];

const COLOURS = Array.from({ length: 256 }, (_, level) => {
  const place = (level / 255) * (STOPS.length - 1);
  const at = Math.min(Math.floor(place), STOPS.length - 2);
  return STOPS[at].map((from, part) => from + (STOPS[at + 1][part] - from) * (place - at));
});

// Row of a picture to frequency: mel spacing from LOWEST to `top` hertz.
const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);
const hertz = (value) => 700 * (10 ** (value / 2595) - 1);

function drawSpectrogram(canvas, buffer, duration, top, peak) {
  const { width, height } = canvas;
  const context = canvas.getContext('2d');
  const picture = context.createImageData(width, height);
  const frames = spectrogram(buffer.getChannelData(0), buffer.sampleRate, duration, width);
  const bins = frames[0].length;
  const binAt = (y) => {
    const frequency = hertz(mel(LOWEST) + (1 - y / height) * (mel(top) - mel(LOWEST)));
    return (frequency / (buffer.sampleRate / 2)) * bins;
  };
  for (let y = 0; y < height; y += 1) {
    // A row high up spans several bins, of which it shows the loudest; one low down is between two.
    const middle = binAt(y + 0.5);
    const between = Math.floor(middle);
    const first = Math.ceil(binAt(y + 1));
    const last = Math.min(Math.floor(binAt(y)), bins - 1);
    for (let x = 0; x < width; x += 1) {
      const frame = frames[x];
      let decibel = -Infinity;
      if (between + 1 < bins) {
        decibel = frame[between] + (frame[between + 1] - frame[between]) * (middle - between);
      }
      for (let bin = first; bin <= last; bin += 1) decibel = Math.max(decibel, frame[bin]);
      const level = Math.max(0, Math.min(255, Math.round(255 * (1 - (decibel - peak) / FLOOR_DB))));
      const at = 4 * (y * width + x);
      [picture.data[at], picture.data[at + 1], picture.data[at + 2]] = COLOURS[level];
      picture.data[at + 3] = 255;
    }
  }
  context.putImageData(picture, 0, 0);
}

// Lowest and highest sample of each column, in the canvas's own text colour.
function drawWaveform(canvas, buffer, duration, most) {
  const { width, height } = canvas;
  const context = canvas.getContext('2d');
  const samples = buffer.getChannelData(0);
  const step = (duration * buffer.sampleRate) / width;
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).color;
  for (let x = 0; x < width; x += 1) {
    let low = 0;
    let high = 0;
    for (let at = Math.round(x * step); at < Math.round((x + 1) * step); at += 1) {
      const sample = samples[at] || 0;
      if (sample < low) low = sample;
      if (sample > high) high = sample;
    }
    const scale = height / 2 / most;
    const top = height / 2 - high * scale;
    context.fillRect(x, top, 1, Math.max(1, (high - low) * scale));
  }
}

const peakOf = (buffer) =>
  buffer.getChannelData(0).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);

// All sounds of a clip on one clock: every one runs, one is heard, so that a switch loses nothing.
class Mixer {
  constructor() {
    this.context = null;
    this.buffers = [];
    this.duration = 0;
    this.active = 0;
    this.offset = 0;
    this.playing = false;
    this.zero = null; // Where the clock stood at position 0; null until the sound device is open.
    this.loop = false;
    this.onend = () => {};
  }

  load(buffers, duration) {
    this.pause();
    this.buffers = buffers;
    this.duration = duration;
    this.offset = 0;
  }

  get position() {
    if (this.zero === null) return this.offset;
    return Math.min(this.duration, Math.max(0, this.context.currentTime - this.zero));
  }

  async play() {
    if (this.playing) return;
    this.context = this.context || new AudioContext();
    this.playing = true;
    if (this.offset >= this.duration) this.offset = 0;
    await this.context.resume();
    if (this.playing && this.zero === null) this.start();
  }

  start() {
    const at = this.context.currentTime + 0.02;
    this.zero = at - this.offset;
    this.sources = this.buffers.map((buffer, index) => {
      if (!buffer) return null;
      const source = new AudioBufferSourceNode(this.context, { buffer });
      const gain = new GainNode(this.context, { gain: index === this.active ? 1 : 0 });
      source.connect(gain).connect(this.context.destination);
      if (this.offset < buffer.duration) source.start(at, this.offset);
      return { source, gain };
    });
  }

  stop() {
    for (const one of this.sources || []) {
      if (one) one.gain.disconnect();
    }
    this.sources = [];
    this.zero = null;
  }

  pause() {
    this.offset = this.position;
    this.playing = false;
    this.stop();
  }

  seek(position) {
    const to = Math.max(0, Math.min(this.duration, position));
    const runs = this.zero !== null;
    if (runs) this.stop();
    this.offset = to;
    if (runs) this.start();
  }

  select(index) {
    this.active = index;
    (this.sources || []).forEach((one, at) => {
      if (one) one.gain.gain.setTargetAtTime(at === index ? 1 : 0, this.context.currentTime, 0.008);
    });
  }

  // To be called often while it plays.
  tick() {
    if (!this.playing || this.position < this.duration) return;
    if (this.loop) {
      this.seek(0);
      return;
    }
    this.pause();
    this.onend();
  }
}
