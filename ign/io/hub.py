"""Models on the Hub: fetched into its cache and pushed to it, by huggingface_hub."""

__all__ = ["HubError", "download", "parse_name", "upload"]

import errno
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NAME = re.compile(r"([\w-][\w.-]*/[\w-][\w.-]*)(?:@(\S+))?")


class HubError(ValueError):
    """What the Hub did not do, and what to do about it, in one line."""


def parse_name(text: str) -> tuple[str, str | None] | None:
    """``owner/name`` or ``owner/name@revision`` as its two parts; None for anything else."""
    found = NAME.fullmatch(text)
    return (found[1], found[2]) if found else None


def download(
    repo_id: str, files: Sequence[str], revision: str | None = None, **options: Any
) -> Path:
    """Fetch files of one commit into the Hub's cache; those already there are not fetched again.

    Args:
        repo_id: ``owner/name``.
        files: The names of the files; nothing else is fetched.
        revision: A branch, tag or commit; None for the main branch.
        **options: ``cache_dir``, ``token``, ``local_files_only``, ``force_download``, as in
            ``huggingface_hub.snapshot_download``.

    Returns:
        The folder of the commit in the cache.

    Raises:
        HubError: They cannot be had.
    """
    from huggingface_hub import HfApi, constants, snapshot_download

    try:
        if options.get("force_download"):  # the client would take the cache where it has no network
            HfApi(token=options.get("token")).model_info(repo_id, revision=revision)
        folder = Path(
            snapshot_download(repo_id, revision=revision, allow_patterns=list(files), **options)
        )
    except Exception as error:  # the client raises many kinds, all of them final here
        raise HubError(_reason(error, repo_id, revision, options)) from None
    for name in files:
        if not (folder / name).is_file():
            raise HubError(f"{constants.ENDPOINT}/{repo_id} holds no {name}: not a model of ign")
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
    """Push every file of a folder in one commit, to a repository that is made where it is missing.

    Args:
        folder: The folder, without folders inside.
        repo_id: ``owner/name``.
        message: The commit's message.
        private: Whether a new repository is private; None for what the owner's settings say.
        token: The user's token; None for the one of ``hf auth login`` or ``HF_TOKEN``.
        branch: The branch, made where it is missing; None for the main one.
        create_pr: Whether to open a pull request instead.

    Returns:
        The address of the commit.

    Raises:
        HubError: The Hub cannot be reached or refuses, or the repository is public and ``private``
            is asked for.
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
    """Why the client raised, and what helps."""
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
    if any(word in type(error).__name__ for word in ("Connect", "Timeout", "Network", "Protocol")):
        return f"{constants.ENDPOINT} cannot be reached; check the network, proxy and HF_ENDPOINT"
    return _short(error)


def _refusal(status: int, error: Exception) -> str:
    """What an HTTP status says to a user."""
    if status == 401:
        return "the Hub wants a valid token; log in (hf auth login, or HF_TOKEN)"
    if status == 403:
        return f"the token has no right to do this; take one that may write ({_short(error)})"
    if status == 429 or status >= 500:
        return f"the Hub answers {status}; try again later"
    return _short(error)


def _short(error: BaseException) -> str:
    """The error's words in one line, its request's number left out."""
    words = re.sub(r"\(Request ID: [^)]*\)", "", str(error)) or type(error).__name__
    return " ".join(words.split())[:200]
