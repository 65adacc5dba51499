import json
import os
import time
from pathlib import Path

import av
import clip
import torch


class Conditioner(torch.nn.Module):
    """Takes {"feature": [paths]}; 22 rows of features a second."""

    def forward(self, batch_metadata, device):
        config = json.loads(Path("./stable_audio_tools/configs/model_config_vl30.json").read_text())
        clip.load("ViT-L/14", device=device, download_root=os.environ["FAKE_CLIP"])
        rows = []
        for path in batch_metadata["feature"]:
            mood = json.loads(os.environ.get("FAKE_MOOD", "{}"))
            name = Path(path).name
            if mood.get("fail_at") == name:
                raise RuntimeError("torch.cat(): expected a non-empty list of Tensors")
            if mood.get("die_at") == name:
                os._exit(11)
            if mood.get("hang_at") == name:
                hangs = Path(os.environ["FAKE_CALLS"]).with_name("hangs.txt")
                hangs.write_text(f"{os.getpid()}\n")
                time.sleep(3600)
            with av.open(path) as container:
                seconds = container.duration / av.time_base
            rows.append(torch.zeros(int(seconds * 22), 768))
        assert config["sample_rate"] == 44100
        return {"feature": [torch.stack(rows), torch.ones(len(rows), len(rows[0]))]}
