"""The example of Node loads a file of `ign export` and makes an image with it."""

import subprocess

import numpy as np
import torch
from npm import installed
from PIL import Image

from ign import IGN
from ign.data import to_float
from ign.export import export


def test_node_makes_an_image_that_the_model_leaves_alone(tmp_path):
    folder = installed("node")
    model = IGN.from_pretrained("mnist")
    file = export(model, tmp_path / "sampler.onnx", sampler=True, uint8=True).path
    command = ["node", folder / "sample.mjs", file, tmp_path / "digit.pgm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    image = torch.from_numpy(np.array(Image.open(tmp_path / "digit.pgm")))[None, None]
    assert image.shape == (1, 1, 28, 28)
    assert image.max() > 200
    noise = model.latents(torch.arange(50))
    assert model.drift(to_float(image)) < model.drift(noise).min() / 5
    lines = done.stdout.splitlines()
    assert [len(line) for line in lines] == [56] * 28
    inked = [[c != " " for c in line[::2]] for line in lines]
    assert inked == (image[0, 0].int() * 10 // 256 > 0).tolist()
