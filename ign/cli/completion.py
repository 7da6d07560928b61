"""ign completion: scripts for the Tab key."""

__all__ = ["run"]

import argparse
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ign.cli import VERBS
from ign.cli.choices import DATA, packaged_models
from ign.cli.faults import OPTIONAL
from ign.cli.parser import Parser, parser_of

SHELLS = ("bash", "zsh", "fish")
KINDS = {
    "FILE": "file", "INPUT": "file", "RESULTS": "file", "FOLDER": "directory", "RUN": "directory",
    "MODEL": "model", "DATA": "data", "CLEAN": "data",
}  # fmt: skip
"""The completion of a value, by its name in the help."""


def run(words: Sequence[str]) -> None:
    """Print the script of a shell."""
    parser = Parser(
        prog="ign completion",
        description="Make the Tab key complete verbs, options, presets, packaged models and files."
        " Prints a script for the shell; save it once in a folder that the shell searches, and"
        " again after an update of ign.",
        epilog="bash, with the package bash-completion:\n"
        "  mkdir -p ~/.local/share/bash-completion/completions\n"
        "  ign completion bash > ~/.local/share/bash-completion/completions/ign\n\n"
        "zsh, with fpath=(~/.zfunc $fpath) before compinit in ~/.zshrc:\n"
        "  mkdir -p ~/.zfunc\n"
        "  ign completion zsh > ~/.zfunc/_ign\n\n"
        "fish:\n"
        "  ign completion fish > ~/.config/fish/completions/ign.fish\n\n"
        "example, for this shell alone:\n"
        "  source <(ign completion bash)",
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    options = parser.parse_args(words)
    import shtab

    print(shtab.complete(whole(), options.shell))


def whole() -> argparse.ArgumentParser:
    """Make one parser of all verbs, with the completion of each of their values."""
    top = argparse.ArgumentParser(prog="ign")
    top.add_argument("--version", action="store_true", help="show the version")
    verbs = top.add_subparsers(dest="verb")
    for name, what in VERBS.items():
        module = import_module(f"ign.cli.{name}")
        nested = getattr(module, "FUNCTIONS", None)
        if nested is None:
            _add(verbs, name, what, module.run)
            continue
        inner = verbs.add_parser(name, help=what).add_subparsers(dest="edit")
        for part, function in nested.items():
            _add(inner, part, module.VERBS[part], function)
    return top


def _add(verbs: Any, name: str, what: str, function: Any) -> None:
    """Add a verb with its options, or without them if a package that it needs is missing."""
    try:
        parents = [parser_of(function)]
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            raise
        parents = []
    made = verbs.add_parser(name, help=what, parents=parents, add_help=not parents)
    for action in made._actions:
        if isinstance(action.metavar, str) and action.metavar in KINDS and not action.choices:
            action.complete = _complete(KINDS[action.metavar])


def _complete(kind: str) -> dict[str, Any]:
    """Return the completion of a value of this kind for each shell."""
    import shtab

    names = {"model": packaged_models(), "data": DATA}.get(kind)
    if names is None:
        return dict({"file": shtab.FILE, "directory": shtab.DIRECTORY}[kind])
    words, function = " ".join(names), f"_ign_{kind}_or_files"
    return {
        "bash": function,
        "zsh": function,
        "fish": f"({function})",
        "preamble": {
            "bash": f'{function}() {{\n  compgen -W "{words}" -- "$1"\n  compgen -f -- "$1"\n}}\n',
            "zsh": f"{function}() {{\n  compadd {words}\n  _files\n}}\n",
            "fish": f"function {function}\n  printf '%s\\n' {words}\n"
            "  __fish_complete_path (commandline -ct)\nend\n",
        },
    }
