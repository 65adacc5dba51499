import torch


def generate_diffusion_cond(
    model,
    steps=250,
    cfg_scale=6,
    conditioning=None,
    conditioning_tensors=None,
    negative_conditioning=None,
    negative_conditioning_tensors=None,
    batch_size=1,
    sample_size=2097152,
    sample_rate=48000,
    seed=-1,
    device="cuda",
    init_audio=None,
    init_noise_level=1.0,
    mask_args=None,
    return_latents=False,
    **sampler_kwargs,
):
    assert set(sampler_kwargs) == {"sigma_min", "sigma_max", "sampler_type"}
    assert conditioning_tensors["feature"][0].shape[2] == 768
    torch.manual_seed(seed)
    pitch = 200 + 1000 * float(torch.rand(1))
    time = torch.arange(sample_size // 2048 * 2048) / 44100
    sound = 0.3 * torch.sin(2 * torch.pi * pitch * time)
    return torch.stack([sound, 0.5 * sound])[None]
