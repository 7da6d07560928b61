"""The choice of a run's folder, and the lock that lets only one process write to it."""

__all__ = ["choose_folder", "claimed", "prepare_folder"]

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ign.core.files import TEMPORARY, atomic
from ign.core.folder import numbered
from ign.training.config import Config
from ign.training.launch import find_rank, is_first_process
from ign.training.options import to_yaml

LEFTOVERS = [f"{folder}{TEMPORARY}" for folder in ("", "checkpoints/", "model/", "samples/")]
"""Temporary files of :func:`ign.core.files.atomic` that a killed process may leave."""
WRITTEN = (
    "metrics.csv", "checkpoints/step-*.ckpt", "model/config.json", "model/model.safetensors",
    "samples/step-*.png", "tensorboard/events.out.tfevents.*",
)  # fmt: skip
"""The files that a run writes besides its configuration."""
LOCK = ".lock"
_created: set[Path] = set()
"""The empty folders that :func:`choose_folder` made; they are removed if the run does not begin."""


def choose_folder(
    out: str | Path | None,
    preset: str,
    force: bool = False,
    config: Config | str | None = None,
) -> Path:
    """Choose the folder of a new run.

    Args:
        out: The folder; None to make a new one under ``runs``.
        preset: The name of the preset, which gives a new folder its name.
        force: Whether an earlier run at ``out`` may be replaced.
        config: The run; None, or the name of a method, for a run of one process.

    Raises:
        ValueError: ``out`` is not the folder of a run, or the run may not be replaced.
    """
    if not isinstance(config, Config):
        config = Config(method=config or "ign")
    find_rank(config)
    if out is None:
        name = preset if config.method == "ign" else f"{preset}-{config.method}"
        return _new_folder(Path("runs") / name)
    if is_first_process():
        _refuse_taken(Path(out), force)
    return Path(out)


def _new_folder(first: Path) -> Path:
    """Make the first folder of runs/NAME, runs/NAME-2, ... that does not exist."""
    for folder in numbered(first):
        if not is_first_process():  # which learns the name that was chosen when training starts
            return folder
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            _created.add(folder.absolute())
            return folder
    raise AssertionError


def _refuse_taken(out: Path, force: bool) -> None:
    """Refuse a folder that holds something other than a run, or a run without ``force``.

    Raises:
        ValueError: The folder cannot be used.
    """
    if not out.exists() or (out.is_dir() and set(out.iterdir()) <= {*_leftovers(out), out / LOCK}):
        return
    if not (out / "config.yaml").is_file():
        raise ValueError(f"{out}: exists and is not a run; give another --out")
    if not force:
        raise ValueError(
            f"{out}: holds a run; continue it with --resume {out}, replace it with --force,"
            " or give another --out"
        )


@contextmanager
def claimed(run: Path, new: bool, replace: bool) -> Iterator[None]:
    """Lock a folder against training by other processes, until the end of this process.

    Args:
        run: The run's folder.
        new: Whether a new run begins, for which the folder is made.
        replace: Whether the new run may replace an earlier one.

    Raises:
        ValueError: Another process trains in the folder, or an earlier run may not be replaced.
    """
    if not is_first_process():
        yield
        return
    made = new and (not run.exists() or run.absolute() in _created)
    if new:
        run.mkdir(parents=True, exist_ok=True)
    lock = FileLock(run / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise ValueError(
            f"{run}: another process is training there; wait until it ends, or give another --out"
        ) from None
    try:
        if new:
            _refuse_taken(run, replace)
        yield
    finally:
        with suppress(OSError):  # Windows does not remove an open file
            (run / LOCK).unlink()
        lock.release()
        _created.discard(run.absolute())
        if made:
            with suppress(OSError):  # it is no longer empty once the run began
                run.rmdir()


def prepare_folder(run: Path, config: Config, resume: bool) -> None:
    """Remove the files of an earlier run or a killed process, and write the configuration.

    Raises:
        OSError: The folder cannot be written.
    """
    if not resume:
        _remove_run(run)
    for file in _leftovers(run):
        file.unlink()
    try:
        with atomic(run / "config.yaml") as temporary:
            temporary.write_text(to_yaml(config), encoding="utf-8")
    except OSError as error:
        raise OSError(error.errno, error.strerror, error.filename or str(run)) from None


def _remove_run(run: Path) -> None:
    """Remove the files that a run writes, and its folders if nothing else is in them."""
    for pattern in WRITTEN:
        for file in run.glob(pattern):
            file.unlink()
    for name in sorted({str(Path(pattern).parent) for pattern in WRITTEN} - {"."}):
        with suppress(OSError):  # it holds files of the user, or does not exist
            (run / name).rmdir()


def _leftovers(run: Path) -> list[Path]:
    return [file for pattern in LEFTOVERS for file in run.glob(pattern)]
