"""Fake: noise from one seed a process; the package is found from the working directory."""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path.cwd().parent / "Frieren"))
import fake

if __name__ == "__main__":
    args = fake.arguments("script/generate_mel_cfm_cfg_scale.py")
    fake.begin("mels")
    assert Path.cwd().name == "script"
    assert Path(args.ldm).is_file()
    stated = [line.strip() for line in Path(args.config).read_text().splitlines()]
    vae = next(line for line in stated if line.startswith("ckpt_path:")).split('"')[1]
    assert Path(vae).is_file()
    rng = np.random.default_rng(21)
    out = Path(args.out_dir) / f"CFG{args.scale}_{args.solver}_{args.timesteps}"
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(args.cavp_feature).glob("*.npz")):
        name = path.stem
        last = out / f"Y{name}_{args.sample_num - 1}.npy"
        if last.exists() or fake.skips("mels", name):
            continue
        windows = np.load(path)["feat"].shape[0] // 32
        if windows:
            for sample, noise in enumerate(rng.uniform(size=(args.sample_num, 80, 1))):
                np.save(out / f"Y{name}_{sample}.npy", np.repeat(noise, 512 * windows, axis=1))
