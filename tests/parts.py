"""Small generated parts: textures with a gradient, and blobs as defects, in MVTec AD's layout."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

SIDES = (72, 96)
"""Height and width of an image of a part."""


def texture(seed: int, sides: tuple[int, int] = SIDES) -> np.ndarray:
    """A good part, (H, W) uint8."""
    drawn = np.random.default_rng(seed)
    y, x = np.mgrid[: sides[0], : sides[1]]
    waves = 12 * np.sin(x / 3 + drawn.uniform(0, 6)) + 30 * y / sides[0]
    return (100 + waves + drawn.normal(0, 6, sides)).clip(0, 255).astype(np.uint8)


def damaged(seed: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """A part with a defect and its mask, (H, W) uint8 each."""
    drawn, part = np.random.default_rng(seed + 10_000), texture(seed)
    mask = np.zeros(part.shape, np.uint8)
    top, left = drawn.integers(8, part.shape[0] - 24), drawn.integers(8, part.shape[1] - 24)
    if kind == "hole":
        mask[top : top + 12, left : left + 12] = 255
        part[mask > 0] = 10
    else:
        for i in range(16):
            mask[top + i, left + i : left + i + 3] = 255
        part[mask > 0] = 250
    return part, mask


def write_layout(root: Path, train: int = 30, good: int = 20, bad: int = 6) -> Path:
    """Write a layout with the defects hole and line."""
    for i in range(train):
        save(texture(i), root / "train/good" / f"{i:03}.png")
    for i in range(good):
        save(texture(1000 + i), root / "test/good" / f"{i:03}.png")
    for kind in ("hole", "line"):
        for i in range(bad):
            part, mask = damaged(2000 + i, kind)
            save(part, root / "test" / kind / f"{i:03}.png")
            save(mask, root / "ground_truth" / kind / f"{i:03}_mask.png")
    return root


def save(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def zipped(root: Path, path: Path) -> Path:
    """The folder as a zip, with its own name as the first folder."""
    made = shutil.make_archive(str(path.with_suffix("")), "zip", root.parent, root.name)
    return Path(made)
