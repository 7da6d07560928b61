"""ign edit."""

import numpy as np
import pytest
import torch
from PIL import Image

from ign import IGN, edit
from ign.core.random import keys
from ign.data import read_image, to_float
from ign.degrade import RectangleMask
from ign.view.pictures import to_picture

NAMES = {
    "__sheet.png", "a-2.png", "a.png", "b.png", "c.png", "gray.png", "nested/a.png",
    "nested/clear.png", "_sheet.png",
}  # fmt: skip


def names(folder) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("[!.]*.*")}


def pixels(path):
    return np.asarray(Image.open(path), int)


def shown(image):
    return np.asarray(to_picture(image), int)


def image(path, size=8):
    return to_float(torch.tensor(read_image(path, size=size, gray=False)))[None]


def test_a_mask_of_another_size_than_an_image_is_said(ign, model, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    (tmp_path / "in").mkdir()
    for name, part in (("a.png", pixels), ("b.png", pixels[:8]), ("m.png", pixels[..., 0])):
        Image.fromarray(part).save(tmp_path / ("in" if name != "m.png" else ".") / name)
    (tmp_path / "in" / "broken.png").write_bytes(b"")
    words = ("edit", "inpaint", model, tmp_path / "in", "--mask", tmp_path / "m.png")
    said = ign(*words, "--out", tmp_path / "out").err
    assert f"note: 1 of 2 images have another size than --mask {tmp_path / 'm.png'} (16x16)" in said
    (tmp_path / "in" / "b.png").unlink()
    assert "another size" not in ign(*words, "--out", tmp_path / "out", "--force").err


def test_inpainting_with_a_mask_from_a_file(ign, model, whole, tmp_path):
    mask = np.zeros((16, 16), np.uint8)
    mask[:, 8:] = 200
    Image.fromarray(mask).save(tmp_path / "mask.png")
    words = ("edit", "inpaint", model, whole, "--mask", tmp_path / "mask.png", "--seed", 3)
    assert ign(*words, "--out", tmp_path / "out").status == 0
    assert names(tmp_path / "out") == NAMES
    right = torch.zeros(8, 8, dtype=torch.bool)
    right[:, 4:] = True
    wanted = edit.inpaint(IGN.from_pretrained(model), image(whole / "a.gif"), right, 1, 3, start=1)
    assert np.abs(pixels(tmp_path / "out" / "a-2.png") - shown(wanted[0])).max() <= 1


def test_variations_keep_what_is_outside_and_differ_inside(ign, model, whole, tmp_path):
    words = ("edit", "inpaint", model, whole, "--hole", "rectangle:0.3", "--keep", "-k", 2)
    assert ign(*words, "--variations", 2, "--out", tmp_path / "out").status == 0
    assert ign(*words, "--batch-size", 3, "--out", tmp_path / "one").status == 0
    first, second = (pixels(tmp_path / "out" / f"gray-{i}.png") for i in (1, 2))
    hole = RectangleMask(0.3).holes((8, 8), keys(0, "degrade", 0, torch.tensor([5])))[0, 0].numpy()
    source = shown(image(whole / "gray.png")[0])
    assert (first[~hole] == source[~hole]).all()
    assert (first[hole] != second[hole]).any()
    assert np.abs(first - pixels(tmp_path / "one" / "gray.png")).max() <= 1, "in any batch"


def test_compositing(ign, model, whole, tmp_path):
    words = ("edit", "composite", model, whole / "a.png", "--at", 2, 3, "--size", 4, 5)
    assert ign(*words, "--out", tmp_path / "out").status == 0
    m = IGN.from_pretrained(model)
    patch = m.latents(torch.tensor([0]))[0, :, :4, :5]
    wanted = edit.composite(m, image(whole / "a.png"), patch, 2, 3)
    assert np.abs(pixels(tmp_path / "out" / "a.png") - shown(wanted[0])).max() <= 1


def test_interpolation_passes_its_samples_and_is_a_video_on_request(ign, model, tmp_path):
    words = ("edit", "interpolate", model, "--samples", 4, 0, 2, "--steps", 3, "--seed", 1)
    video = ("--video", "mp4", "gif")
    status, _, err = ign(*words, *video, "--out", tmp_path / "out")
    assert (status, err) == (0, "")
    numbers = {f"{i:03d}.png" for i in range(5)}
    assert names(tmp_path / "out") == numbers | {"_sheet.png", "video.mp4", "video.gif"}
    samples = IGN.from_pretrained(model).sample(5, seed=1)
    for place, number in ((0, 4), (2, 0), (4, 2)):
        found = pixels(tmp_path / "out" / f"{place:03d}.png")
        assert np.abs(found - shown(samples[number])).max() <= 1
    assert Image.open(tmp_path / "out" / "video.gif").n_frames == 5
    assert ign(*words, "--out", tmp_path / "out").status == 2
    assert ign(*words, "--out", tmp_path / "plain").status == 0
    assert names(tmp_path / "plain") == numbers | {"_sheet.png"}


def test_arithmetic_by_number_and_by_measure(ign, model, tmp_path):
    words = ("edit", "arithmetic", model, "--on", 0, 5, "--seed", 2)
    status, *_ = ign(*words, "--plus", 1, 2, "--minus", 3, "--out", tmp_path / "a")
    assert status == 0
    m = IGN.from_pretrained(model)
    z = m.latents(torch.tensor([0, 5, 1, 2, 3]), 2)
    wanted = edit.arithmetic(m, z[:2], (z[2] + z[3]) / 2, z[4])
    assert names(tmp_path / "a") == {"00000.png", "00005.png", "_sheet.png"}
    assert np.abs(pixels(tmp_path / "a" / "00005.png") - shown(wanted[1])).max() <= 1
    for strength, folder in ((2, "bright"), (-2, "dark")):
        done = ign(
            *words, "--attribute", "brightness", f"--strength={strength}", "--out",
            tmp_path / folder,
        )  # fmt: skip
        assert done.status == 0
    for name in ("00000.png", "00005.png"):
        bright, dark = (pixels(tmp_path / f / name).mean() for f in ("bright", "dark"))
        assert bright > dark
    done = ign(*words, "--attribute", "faces:Smiling", "--out", tmp_path / "c")
    assert done.status == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "required: VERB"),
        (("paint",), "invalid choice: 'paint' (choose from 'inpaint', 'composite',"),
        (("inpaint", "MODEL", "a.png"), "one of the arguments --mask --hole is required"),
        (("inpaint", "MODEL", "a.png", "--hole", "gray"), "is not a mask; choose half, rectangle"),
        (("inpaint", "MODEL", "a.png", "--mask", "m.png"), "'m.png' cannot be read"),
        (("inpaint", "MODEL", "a.png", "--mask", "black.png"), "the mask covers nothing"),
        (("inpaint", "MODEL", "nothing.png", "--hole", "half"), "no such file"),
        (("composite", "MODEL", "a.png"), "required: --size"),
        (("composite", "MODEL", "a.png", "--size", "9", "2"), "this model's images are 8x8"),
        (("composite", "MODEL", "a.png", "--size", "4", "2", "--at", "5", "0"), "are not inside"),
        (("interpolate", "MODEL", "--samples", "1"), "give at least two --samples"),
        (("interpolate", "MODEL", "--steps", "1"), "--steps of at least 2"),
        (("interpolate", "MODEL", "--samples", "0", "-1"), "at least 0"),
        (("interpolate", "MODEL", "--video", "avi"), "invalid choice: 'avi'"),
        (("arithmetic", "MODEL"), "give --plus and --minus, or --attribute"),
        (("arithmetic", "MODEL", "--plus", "1"), "give --plus and --minus"),
        (("arithmetic", "MODEL", "--attribute", "mnist:ten"), "mnist knows 0, 1, 2"),
        (("arithmetic", "MODEL", "--attribute", "hair:red"), "choose faces, mnist"),
        (("arithmetic", "MODEL", "--plus", "1", "--minus", "-1"), "at least 0"),
    ],
)
def test_mistakes_are_told_in_one_line_and_leave_nothing(
    ign, model, whole, monkeypatch, words, told
):
    monkeypatch.chdir(whole)
    Image.new("L", (8, 8)).save("black.png")
    before = names(whole)
    status, out, err = ign("edit", *(model if word == "MODEL" else word for word in words))
    assert (status, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1
    assert names(whole) == before


def test_help_names_the_verbs(ign, capsys):
    with pytest.raises(SystemExit):
        ign("edit", "--help")
    text = capsys.readouterr().out
    for verb in ("inpaint", "composite", "interpolate", "arithmetic"):
        assert verb in text
    assert max(map(len, text.splitlines())) <= 80
