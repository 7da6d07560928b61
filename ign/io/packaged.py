"""Finding a model: a path, the name of a packaged model, or an id on the Hub."""

__all__ = ["CONFIG", "PACKAGED", "WEIGHTS", "ModelError", "locate", "packaged"]

from pathlib import Path
from typing import Any

from ign.core.errors import ModelError
from ign.io import hub
from ign.io.config import CONFIG, WEIGHTS

PACKAGED = Path(__file__).parents[1] / "models"


def locate(name: str | Path, revision: str | None = None, **options: Any) -> Path:
    """Find the folder of a model, which is downloaded from the Hub if it is not on this computer.

    Args:
        name: A path, a packaged name, ``owner/name`` or ``owner/name@revision``.
        revision: A branch, tag or commit on the Hub; None for the main branch.
        **options: As in :func:`ign.io.hub.download`.

    Raises:
        ModelError: No model has that name, or a revision is given for one that is not on the Hub.
    """
    path = Path(name)
    there = path.exists()
    if there or (PACKAGED / str(name) / CONFIG).is_file():
        if revision is not None:
            raise ModelError(f"model {str(name)!r}: is not on the Hub and has no revisions")
        if not there:
            return PACKAGED / str(name)
        for folder in (path, path / "model"):
            if (folder / CONFIG).is_file():
                return folder
        raise ModelError(
            f"{path}: there is no {CONFIG} there or in {path / 'model'}; give a model or a run"
        )
    if found := hub.parse_name(str(name)):
        repo_id, named = found
        try:
            return hub.download(repo_id, (CONFIG, WEIGHTS), revision or named, **options)
        except hub.HubError as error:
            raise ModelError(f"model {str(name)!r}: no such path, and {error}") from None
    raise ModelError(
        f"model {str(name)!r}: no such path; packaged models: {', '.join(packaged()) or 'none'};"
        " or give owner/name for the Hub"
    )


def packaged() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(p.parent.name for p in PACKAGED.glob(f"*/{CONFIG}"))
