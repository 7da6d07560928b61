"""Similarity of images: PSNR and SSIM."""

from torch import Tensor


def psnr(a: Tensor, b: Tensor) -> float:
    """Compute the mean PSNR, 10 log10(4 / mean squared error) in dB; a is clamped to [-1, 1]."""
    error = (a.clamp(-1, 1) - b).square().flatten(1).mean(1).clamp(min=1e-10)
    return (10 * (4 / error).log10()).mean().item()


def ssim(a: Tensor, b: Tensor) -> float:
    """Compute the mean structural similarity; a is clamped to [-1, 1]."""
    from torchmetrics.functional.image import structural_similarity_index_measure

    return structural_similarity_index_measure(a.clamp(-1, 1), b, data_range=2.0).item()
