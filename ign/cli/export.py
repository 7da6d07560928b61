"""ign export: a model as one file that runs without this library."""

__all__ = ["run"]

from collections.abc import Sequence
from pathlib import Path

from ign.cli.common import fresh_file, load_model, natural, parse, seed, verb
from ign.core.terminal import console
from ign.export import FORMATS, export


def run(words: Sequence[str]) -> None:
    """Write the file, checked against the model, and say how far apart they are."""
    parser = verb(
        "export",
        "Write a model as one file that runs without this library. It computes f^k, the projection,"
        " or with --sampler the way from noise to samples, for any batch size. It is run and"
        " compared with the model before it gets its name. What it takes and gives is in its"
        " metadata.",
        "examples:\n"
        "  ign export mnist --out mnist.onnx\n"
        "  ign export runs/mnist --sampler --uint8 --half --out sampler.onnx",
    )
    parser.add_argument(
        "--format", choices=tuple(FORMATS), default="onnx",
        help="onnx, or torch: a program of torch.export",
    )  # fmt: skip
    parser.add_argument(
        "--applications", "-k", type=natural, default=1, metavar="K",
        help="how often the network is applied; the graph grows with it",
    )  # fmt: skip
    parser.add_argument(
        "--sampler", action="store_true",
        help="standard normal noise in, samples out, as `ign sample` makes them",
    )  # fmt: skip
    parser.add_argument(
        "--uint8", action="store_true",
        help="images go in and out as bytes, (B, H, W, C), not as (B, C, H, W) in [-1, 1]",
    )  # fmt: skip
    parser.add_argument(
        "--half", action="store_true", help="float16 weights: half the size, computed in float32"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the inputs of the check")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the file (default: MODEL.onnx or MODEL.pt2 in this folder)",
    )
    options = parse(parser, words, "force")
    name, suffix = Path(options.model).resolve().name, FORMATS[options.format].suffix
    out = options.out or Path(name + "-sampler" * options.sampler + suffix)
    if out.suffix != suffix:
        raise ValueError(f"--out {out}: a file of format {options.format} ends in {suffix}")
    fresh_file(out, options.force)
    model = load_model(options)
    with console.status("exporting and checking"):
        made = export(
            model, out, options.format, options.applications, options.sampler, options.uint8,
            options.half, options.seed, name,
        )  # fmt: skip
    print(f"{made.metadata['computes']} in {out}, {out.stat().st_size / 1e6:.2f} MB")
    print(f"  input   {made.metadata['input']}")
    print(f"  output  {made.metadata['output']}")
    print(f"largest difference from the model: {made.difference:.1e}")
    if options.half:
        print(f"largest difference that half precision makes: {made.rounding:.1e}")
