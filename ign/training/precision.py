"""The precision of a run."""

__all__ = ["describe_computation", "device_of", "native_bfloat16", "precision_of"]

import torch

from ign.training.config import Config, TrainerConfig


def device_of(accelerator: str) -> str:
    """The kind of device that Lightning uses for an accelerator: cpu, cuda or mps."""
    if accelerator != "auto":
        return accelerator
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def native_bfloat16(device: str) -> bool:
    """Whether a kind of device computes with bfloat16 natively, without float32."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    checks = (
        getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile")
    )
    return device == "cpu" and any(supported() for supported in checks if supported)


def precision_of(trainer: TrainerConfig) -> str:
    """The precision ``32`` or ``bf16-mixed`` of a setting, which may be ``auto``.

    ``auto`` is bfloat16 autocast if :func:`native_bfloat16` is true. FSDP always uses single
    precision, because its own mixed precision also rounds norms and their statistics.
    """
    if trainer.precision != "auto":
        return trainer.precision
    native = native_bfloat16(device_of(trainer.accelerator))
    return "bf16-mixed" if native and "fsdp" not in trainer.strategy else "32"


def describe_computation(config: Config) -> str:
    """Describe the computation of a run in one line."""
    names = {"32": "float32", "bf16-mixed": "bfloat16 autocast"}
    trainer = config.trainer
    means = [names[precision_of(trainer)]]
    means += [] if trainer.strategy == "fsdp" else ["channels-last"]  # shards are contiguous
    means += ["fused Adam"]
    means += ["compiled objective"] if config.compile else []
    return f"on {device_of(trainer.accelerator)}: {', '.join(means)}"
