"""Errors, names and places that nobody expects: one line, the right exit status, nothing raw."""

import csv
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

CODE = "from ign.cli import main; raise SystemExit(main())"
SEVERAL = """
import sys
from ign.cli import main
for words in " ".join(sys.argv[1:]).split(" + "):
    try:
        status = main(words.split(" "))
    except SystemExit as stop:
        status = stop.code
    print(status, file=sys.stderr)
"""
"""Several commands, between which a + stands; each status goes to standard error."""
HOSTILE = "\x1b[31m[bold] $|_\udcff=.png"


def process(*words, code=CODE, **env):
    """``ign WORDS`` as a process, with its bytes."""
    code = (
        "import warnings\nwarnings.simplefilter('ignore', EncodingWarning)\n"
        f"warnings.filterwarnings('error', '', EncodingWarning, r'ign\\b')\n{code}"
    )
    return subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-c", code, *map(os.fspath, words)],
        capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1", **env}, check=False,
    )  # fmt: skip


def raiser(error):
    def planted(*_, **__):
        raise error

    return planted


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("two\nlines \x1b[31m"), TypeError("t"), KeyError("k"), RecursionError("deep"),
        AttributeError("a"), AssertionError(), StopIteration(),
    ],
    ids=lambda e: type(e).__name__,
)  # fmt: skip
def test_an_unexpected_error_is_one_line_that_names_a_file(error, ign, monkeypatch, tmp_path):
    monkeypatch.setattr("ign.cli.info.run", raiser(error))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    status, out, err = ign("info", "x\x1b")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"ign info: {type(error).__name__}")
    assert "\x1b" not in err
    [file] = tmp_path.iterdir()
    assert str(file) in err
    text = file.read_text(encoding="utf-8")
    assert "Traceback" in text
    assert "raiser" in text or "planted" in text
    assert r"ign info x\x1b" in text


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried to"),
              RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")],
    ids=["python", "cuda", "cpu"],
)  # fmt: skip
def test_too_little_memory_says_what_to_do(error, ign, monkeypatch, tmp_path):
    monkeypatch.setattr("ign.cli.info.run", raiser(error))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    status, _, err = ign("info", "x")
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("ign info: out of memory; use a smaller --batch-size")


def test_a_traceback_that_cannot_be_saved_does_not_add_another(ign, monkeypatch):
    monkeypatch.setattr("ign.cli.info.run", raiser(KeyError("k")))
    monkeypatch.setattr("tempfile.mkstemp", raiser(OSError(28, "No space left on device")))
    assert ign("info", "x") == (
        1, "", "ign info: KeyError: 'k' (the details could not be saved: OSError)\n"
    )  # fmt: skip


