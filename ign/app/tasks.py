"""What the tabs of the page do, from pictures and numbers to HTML; a test calls it as it is."""

__all__ = ["Tasks"]

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL.Image import Resampling
from torch import Tensor

from ign import anomaly, degrade, edit
from ign.app.ground import Ground, prepare
from ign.app.intake import drawn, each, square, to_tensor
from ign.app.real import make_real
from ign.app.tiles import Tile, address, download, note, table, tiles
from ign.model import IGN
from ign.view import pictures

SIDE = 280
"""The least side of a canvas in pixels; it is a multiple of the model's."""
Board = Mapping[str, Any]


class Tasks:
    """The tabs' work on one model; nothing of a visitor stays in it.

    Args:
        model: The model; its images must be square, gray or of three channels.

    Raises:
        ValueError: Its images have another form.
    """

    def __init__(self, model: IGN):
        channels, height, width = model.shape
        if channels not in (1, 3) or height != width:
            raise ValueError(
                f"the model's images are {model.shape}; the page shows square ones of 1 or 3"
                " channels"
            )
        self.model, self.size, self.gray = model, height, channels == 1
        self.side = height * -(-SIDE // height)
        self.ground = Ground.of(model)

    def look(self, file: str) -> dict[str, str]:
        """An uploaded picture as it lies on the canvas: cropped to a square, resized."""
        return {"picture": address(square(file, self.side, self.gray))}

    def seen(self, board: Board | None, turn: str, fit: bool) -> tuple[Tensor, list[str]]:
        """What the network sees of a canvas, (1, C, H, W), and what was done to it."""
        picture = drawn((board or {}).get("picture"), self.side, self.gray)
        image, told = prepare(picture, self.size, self.ground, turn, fit)
        return image[None], told

    def generate(self, seed: int, count: int, k: int) -> str:
        """The first samples of a seed, and a link that saves them as one picture."""
        images = self.model.sample(count, k, seed).cpu()
        shown = tiles(
            [Tile(one, str(i), f"sample {i} of seed {seed}") for i, one in enumerate(images)],
            "small", f"{count} samples of seed {seed}",
        )  # fmt: skip
        name = f"samples-seed{seed}-k{k}.png"
        return shown + download(f"Save as {name}", name, pictures.grid(images))

    def real(
        self,
        board: Board | None,
        freedom: float,
        spoil: Sequence[degrade.Degradation],
        turn: str = "automatic",
        fit: bool = True,
        seed: int = 0,
    ) -> str:
        """A picture, what went into the network, f, f(f), and where it was moved."""
        x, told = self.seen(board, turn, fit)
        if spoil:
            x = degrade.Compose(spoil)(x, seed)
        made = make_real(self.model, x, freedom, seed=seed)
        images = [
            Tile(x[0], "Seen, x" if freedom else "Seen, y", "What the network sees"),
            *[Tile(made.given[0], "With noise, y")] * (freedom > 0),
            Tile(made.once[0], "f(y)", "The projection, f of y"),
            Tile(made.twice[0], "f(f(y))", "Projected once more, f of f of y"),
            Tile(
                pictures.heat(made.changed)[0],
                "Changed",
                "Map of what f changed, from black for nothing to yellow",
            ),
        ]
        again = (made.twice - made.once).abs().mean().item()
        told.append(
            f"f changed the picture by {made.changed.mean().item():.3f} a pixel,"
            f" f once more by {again:.3f}; black to white is 2."
        )
        return tiles(images, "wide", "The picture and what the network makes of it") + note(*told)

    def sample_board(self, seed: int, number: int) -> dict[str, str]:
        """A sample as it lies on the canvas."""
        z = self.model.latents(torch.tensor([number]), seed)
        image = self.model.trajectory(z, [2], noise=True)[0][0]
        return self._board(image)

    def seen_board(self, file: str) -> dict[str, str]:
        """An uploaded picture on the canvas as the network sees it."""
        picture = square(file, self.side, self.gray)
        image, _ = prepare(picture, self.size, self.ground)
        return self._board(image)

    def _board(self, image: Tensor) -> dict[str, str]:
        """An image on a canvas, each of its pixels a square."""
        picture = pictures.to_picture(image)
        return {"picture": address(picture.resize((self.side,) * 2, Resampling.NEAREST))}

    def paint(self, board: Board | None, seed: int, count: int, k: int, keep: bool) -> str:
        """Variations of what lies under the mask of a canvas."""
        x, _ = self.seen(board, "never", False)
        mask = self._mask((board or {}).get("mask"))
        images = x.expand(count, -1, -1, -1)
        found = edit.inpaint(self.model, images, mask, k, seed, keep).cpu()
        hole = torch.where(mask, torch.tensor(0.0), x[0])
        shown = [Tile(x[0], "Before"), Tile(hole, "What is painted")]
        shown += [Tile(one, f"Variation {i + 1}") for i, one in enumerate(found)]
        name = f"variations-seed{seed}.png"
        return tiles(shown, "", "Variations") + download(
            f"Save as {name}", name, pictures.grid(torch.cat([x, found]))
        )

    def _mask(self, address: str | None) -> Tensor:
        """The pixels of which the brush covers at least half, (H, W)."""
        if not address:
            raise ValueError("nothing is masked yet: brush over what shall be painted")
        picture = drawn(address, self.side, True)
        return to_tensor(picture.resize((self.size,) * 2, Resampling.BOX))[0] >= 0

    def between(self, seed: int, start: int, end: int, t: float, k: int, method: str) -> str:
        """The sample at t on the way from one to another, large, and the way in eight steps."""
        a, b = self.model.latents(torch.tensor([start, end]), seed)[:, None]
        z = edit.between(a, b, torch.tensor([0.0, t, 1.0]), method)[0]
        first, here, last = self.model.trajectory(z, [k], noise=True)[0].cpu()
        way = edit.interpolate(self.model, a, b, 8, k, method)[0].cpu()
        three = [
            Tile(first, f"Sample {start}"), Tile(here, f"t = {t:.2f}"), Tile(last, f"Sample {end}")
        ]  # fmt: skip
        steps = [Tile(one, "", f"Step {i + 1} of 8") for i, one in enumerate(way)]
        return tiles(three, "wide", "Between two samples") + tiles(steps, "strip", "The way")

    def add(
        self, seed: int, base: int, plus: int, minus: int, strength: float, k: int
    ) -> str:  # fmt: skip
        """A sample with the difference of two others added to its noise."""
        z = self.model.latents(torch.tensor([base, plus, minus]), seed)
        own = self.model.trajectory(z, [k], noise=True)[0].cpu()
        found = edit.arithmetic(self.model, z[:1], z[1], z[2], k, strength)[0].cpu()
        names = (f"Sample {base}", f"+ sample {plus}", f"\N{MINUS SIGN} sample {minus}")
        shown = [Tile(one, name) for one, name in zip(own, names, strict=True)]
        return tiles([*shown, Tile(found, f"= at strength {strength:g}")], "wide", "Arithmetic")

    def score(self, files: Sequence[str], kind: str) -> str:
        """A table of scores with heat maps, the highest first, and a link that saves it."""
        read = list(each(files, self.size, self.gray))
        good = [(one.name, one.image) for one in read if one.image is not None]
        bad = [f"{one.name}: {one.reason}" for one in read if one.image is None]
        if not good:
            raise ValueError("; ".join(bad[:3]) or "no pictures there")
        images = torch.stack([image for _, image in good])
        scores, moved, once = (x.cpu() for x in self.model.analyze(images, kind))
        heat = pictures.heat(moved)
        told = anomaly.table_rows(scores, kind, self.model.calibration)
        rows = [(name, *words) for (name, _), words in zip(good, told, strict=True)]
        order = scores.argsort(descending=True).tolist()
        shown: list[tuple[str | Tensor, ...]] = [
            (rows[i][0], images[i], once[i], heat[i], *rows[i][1:]) for i in order
        ]
        text = io.StringIO()
        csv.writer(text).writerows([anomaly.COLUMNS, *rows])
        plain = "" if self.model.calibration else "Percentiles and flags come with ign calibrate."
        skipped = f"{len(bad)} cannot be read: {'; '.join(bad[:5])}" if bad else ""
        columns = ["File", "Picture", "f(y)", "Where", "Score", "Percentile", "Flag"]
        if self.model.calibration is None:
            columns, shown = columns[:5], [row[:5] for row in shown]
        return (
            note(f"{len(good)} scored, the highest first.", plain)
            + note(skipped, kind="bad")
            + download("Save as scores.csv", "scores.csv", text.getvalue().encode(), "text/csv")
            + table(columns, shown, "Scores")
        )
