"""Fake: as many frames of features as 10 s of the video have at 4 fps; skips what is there."""

from pathlib import Path

import av
import fake
import numpy as np

if __name__ == "__main__":
    args = fake.arguments("script/data_preprocess/extract_cavp_feature.py")
    fake.begin("features")
    assert Path(args.cavp_config_path).is_file()
    assert Path(args.cavp_ckpt_path).is_file()
    out = Path(args.output_dir)
    out.mkdir(parents=True, exist_ok=True)
    for line in Path(args.item_list_path).read_text().splitlines():
        video = Path(args.video_path) / f"{line.strip()}.mp4"
        target = out / f"{line.strip()}.npz"
        if not video.exists() or target.exists() or fake.skips("features", line.strip()):
            continue
        with av.open(str(video)) as container:
            seconds = container.duration / av.time_base
        frames = int(min(10, seconds) * 4)
        np.savez(target, feat=np.zeros((frames, 512), np.float32))
