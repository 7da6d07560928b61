"""Images to disk in a stream: whole files, and memory that does not grow with their number."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ign.core.files import atomic
from ign.data import to_uint8
from ign.view.stream import array_file, picture_files


def images(n: int) -> torch.Tensor:
    return torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(n)) * 2 - 1


def test_array_is_what_came(tmp_path):
    x = images(7)
    with array_file(tmp_path / "a.npy", (7, 3, 8, 8)) as put:
        put(x[:4])
        assert not (tmp_path / "a.npy").exists()
        put(x[4:])
    assert np.array_equal(np.load(tmp_path / "a.npy"), to_uint8(x).numpy())
    assert [p.name for p in tmp_path.iterdir()] == ["a.npy"]


@pytest.mark.parametrize("x", [images(6), images(8), torch.zeros(7, 1, 8, 8)])
def test_array_of_other_images_is_no_file(x, tmp_path):
    with (
        pytest.raises(ValueError, match=r"were due|in a file of"),
        array_file(tmp_path / "a.npy", (7, 3, 8, 8)) as put,
    ):
        put(x)
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_what_came_however_many_wait(tmp_path, monkeypatch):
    monkeypatch.setattr("ign.view.stream.AHEAD", 3)
    x = images(20)
    with picture_files() as put:
        for start in (0, 10):
            put(x[start : start + 10], [tmp_path / f"{start + i}.png" for i in range(10)])
    for i in range(20):
        found = np.asarray(Image.open(tmp_path / f"{i}.png")).transpose(2, 0, 1)
        assert np.array_equal(found, to_uint8(x[i]).numpy())
    assert len(list(tmp_path.iterdir())) == 20


def test_picture_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(OSError), picture_files() as put:  # noqa: PT011
        put(images(2), [tmp_path / "file" / "0.png", tmp_path / "1.png"])
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("durable", [True, False])
def test_file_gets_the_permissions_of_any_other(durable, tmp_path):
    with atomic(tmp_path / "a.txt", durable) as path:
        path.write_text("words", encoding="utf-8")
    (tmp_path / "b.txt").write_text("words", encoding="utf-8")
    modes = [os.stat(tmp_path / name).st_mode for name in ("a.txt", "b.txt")]
    assert modes[0] == modes[1]


PEAK = """
import sys
from pathlib import Path
from ign.cli import main
assert main(sys.argv[2:]) == 0
lines = Path("/proc/self/status").read_text().splitlines()
Path(sys.argv[1]).write_text(next(x.split()[1] for x in lines if x.startswith("VmHWM")))
"""


def peak(folder: Path, *words: object) -> float:
    """The peak memory of ``ign WORDS`` in a process of its own, in MiB."""
    command = [sys.executable, "-c", PEAK, folder / "peak", *words]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([str(w) for w in command], check=True, env=env, stdout=subprocess.DEVNULL)
    return int((folder / "peak").read_text(encoding="utf-8")) / 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize("how", ["pictures", "array", "project"])
def test_memory_does_not_grow_with_the_number(how, large, tmp_path):
    """Kept, the 12,000 images more would take 140 MiB as bytes, 560 as numbers; the allocator's own
    ups and downs are about 40."""
    found = []
    for n in (2000, 14000):
        out = tmp_path / str(n)
        words = ["sample", large, "-n", n, "--out", out, "--batch-size", 250]
        if how == "project":
            folder = tmp_path / f"in{n}"
            folder.mkdir()
            for i in range(n):
                os.link(large.parent / "one.png", folder / f"{i}.png")
            words = ["project", large, folder, "--out", out, "--batch-size", 250]
        found.append(peak(tmp_path, *words, *(["--array"] if how == "array" else [])))
        written = list(out.rglob("*.npy")) if how == "array" else list(out.rglob("[0-9]*.png"))
        assert len(written) == (1 if how == "array" else n)
    assert found[1] < found[0] + 80


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A model of 64x64 pixels of few maps, and a picture beside it."""
    from ign import IGN
    from ign.nn import DCGANAutoencoder
    from ign.noise import GaussianNoise

    folder = tmp_path_factory.mktemp("large")
    Image.new("RGB", (64, 64), "red").save(folder / "one.png")
    model = IGN(DCGANAutoencoder(3, 64, 2, "role"), GaussianNoise((3, 64, 64)))
    return model.save_pretrained(folder / "model")
