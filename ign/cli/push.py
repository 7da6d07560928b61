"""ign push: upload a model to the Hub, with a card."""

__all__ = ["run"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ign.cli.choices import SPLITS
from ign.cli.common import load_model, new_folder, parse, verb
from ign.core.terminal import echo


def run(words: Sequence[str]) -> None:
    """Upload the model, or with --dry-run write the files without uploading them."""
    parser = verb(
        "push",
        "Upload a model to the Hugging Face Hub, with a model card. One commit holds"
        " model.safetensors, config.json, README.md (the card) and its pictures. Log in first:"
        " `hf auth login`, or set HF_TOKEN. With --dry-run nothing is sent: the folder that would"
        " be uploaded is written to OUT.",
        "examples:\n"
        "  ign push runs/mnist me/mnist --dry-run --out pushed\n"
        "  ign push runs/mnist me/mnist --data mnist --results evaluation --private",
    )
    parser.add_argument("name", metavar="OWNER/NAME", help="name of the repository on the Hub")
    parser.add_argument("--private", action="store_true", help="create a new repository as private")
    parser.add_argument(
        "--revision", metavar="BRANCH", help="the branch, created if it is missing (default: main)"
    )
    parser.add_argument(
        "--message",
        metavar="TEXT",
        default="Push model using ign",
        help="message of the commit",
    )
    parser.add_argument(
        "--results", metavar="RESULTS", help="results.json of `ign evaluate`, or its folder"
    )
    parser.add_argument(
        "--data", metavar="DATA",
        help="held-out images for the card's projections: a named data set, a folder or a zip"
        " (default: the model's own samples)",
    )  # fmt: skip
    parser.add_argument("--split", choices=SPLITS, default="test", help="part of the data")
    parser.add_argument(
        "--licence", "--license", metavar="ID",
        help="licence of the weights, as the Hub names it, such as mit (default: the licence of"
        " the data if it is known)",
    )  # fmt: skip
    parser.add_argument("--card", metavar="FILE", help="a README.md of your own to use as the card")
    parser.add_argument("--dry-run", action="store_true", help="write to OUT and send nothing")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("pushed"),
        metavar="FOLDER",
        help="folder for --dry-run",
    )
    options = parse(parser, words, "force")
    from ign.data.terms import terms_of
    from ign.evaluate import card
    from ign.io.hub import parse_name

    if (parse_name(options.name) or ("", "none"))[1] is not None:
        raise ValueError(f"{options.name}: give OWNER/NAME, and the branch with --revision")
    out = new_folder(options.out, options.force) if options.dry_run else None
    model = load_model(options)
    about: dict[str, Any] = {
        "results": options.results,
        "run": card.run_of(options.model),
        "licence": options.licence,
        "readme": options.card,
    }
    if options.data:
        about |= card.held_out(options.data, options.split, model)
    if out:
        model.save_pretrained(out)
        echo(f"look at {card.write(model, out, name=options.name, **about)}; nothing was sent")
    else:
        address = model.push_to_hub(
            options.name, commit_message=options.message, private=options.private or None,
            branch=options.revision, model_card_kwargs=about,
        )  # fmt: skip
        echo(f"pushed: {address}")
    if (
        not options.card
        and not options.licence
        and terms_of(str(model.about.get("data", ""))).licence == "unknown"
    ):
        echo("the card names no licence: choose one with --licence, or in your own --card")
