"""What the package promises of trouble, and how each promise is tried."""

__all__ = ["FORGED", "PROMISES", "Promise"]

from typing import NamedTuple


class Promise(NamedTuple):
    """A row of docs/reliability.md.

    Args:
        text: The promise.
        tried: What the tests try.
        unit: What is counted.
    """

    text: str
    tried: str
    unit: str


PROMISES = {
    "kills": Promise(
        "A training run that is killed at any moment goes on to the bits of one that is not.",
        "`kill -9` at random moments, at each file operation in the run's folder, and in the middle"
        " of a file; then `ign train --resume`, or the command that its message names",
        "kills",
    ),
    "races": Promise(
        "Commands that run at the same time do not mix their results.",
        "two runs with one `--out`, two runs without `--out`, two that resume one run",
        "pairs of commands",
    ),
    "disks": Promise(
        "A full disk ends a command with one line, and what was there before stays whole.",
        "train, sample, project, edit, score, calibrate, export and push, each with files that"
        " cannot grow beyond a size; train and sample on a full file system; score and info with a"
        " full standard output",
        "full disks",
    ),
    "names": Promise(
        "Images and folders of any name are used, and their names are safe on a terminal, in a"
        " table and on a page.",
        "control characters, line feeds, bytes that are not UTF-8, leading dashes and tildes,"
        " markup, quotes, formulas, emoji, marks of writing direction, names of 255 bytes; with"
        " score, project, edit, calibrate, train, push, info and sample",
        "names",
    ),
    "images": Promise(
        "An image that cannot be read is named, and the others are used.",
        "random, cut and bit-flipped files of nine formats, and images of 900 million pixels",
        "hostile files",
    ),
    "zips": Promise(
        "No zip writes a file, fills the memory or ends in a traceback.",
        "cut and bit-flipped zips, members that leave the folder (`../`, absolute, backslashes),"
        " links, bombs, wrong sizes, unknown compression, 5,000-digit names",
        "hostile files",
    ),
    "models": Promise(
        "A model's files are refused in one line, or are a model that works.",
        "`config.json` with any value at any place, deep nesting, numbers of 400 digits; weights"
        " that are cut, bit-flipped, NaN, infinite, huge, boolean, integer, complex or float8",
        "hostile files",
    ),
    "records": Promise(
        "Damaged records of a run or an evaluation are refused in one line.",
        "`config.yaml`, `metrics.csv`, checkpoints, `results.json`, idx files and a `README.md`:"
        " random, cut, bit-flipped, deeply nested, with wrong values",
        "hostile files",
    ),
    "special": Promise(
        "What is no regular file is refused at once.",
        "folders, named pipes, endless devices, links that lead nowhere and empty files, in each"
        " place that takes a file",
        "hostile files",
    ),
    "configs": Promise(
        "Any configuration and any option is taken, or refused in one line.",
        "YAML of any structure for `ign train --config`, and any value for any option of each verb",
        "configurations",
    ),
    "environments": Promise(
        "Commands work, or say in one line what is wrong, in an odd environment.",
        "no `HOME`, `RANK=3`, `SLURM_NTASKS=4`, `LANG=C`, ASCII and cp1252 output, a working folder"
        " that cannot be written, no `TMPDIR`, a closed pipe",
        "environments",
    ),
    "forged": Promise(
        "The page in the browser answers nobody but its visitor, and only what it asked for.",
        "forged paths, tokens, hosts, origins, bodies and jobs against a running `ign app`",
        "forged requests",
    ),
}

FORGED = "tests/app/test_attacks.py"
"""Each test case of this file is one forged request, or more."""
