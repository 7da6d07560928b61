"""The computations of the tabs, from pictures and numbers to HTML, without gradio."""

__all__ = ["Tasks"]

import io
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL.Image import Resampling
from torch import Tensor

from ign import anomaly, degrade, edit
from ign.app.background import Background, preprocess
from ign.app.limit import limited
from ign.app.markup import Tile, data_url, download, note, table, tiles
from ign.app.reading import decode_canvas, read_each, read_square, to_tensor
from ign.app.real import make_real
from ign.core.table import write_csv
from ign.model import IGN
from ign.view import pictures

SIDE = 280
"""The minimum side of a canvas in pixels; it is a multiple of the side of the images."""
Canvas = Mapping[str, Any]


class Tasks:
    """The computations of the tabs with one model; no state of a visitor is stored.

    Args:
        model: The model. Its images must be square and have one or three channels.

    Raises:
        ValueError: The images of the model have another form.
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
        self.background = Background.of(model)

    def load(self, file: str) -> dict[str, str]:
        """Crop an uploaded picture to a square and resize it for the canvas."""
        return {
            "picture": data_url(
                read_square(file, self.side, self.gray, levels=self.model.value_range)
            )
        }

    def preprocess(self, canvas: Canvas | None, turn: str, fit: bool) -> tuple[Tensor, list[str]]:
        """The network's input from a canvas, (1, C, H, W), and messages about what was changed."""
        picture = decode_canvas(_part(canvas, "picture"), self.side, self.gray)
        image, messages = preprocess(picture, self.size, self.background, turn, fit)
        return image[None], messages

    @limited
    def generate(self, seed: int, count: int, k: int) -> str:
        """Show the first samples of a seed, and a link that saves them as one picture."""
        images = self.model.sample(count, k, seed).cpu()
        shown = tiles(
            [Tile(one, str(i), f"sample {i} of seed {seed}") for i, one in enumerate(images)],
            "small", f"{count} samples of seed {seed}",
        )  # fmt: skip
        name = f"samples-seed{seed}-k{k}.png"
        return shown + download(f"Save as {name}", name, pictures.grid(images))

    @limited
    def real(
        self,
        canvas: Canvas | None,
        freedom: float,
        spoil: Sequence[degrade.Degradation],
        turn: str = "automatic",
        fit: bool = True,
        seed: int = 0,
    ) -> str:
        """Show a picture, the network's input, f, f(f), and a map of the change."""
        x, messages = self.preprocess(canvas, turn, fit)
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
        messages.append(
            f"f changed each pixel by {made.changed.mean().item():.3f} on average, and the second"
            f" application by {again:.3f}; from black to white is 2."
        )
        return tiles(images, "wide", "The picture and the outputs of the network") + note(*messages)

    @limited
    def load_sample(self, seed: int, number: int) -> dict[str, str]:
        """Return a sample for the canvas."""
        z = self.model.latents(torch.tensor([number]), seed)
        image = self.model.trajectory(z, [2], noise=True)[0][0]
        return self._enlarged(image)

    def load_preprocessed(self, file: str) -> dict[str, str]:
        """Show an uploaded picture on the canvas, preprocessed for the network."""
        picture = read_square(file, self.side, self.gray, levels=self.model.value_range)
        image, _ = preprocess(picture, self.size, self.background)
        return self._enlarged(image)

    def _enlarged(self, image: Tensor) -> dict[str, str]:
        """Enlarge an image for a canvas, with a square for each pixel."""
        picture = pictures.to_picture(image)
        return {"picture": data_url(picture.resize((self.side,) * 2, Resampling.NEAREST))}

    @limited
    def paint(self, canvas: Canvas | None, seed: int, count: int, k: int, keep: bool) -> str:
        """Generate variations of the masked part of a canvas."""
        x, _ = self.preprocess(canvas, "never", False)
        mask = self._mask(_part(canvas, "mask"))
        images = x.expand(count, -1, -1, -1)
        found = edit.inpaint(self.model, images, mask, k, seed, keep).cpu()
        hole = torch.where(mask, torch.tensor(0.0), x[0])
        shown = [Tile(x[0], "Before"), Tile(hole, "What is painted")]
        shown += [Tile(one, f"Variation {i + 1}") for i, one in enumerate(found)]
        name = f"variations-seed{seed}.png"
        return tiles(shown, "", "Variations") + download(
            f"Save as {name}", name, pictures.grid(torch.cat([x, found]))
        )

    def _mask(self, address: object) -> Tensor:
        """Return a mask of the pixels that the brush covers by at least half, (H, W)."""
        if not address:
            raise ValueError("nothing is masked yet: brush over the part to paint")
        picture = decode_canvas(address, self.side, True)
        return to_tensor(picture.resize((self.size,) * 2, Resampling.BOX))[0] >= 0

    @limited
    def between(self, seed: int, start: int, end: int, t: float, k: int, method: str) -> str:
        """Show the interpolation between two samples at t, and in eight steps."""
        a, b = self.model.latents(torch.tensor([start, end]), seed)[:, None]
        z = edit.between(a, b, torch.tensor([0.0, t, 1.0]), method)[0]
        first, here, last = self.model.trajectory(z, [k], noise=True)[0].cpu()
        way = edit.interpolate(self.model, a, b, 8, k, method)[0].cpu()
        three = [
            Tile(first, f"Sample {start}"), Tile(here, f"t = {t:.2f}"), Tile(last, f"Sample {end}")
        ]  # fmt: skip
        steps = [Tile(one, "", f"Step {i + 1} of 8") for i, one in enumerate(way)]
        return tiles(three, "wide", "Between two samples") + tiles(
            steps, "strip", "The interpolation in eight steps"
        )

    @limited
    def add(
        self, seed: int, base: int, plus: int, minus: int, strength: float, k: int
    ) -> str:  # fmt: skip
        """Show a sample to whose noise the difference of two other samples' noise is added."""
        z = self.model.latents(torch.tensor([base, plus, minus]), seed)
        own = self.model.trajectory(z, [k], noise=True)[0].cpu()
        found = edit.arithmetic(self.model, z[:1], z[1], z[2], k, strength)[0].cpu()
        names = (f"Sample {base}", f"+ sample {plus}", f"\N{MINUS SIGN} sample {minus}")
        shown = [Tile(one, name) for one, name in zip(own, names, strict=True)]
        return tiles([*shown, Tile(found, f"= at strength {strength:g}")], "wide", "Arithmetic")

    @limited
    def score(self, files: Sequence[str], kind: str) -> str:
        """Show a table of scores with heat maps, highest first, and a link that saves it as CSV."""
        read = list(read_each(files, self.size, self.gray, self.model.value_range))
        good = [(one.name, one.image) for one in read if one.image is not None]
        bad = [f"{one.name}: {one.reason}" for one in read if one.image is None]
        if not good:
            raise ValueError("; ".join(bad[:3]) or "there are no pictures to score")
        images = torch.stack([image for _, image in good])
        scores, moved, once = (x.cpu() for x in self.model.analyze(images, kind))
        heat = pictures.heat(moved)
        words = anomaly.table_rows(scores, kind, self.model.calibration)
        rows = [(name, *cells) for (name, _), cells in zip(good, words, strict=True)]
        order = scores.argsort(descending=True).tolist()
        flagged = {n for n, i in enumerate(order) if rows[i][3] == "1"}
        shown: list[tuple[str | Tensor, ...]] = [
            (rows[i][0], images[i], once[i], heat[i], *rows[i][1:3], "flagged" * (n in flagged))
            for n, i in enumerate(order)
        ]
        text = io.StringIO()
        write_csv(text, [anomaly.COLUMNS, *rows])
        plain = "" if self.model.calibration else "Percentiles and flags come with ign calibrate."
        skipped = f"{len(bad)} cannot be read: {'; '.join(bad[:5])}" if bad else ""
        columns = ["File", "Picture", "f(y)", "Where", "Score", "Percentile", "Flag"]
        if self.model.calibration is None:
            columns, shown = columns[:5], [row[:5] for row in shown]
        return (
            note(f"{len(good)} scored, the highest first.", plain)
            + note(skipped, kind="bad")
            + download("Save as scores.csv", "scores.csv", text.getvalue().encode(), "text/csv")
            + table(columns, shown, "Scores", flagged)
        )


def _part(canvas: Any, name: str) -> Any:
    """Return a part of a canvas, whose content is untrusted."""
    return canvas.get(name) if isinstance(canvas, Mapping) else None
