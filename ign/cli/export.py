"""ign export: a model as one file that runs without this library."""

__all__ = ["run"]

from collections.abc import Sequence
from pathlib import Path

from ign.cli.choices import EXPORT_FORMATS
from ign.cli.common import load_model, natural, new_file, parse, seed, verb
from ign.core import terminal


def run(words: Sequence[str]) -> None:
    """Write the file, check it against the model, and print their difference."""
    parser = verb(
        "export",
        "Write a model as one file that runs without this library. It computes f^k, the projection,"
        " or with --sampler the samples of given noise, for any batch size. It is run and"
        " compared with the model before it is saved. Its metadata describes input and output.",
        "examples:\n"
        "  ign export mnist --out mnist.onnx\n"
        "  ign export runs/mnist --sampler --uint8 --half --out sampler.onnx",
    )
    parser.add_argument(
        "--format", choices=tuple(EXPORT_FORMATS), default="onnx",
        help="onnx, or torch for a program of torch.export",
    )  # fmt: skip
    parser.add_argument(
        "--applications", "-k", type=natural, default=1, metavar="K",
        help="how often the network is applied; the size of the graph grows with K",
    )  # fmt: skip
    parser.add_argument(
        "--sampler", action="store_true",
        help="take standard normal noise and give samples, as `ign sample` does",
    )  # fmt: skip
    parser.add_argument(
        "--uint8", action="store_true",
        help="take and give bytes, (B, H, W, C), instead of (B, C, H, W) in [-1, 1]",
    )  # fmt: skip
    parser.add_argument(
        "--half", action="store_true", help="float16 weights: half the size, computed in float32"
    )
    parser.add_argument("--seed", type=seed, default=0, help="seed of the inputs of the check")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the file (default: MODEL.onnx or MODEL.pt2 in this folder)",
    )
    options = parse(parser, words, "force")
    name, suffix = Path(options.model).resolve().name, EXPORT_FORMATS[options.format]
    out = options.out or Path(name + "-sampler" * options.sampler + suffix)
    if out.suffix != suffix:
        raise ValueError(
            f"--out {out}: the name of a file of format {options.format} must end in {suffix}"
        )
    new_file(out, options.force)
    from ign.export import export

    model = load_model(options)
    with terminal.console.status("exporting and checking"):
        made = export(
            model, out, options.format, options.applications, options.sampler, options.uint8,
            options.half, options.seed, name,
        )  # fmt: skip
    terminal.echo(f"{made.metadata['computes']} in {out}, {out.stat().st_size / 1e6:.2f} MB")
    terminal.echo(f"  input   {made.metadata['input']}")
    terminal.echo(f"  output  {made.metadata['output']}")
    terminal.echo(f"largest difference from the model: {made.difference:.1e}")
    if options.half:
        terminal.echo(f"largest difference due to half precision: {made.rounding:.1e}")
