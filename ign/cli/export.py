"""ign export: a model as one file that runs without this library."""

__all__ = ["run"]

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from ign.cli.choices import EXPORT_FORMATS
from ign.cli.common import is_inspector_name, load_model, natural, new_file, parse, seed, verb
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
        "  ign export runs/mnist --sampler --uint8 --half --out sampler.onnx\n"
        "  ign export runs/parts --what score --out parts.onnx",
    )
    parser.add_argument(
        "--what", choices=("project", "score"), default="project",
        help="project, f^k or with --sampler its samples; or score, for models of train inspect:"
        " images of any size as bytes in; score, map and flag out",
    )  # fmt: skip
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
    if options.what == "score":
        _check_score(options)
    name, suffix = Path(options.model).resolve().name, EXPORT_FORMATS[options.format]
    out = options.out or Path(name + "-sampler" * options.sampler + suffix)
    if out.suffix != suffix:
        raise ValueError(
            f"--out {out}: the name of a file of format {options.format} must end in {suffix}"
        )
    new_file(out, options.force)
    if options.what == "score":
        _export_score(options, out, name)
        return
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


def _check_score(options: Namespace) -> None:
    """Check that the options fit --what score.

    Raises:
        ValueError: An option does not apply, or the model does not score parts.
    """
    for name, default in (("format", "onnx"), ("applications", 1), ("sampler", False),
                          ("uint8", False), ("half", False)):  # fmt: skip
        if getattr(options, name) != default:
            raise ValueError(f"--{name}: does not apply to --what score; leave it out")
    if not is_inspector_name(options.model):
        raise ValueError(
            f"--what score: {options.model} is not a model of train inspect; leave --what out"
        )


def _export_score(options: Namespace, out: Path, name: str) -> None:
    from ign.export.inspector import export_inspector
    from ign.inspection import load_inspector

    inspector = load_inspector(options.model)
    with terminal.console.status("exporting and checking"):
        made = export_inspector(inspector, out, name)
    terminal.echo(f"{made.metadata['computes']} in {out}, {out.stat().st_size / 1e6:.2f} MB")
    terminal.echo(f"  input   {made.metadata['input']}")
    terminal.echo(f"  output  {made.metadata['output']}")
    terminal.echo(f"largest relative difference from the model: {made.difference:.1e}")
