"""Fake: copies the video."""

import shutil
from pathlib import Path

import fake

if __name__ == "__main__":
    args = fake.arguments("script/data_preprocess/reencode_video.py")
    fake.begin("reencode")
    out = Path(args.output_dir)
    out.mkdir(parents=True, exist_ok=True)
    for line in Path(args.item_list_path).read_text().splitlines():
        video = Path(args.input_dir) / f"{line.strip()}.mp4"
        if video.exists() and not fake.skips("reencode", line.strip()):
            # The real one splits its ffmpeg command at spaces.
            assert " " not in f"{video}{out}"
            shutil.copyfile(video, out / video.name)
