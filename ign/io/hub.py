"""Models on the Hugging Face Hub: downloaded into its cache and pushed, by huggingface_hub."""

__all__ = ["HubError", "download", "parse_name", "upload"]

import errno
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NAME = re.compile(r"([\w-][\w.-]*/[\w-][\w.-]*)(?:@(\S+))?")

UNUSABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EEXIST)
"""The errors of a cache folder that cannot be created or written to."""


class HubError(ValueError):
    """A request to the Hub failed; the message names the cause and the remedy in one line."""


def parse_name(text: str) -> tuple[str, str | None] | None:
    """``owner/name`` or ``owner/name@revision`` as its two parts; None for anything else."""
    found = NAME.fullmatch(text)
    return (found[1], found[2]) if found else None


def download(
    repo_id: str, files: Sequence[str], revision: str | None = None, **options: Any
) -> Path:
    """Download files of one commit into the Hub's cache, unless they are there already.

    Args:
        repo_id: ``owner/name``.
        files: The names of the files; nothing else is downloaded.
        revision: A branch, tag or commit; None for the main branch.
        **options: ``cache_dir``, ``token``, ``local_files_only``, ``force_download``, as in
            ``huggingface_hub.snapshot_download``.

    Returns:
        The folder of the commit in the cache.

    Raises:
        HubError: The files cannot be downloaded.
    """
    from huggingface_hub import HfApi, constants, snapshot_download

    cache = str(options.get("cache_dir") or constants.HF_HUB_CACHE)
    if cache.startswith("~"):
        raise HubError(f"there is no home folder for its cache {cache}; set HOME or HF_HOME")
    try:
        if options.get("force_download"):  # without a network, the client would use the cache
            HfApi(token=options.get("token")).model_info(repo_id, revision=revision)
        folder = Path(
            snapshot_download(repo_id, revision=revision, allow_patterns=list(files), **options)
        )
    except Exception as error:  # the client raises many kinds, all of them final here
        raise HubError(_reason(error, repo_id, revision, options)) from None
    for name in files:
        if not (folder / name).is_file():
            raise HubError(
                f"{constants.ENDPOINT}/{repo_id} has no {name}, so it is not a model of ign"
            )
    return folder


def upload(
    folder: Path,
    repo_id: str,
    message: str,
    private: bool | None = None,
    token: str | bool | None = None,
    branch: str | None = None,
    create_pr: bool | None = None,
) -> str:
    """Push every file of a folder in one commit; the repository is created if it does not exist.

    Args:
        folder: The folder, which holds files only.
        repo_id: ``owner/name``.
        message: The commit's message.
        private: Whether a new repository is private; None for the owner's default.
        token: The user's token; None for the one of ``hf auth login`` or ``HF_TOKEN``.
        branch: The branch, which is created if it does not exist; None for the main branch.
        create_pr: Whether to open a pull request instead.

    Returns:
        The address of the commit.

    Raises:
        HubError: The Hub cannot be reached or refuses, or ``private`` is set and the repository is
            public.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(token=token, library_name="ign")
    try:
        repo_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        if private and api.model_info(repo_id).private is False:
            raise HubError("it exists and is public; leave out private, or choose another name")
        if branch and not create_pr:
            api.create_branch(repo_id, branch=branch, exist_ok=True)
        files = [CommitOperationAdd(path.name, path) for path in sorted(folder.iterdir())]
        done = api.create_commit(
            repo_id, files, commit_message=message, revision=branch, create_pr=create_pr
        )
    except HubError:
        raise
    except Exception as error:
        raise HubError(_reason(error, repo_id, branch, {"token": token})) from None
    return str(done.pr_url or done.commit_url)


def _reason(error: Exception, repo_id: str, revision: str | None, options: dict[str, Any]) -> str:
    """The cause of an error of the client, and its remedy."""
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/{repo_id}"
    cached = options.get("cache_dir") or constants.HF_HUB_CACHE
    local = isinstance(error, errors.LocalEntryNotFoundError)
    if local and options.get("local_files_only"):
        return f"it is not in the cache {cached}; load it once without local_files_only"
    if error.__cause__ and (local or type(error) is ValueError):  # the client's words for a cause
        return _reason(error.__cause__, repo_id, revision, options)  # type: ignore[arg-type]
    if isinstance(error, errors.OfflineModeIsEnabled):
        return f"HF_HUB_OFFLINE is set and it is not in the cache {cached}; load it once online"
    if isinstance(error, errors.GatedRepoError):
        return f"it is gated; ask for access at {page}, then log in (hf auth login, or HF_TOKEN)"
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            f"{constants.ENDPOINT} has no such model, or it is private; check the name, or log in"
            " (hf auth login, or HF_TOKEN)"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return f"it has no revision {revision!r}; choose a branch, tag or commit of {page}"
    if isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        return _refusal(error.response.status_code, error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"no room in the cache {cached} ({os.strerror(error.errno)}); make room, or set HF_HOME"
        )
    if isinstance(error, OSError) and error.errno in UNUSABLE:
        return (
            f"its cache {cached} cannot be used ({os.strerror(error.errno)}); set HF_HOME to a"
            " folder that you can write to"
        )
    if any(word in type(error).__name__ for word in ("Connect", "Timeout", "Network", "Protocol")):
        return f"{constants.ENDPOINT} cannot be reached; check the network, proxy and HF_ENDPOINT"
    return _one_line(error)


def _refusal(status: int, error: Exception) -> str:
    """What an HTTP status means for the user."""
    if status == 401:
        return "the Hub requires a valid token; log in (hf auth login, or HF_TOKEN)"
    if status == 403:
        return f"the token does not allow this; use a token with write access ({_one_line(error)})"
    if status == 429 or status >= 500:
        return f"the Hub answered with status {status}; try again later"
    return _one_line(error)


def _one_line(error: BaseException) -> str:
    """The message of an error in one line, without the number of the request."""
    text = re.sub(r"\(Request ID: [^)]*\)", "", str(error)) or type(error).__name__
    return " ".join(text.split())[:200]