@pytest.fixture
def hostile(tmp_path) -> Path:
    """A folder with an image whose name a terminal, rich or a spreadsheet would obey."""
    folder = tmp_path / "in\x1b[2J"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    for name in (HOSTILE, "=1+1.png", "@a.png", "-b.png", "ok.png", "x" * 251 + ".png"):
        Image.fromarray(pixels).save(folder / name, "PNG")
    (folder / "broken\x1b[1m.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def test_names_reach_the_terminal_and_the_table_escaped(ign, model, hostile, tmp_path):
    done = process("score", model, hostile, "--maps", tmp_path / "maps")
    assert (done.returncode, b"\x1b" in done.stdout + done.stderr) == (0, False), done.stderr
    names = [row["file"] for row in csv.DictReader(done.stdout.decode().splitlines())]
    assert sorted(names) == sorted(
        [r"\x1b[31m[bold] $|_\xff=.png", "'=1+1.png", "'@a.png", "'-b.png", "ok.png"]
        + ["x" * 251 + ".png"]
    )
    assert rb"broken\x1b[1m.png" in done.stderr
    status, out, err = ign("project", model, hostile, "--out", tmp_path / "out\x1b")
    assert (status, "\x1b" in out + err) == (0, False)
    names = {p.name for p in (tmp_path / "out\x1b").glob("[!.]*")}
    assert names >= {HOSTILE, "=1+1.png", "x" * 251 + ".png"}


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_terminal_of_another_encoding_gets_every_line(encoding, model, tmp_path):
    place = tmp_path / "é漢"
    place.symlink_to(model)
    words = ("info", place, "+", "info", tmp_path / "漢", "+", "--help")
    done = process(*words, code=SEVERAL, PYTHONIOENCODING=encoding)
    first, refusal, second, third = done.stderr.splitlines()
    assert (first, second, third) == (b"0", b"2", b"0")
    assert refusal.startswith(b"ign info: ")
    shown = {"ascii": "e?", "cp1252": "é?", "utf-8": "é漢"}[encoding]
    assert shown.encode(encoding) in done.stdout


def test_help_does_not_import_pytorch():
    for words in (
        ["--help"], ["sample", "--help"], ["edit", "inpaint", "--help"], ["sampel"],
        ["train", "--help"], ["train", "mnist", "--method=dcgan", "--print-config"],
        ["train", "mnist", "--stepz=3"],
    ):  # fmt: skip
        code = (
            "import sys\nfrom ign.cli import main\n"
            f"try: main({words})\nexcept SystemExit: pass\n"
            "print([name for name in ('torch', 'numpy', 'PIL', 'rich') if name in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "[]", words


def test_standard_output_that_is_full(model):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", CODE, "info", model], stdout=full, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "ign info: No space left on device\n")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("score", "MODEL", ""), "an INPUT is empty"),
        (("score", "", "whole"), "the name of the model is empty"),
        (("score", "MODEL", "fifo"), "neither a file nor a folder"),
        (("score", "MODEL", "/dev/zero"), "neither a file nor a folder"),
        (("project", "MODEL", "fifo"), "neither a file nor a folder"),
        (("edit", "inpaint", "MODEL", "whole", "--mask", "fifo"), "is not a file"),
        (("edit", "inpaint", "MODEL", "whole", "--mask", "whole"), "is not a file"),
        (("edit", "inpaint", "MODEL", "whole", "--mask", "black.png"), "covers nothing"),
        (("score", "MODEL", "whole", "--out", "fifo", "--force"), "is not a regular file"),
        (("score", "MODEL", "whole", "--out", "black.png/x.csv"), "Not a directory"),
        (("sample", "MODEL", "--out", "black.png/x"), "Not a directory"),
        (("sample", "MODEL", "--out", "x" * 300), "File name too long"),
        (("sample", "MODEL", "--out", "/proc/x"), "/proc/x: "),
        (("score", "MODEL", "whole", "--out", "/proc/x.csv"), "/proc/x.csv: "),
        (("sample", "MODEL", "-n", "9" * 30), "at most 2,147,483,647"),
        (("sample", "MODEL", "-n", "3000000000"), "at most 2,147,483,647"),
        (("project", "MODEL", "whole", "--tolerance", "nan"), "must be a finite number"),
        (("project", "MODEL", "whole", "--tolerance", "inf"), "must be a finite number"),
        (("edit", "arithmetic", "MODEL", "--strength", "nan"), "must be a finite number"),
        (("edit", "arithmetic", "MODEL", "--strength", "-inf"), "must be a finite number"),
        (("edit", "composite", "MODEL", "whole", "--size", "1", "1", "--at", "-1", "0"), "least 0"),
    ],
)  # fmt: skip
def test_odd_input_is_one_line_and_leaves_nothing(words, part, ign, model, whole, monkeypatch):
    folder = whole.parent
    monkeypatch.chdir(folder)
    Image.new("L", (8, 8)).save("black.png")
    os.mkfifo("fifo")
    before = sorted(folder.rglob("*"))
    status, out, err = ign(*(model if word == "MODEL" else word for word in words))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert part in err
    assert sorted(folder.rglob("*")) == before


