"""A second device, pretended: tensors on it hold real numbers and do not mix with those on the CPU.

Inside :func:`second_device`, ``.to(ELSEWHERE)`` moves a tensor to the pretended device. Work on it
is done by the CPU's kernels, so results are those of the CPU bit for bit; an operation that is
given tensors of both places raises, as it does on a GPU, and so does one on a GPU that is given the
CPU's generator. As on a GPU, tensors of no dimension go with both, and ``numpy`` needs ``cpu()``.

PyTorch's device ``meta`` lends its name: it is in every build, and the code under test has no use
for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

ELSEWHERE = "meta"
CPU = torch.device("cpu")


class Moved(torch.Tensor):
    """A tensor on the pretended device; ``near`` holds its numbers on the CPU."""

    near: torch.Tensor

    @staticmethod
    def __new__(cls, near):
        # A view of a normal tensor is a normal tensor in inference mode too.
        with torch.inference_mode(near.is_inference()):
            made = torch.Tensor._make_wrapper_subclass(
                cls,
                near.shape,
                strides=near.stride(),
                storage_offset=near.storage_offset(),
                dtype=near.dtype,
                device=ELSEWHERE,
            )
        made.near = near
        return made

    def __repr__(self):
        return f"Moved({self.near})"

    def __reduce_ex__(self, protocol):
        return self.near.__reduce_ex__(protocol)

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return _run(operation, args, kwargs or {})


class _Dispatch(TorchDispatchMode):
    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return _run(operation, args, kwargs or {})


def _run(operation, args, kwargs):
    given = tree_leaves((args, kwargs))
    tensors = [value for value in given if isinstance(value, torch.Tensor)]
    moved = [value for value in tensors if isinstance(value, Moved)]
    near = [value for value in tensors if not isinstance(value, Moved)]
    if any(value.is_meta for value in near):
        raise RuntimeError(
            f"{operation} is given a tensor without numbers; make it with .to(device)"
        )
    copies = operation.overloadpacket is torch.ops.aten.copy_
    if moved and any(value.dim() for value in near) and not copies:
        raise RuntimeError(f"{operation} is given tensors on two devices")
    named = [value for value in given if isinstance(value, torch.device)]
    stays = named[0].type != ELSEWHERE if named else not moved
    generators = [value for value in given if isinstance(value, torch.Generator)]
    if generators and not stays:
        raise RuntimeError(f"{operation} is given a generator of the CPU on another device")
    args, kwargs = tree_map_only(torch.device, lambda _: CPU, (args, kwargs))
    held = tree_map_only(Moved, lambda value: value.near, (args, kwargs))
    done = operation(*held[0], **held[1])
    if operation._schema.is_mutable and operation._schema.name.endswith("_"):
        return args[0] if operation._schema.returns else None
    return done if stays else tree_map_only(torch.Tensor, Moved, done)


@contextmanager
def second_device() -> Iterator[None]:
    """Within it ``ELSEWHERE`` is a device with real numbers."""
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        with _Dispatch():
            yield
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)


def near(value):
    """The numbers of a tensor that has to be on the second device."""
    assert isinstance(value, Moved), type(value)
    return value.near
