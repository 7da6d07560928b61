"""Videos that a player can open, whole or not at all."""

import subprocess

import numpy as np
import pytest
from PIL import Image, ImageSequence

from ign.view import video


def frames(count=6, size=(33, 24)):
    levels = [round(255 * i / (count - 1)) for i in range(count)]
    return [Image.new("RGB", size, (level, 128, 255 - level)) for level in levels]


def test_mp4_holds_every_frame(tmp_path):
    import imageio_ffmpeg

    path = video.write(frames(), tmp_path / "new" / "a.mp4", fps=10)
    reader = imageio_ffmpeg.read_frames(str(path))
    about = next(reader)
    assert about["size"] == (32, 24)
    assert about["fps"] == 10
    assert about["codec"] == "h264"
    found = [np.frombuffer(f, np.uint8).reshape(24, 32, 3).mean((0, 1)) for f in reader]
    wanted = [np.asarray(f).mean((0, 1)) for f in frames()]
    assert np.abs(np.array(found) - wanted).max() < 12
    assert list(path.parent.iterdir()) == [path]


def test_gif_holds_every_frame_and_never_ends(tmp_path):
    path = video.write([f.convert("L") for f in frames()], tmp_path / "a.gif", fps=20)
    with Image.open(path) as file:
        assert file.info["loop"] == 0
        assert file.info["duration"] == 50
        levels = [np.asarray(f.convert("L")).mean() for f in ImageSequence.Iterator(file)]
    assert np.allclose(levels, [np.asarray(f.convert("L")).mean() for f in frames()], atol=6)


@pytest.mark.parametrize(
    ("pictures", "name", "words"),
    [
        (frames(), "a.avi", "must be .mp4 or .gif"),
        ([], "a.gif", "needs frames"),
        ([*frames(2), *frames(2, (8, 8))], "a.mp4", "all of one size"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(tmp_path, pictures, name, words):
    with pytest.raises(ValueError, match=words):
        video.write(pictures, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_an_encoder_that_dies_leaves_what_was_there(tmp_path, monkeypatch):
    import imageio_ffmpeg

    path = video.write(frames(), tmp_path / "a.mp4")
    before = path.read_bytes()
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: "false")
    monkeypatch.setattr(imageio_ffmpeg._io, "get_ffmpeg_exe", lambda: "false", raising=False)
    with pytest.raises((OSError, subprocess.SubprocessError)):
        video.write(frames(200, (640, 480)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