def test_negative_numbers_are_values(ign, model, tmp_path):
    words = ("edit", "arithmetic", model, "--plus", 1, "--minus", 2, "--on", 0)
    for i, strength in enumerate(("-1e-1", "-.5", "-2")):
        assert ign(*words, "--strength", strength, "--out", tmp_path / str(i)).status == 0


def test_a_place_without_permission_is_reported_before_anything_is_computed(
    ign, model, tmp_path, monkeypatch
):
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.access(closed, os.W_OK):
        pytest.skip("this user may write everywhere")
    monkeypatch.setattr("ign.IGN.from_pretrained", raiser(AssertionError("computed first")))
    status, _, err = ign("sample", model, "--out", closed / "out")
    assert (status, err) == (2, f"ign sample: {closed / 'out'}: Permission denied\n")


@pytest.mark.parametrize(
    ("verb", "first", "second", "kept"),
    [
        (("sample",), ("-n", 3, "-k", 1, 2), ("-n", 1), {"f1/00000.png", "grid.png"}),
        (
            ("edit", "interpolate"), ("--steps", 4), ("--steps", 2),
            {"000.png", "001.png", "_sheet.png"},
        ),
    ],
)  # fmt: skip
def test_force_replaces_the_results_of_the_earlier_call_alone(
    verb, first, second, kept, ign, model, tmp_path
):
    out = tmp_path / "out"
    assert ign(*verb, model, *first, "--out", out).status == 0
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    assert ign(*verb, model, *second, "--out", out, "--force").status == 0
    found = {p.relative_to(out).as_posix() for p in out.rglob("*.*") if p.name[0] != "."}
    assert found == kept | {"mine.txt"}


def test_keep_changes_no_pixel_outside_the_hole_whatever_the_format(ign, model, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    (tmp_path / "in").mkdir()
    for name in ("a.jpg", "b.webp", "c.png"):
        Image.fromarray(pixels).save(tmp_path / "in" / name)
    words = ("edit", "inpaint", model, tmp_path / "in", "--hole", "half:right", "--keep")
    assert ign(*words, "--out", tmp_path / "out").status == 0
    for name in ("a.jpg", "b.webp", "c.png"):
        given = np.asarray(Image.open(tmp_path / "in" / name).convert("RGB"))
        found = np.asarray(Image.open((tmp_path / "out" / name).with_suffix(".png")))
        assert (found[:, :4] == given[:, :4]).all()
        assert (found[:, 4:] != given[:, 4:]).any()


@pytest.mark.parametrize("colour", [0, 128, 255], ids=["black", "gray", "white"])
def test_a_mask_painted_on_a_transparent_ground(colour, tmp_path):
    from ign.cli.mask import read_mask

    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[2:4, 5:7] = (colour, colour, colour, 255)
    Image.fromarray(pixels).save(tmp_path / "spot.png")
    wanted = torch.zeros(1, 8, 8, dtype=torch.bool)
    wanted[:, 2:4, 5:7] = True
    assert torch.equal(read_mask(str(tmp_path / "spot.png"), 8), wanted)
    pixels[..., 3] = 255  # opaque: bright is the hole, as without alpha
    pixels[0, 0, :3] = 255
    Image.fromarray(pixels).save(tmp_path / "opaque.png")
    wanted[:] = False
    wanted[:, 0, 0] = True
    wanted[:, 2:4, 5:7] = colour > 127
    assert torch.equal(read_mask(str(tmp_path / "opaque.png"), 8), wanted)


def test_a_line_says_that_images_were_converted(ign, models, whole, tmp_path):
    status, _, err = ign("project", models["gray"], whole, "--out", tmp_path / "out")
    assert status == 0
    assert err == (
        "note: 7 of 8 images were cropped, resized or converted to what the model takes"
        " (8x8, gray)\n"
    )
