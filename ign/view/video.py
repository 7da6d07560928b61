"""Write frames as a video, atomically."""

__all__ = ["FORMATS", "write"]

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ign.core.files import atomic

FORMATS = (".mp4", ".gif")
"""The suffixes of the supported video formats."""


def write(frames: Sequence[Image.Image], path: str | Path, fps: int = 15) -> Path:
    """Write pictures of one size as a video: H.264 in MP4, or an endless GIF.

    MP4 is written by ffmpeg, which the extra ``figures`` installs, and loses an odd last row or
    column.

    Args:
        frames: The pictures, in order.
        path: Ends in ``.mp4`` or ``.gif``.
        fps: Frames a second.

    Returns:
        The path.

    Raises:
        ValueError: No frames, frames of different sizes, or another suffix.
        OSError: It cannot be written.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(f"video {path}: its suffix must be {' or '.join(FORMATS)}")
    if not frames or len({frame.size for frame in frames}) > 1:
        raise ValueError(f"video {path}: needs frames, all of one size")
    with atomic(path) as file:
        (_mp4 if path.suffix == ".mp4" else _gif)(frames, file, fps)
    return path


def _gif(frames: Sequence[Image.Image], file: Path, fps: int) -> None:
    first, *rest = (frame.convert("RGB") for frame in frames)
    first.save(
        file, "GIF", save_all=True, append_images=rest, duration=round(1000 / fps), loop=0,
        optimize=True,
    )  # fmt: skip


def _mp4(frames: Sequence[Image.Image], file: Path, fps: int) -> None:
    from imageio_ffmpeg import write_frames

    width, height = (n - n % 2 for n in frames[0].size)
    stream = write_frames(
        str(file), (width, height), fps=fps, codec="libx264", quality=None,
        macro_block_size=2, output_params=["-crf", "20", "-movflags", "+faststart"],
        ffmpeg_log_level="error",
    )  # fmt: skip
    stream.send(None)
    try:
        for frame in frames:
            stream.send(frame.convert("RGB").crop((0, 0, width, height)).tobytes())
    finally:
        stream.close()
    if not file.stat().st_size:
        raise OSError(f"{file.name}: ffmpeg wrote nothing; is the disk full?")
