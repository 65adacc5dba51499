"""Fake: a sine whose pitch is the first bin; skips what is there."""

import sys
from pathlib import Path

import numpy as np
import soundfile as sf

sys.path.append(str(Path.cwd().parent / "Frieren"))
import fake

if __name__ == "__main__":
    args = fake.arguments("script/mel2wav_vocoder.py")
    fake.begin("vocoder")
    assert not args.root.endswith("/")
    for name in ("best_netG.pt", "args.yml"):
        assert (Path(args.vocoder_path) / name).is_file()
    target = Path(f"{args.root}gen_wav_16k_80")
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(args.root).glob("*.npy")):
        stem = path.stem
        wav = target / f"{stem}.wav"
        if wav.exists() or fake.skips("vocoder", stem[1:].rpartition("_")[0]):
            continue
        mel = np.load(path)
        time = np.arange(mel.shape[1] * 256) / 16000
        sound = 0.1 * np.sin(2 * np.pi * (200 + 1000 * mel[0, 0]) * time)
        sf.write(wav, sound, fake.mood("vocoder").get("rate", 16000))
