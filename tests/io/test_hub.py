"""Models from and to the Hub, by a server of the same form on this machine."""

import os
import shutil
import subprocess
import sys

import pytest
import torch
from standin import Hub, Repository

from ign import IGN, ModelError, nn, noise
from ign.io import hub
from ign.io.packaged import CONFIG, WEIGHTS

LOAD = """
import sys, torch
from ign import IGN, ModelError
for i, name in enumerate(sys.argv[1:]):
    try:
        torch.save(IGN.from_pretrained(name).sample(3, 2, seed=1), f"{i}.pt")
    except ModelError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return IGN(nn.DCGANAutoencoder(1, 8, 4, "role"), noise.GaussianNoise((1, 8, 8)))


@pytest.fixture
def server(model, tmp_path, monkeypatch):
    """A Hub with the model ``someone/digits``, which this process's client asks."""
    from huggingface_hub import constants, file_download, hf_api

    server = Hub()
    folder = model.save_pretrained(tmp_path / "files")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    repository = server.repositories["someone/digits"] = Repository()
    repository.commit("main", files | {"huge.bin": b"not to be fetched"}, "first")
    template = f"{server.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    for name, value in {
        "ENDPOINT": server.address,
        "HUGGINGFACE_CO_URL_TEMPLATE": template,
        "HF_HUB_CACHE": str(tmp_path / "cache"),
        "HF_HUB_DISABLE_XET": True,
        "HF_TOKEN_PATH": str(tmp_path / "no-token"),
    }.items():
        for module in (constants, file_download, hf_api):  # older clients import some by name
            if module is constants or hasattr(module, name):
                monkeypatch.setattr(module, name, value, raising=False)
    monkeypatch.setenv("HF_TOKEN", "")
    yield server
    server.stop()


def equal(a: IGN, b: IGN) -> bool:
    return torch.equal(a.sample(3, 2, seed=1), b.sample(3, 2, seed=1))


def elsewhere(names: str, server: Hub, tmp_path) -> list[str]:
    """Load in a fresh process; the samples of each are in ``0.pt``, ``1.pt``, ..."""
    env = {
        **os.environ,
        "HF_ENDPOINT": server.address,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *names.split()],
        env=env, capture_output=True, text=True, cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_pushed_and_loaded_in_a_fresh_process_with_equal_bits(server, model, tmp_path):
    address = model.push_to_hub("someone/new", token="hf_writer", commit_message="a message")
    assert address.startswith(f"{server.address}/someone/new/commit/")
    assert server.repositories["someone/new"].messages == ["initial commit", "a message"]
    assert sorted(server.files("someone/new")) == [
        ".gitattributes", "README.md", CONFIG, WEIGHTS, "projections.png", "samples-f1.png",
        "samples-f2.png",
    ]  # fmt: skip
    assert elsewhere("someone/new", server, tmp_path) == []
    assert torch.equal(torch.load(tmp_path / "0.pt"), model.sample(3, 2, seed=1))
    server.stop()
    told = elsewhere("someone/nothing someone/new", server, tmp_path)
    assert torch.equal(torch.load(tmp_path / "1.pt"), model.sample(3, 2, seed=1)), "from the cache"
    assert told == [
        f"model 'someone/nothing': no such path, and {server.address} cannot be reached; check the"
        " network, proxy and HF_ENDPOINT"
    ]


def test_two_files_are_fetched_once_and_nothing_else(server, model, tmp_path):
    assert equal(IGN.from_pretrained("someone/digits", cache_dir=tmp_path / "own"), model)
    asked = [r.split("/")[-1] for r in server.requests if "/resolve/" in r]
    assert set(asked) == {CONFIG, WEIGHTS}
    fetched = len(server.requests)
    IGN.from_pretrained("someone/digits", cache_dir=tmp_path / "own", local_files_only=True)
    assert len(server.requests) == fetched, "nothing is asked"
    IGN.from_pretrained("someone/digits", cache_dir=tmp_path / "own")
    assert server.requests[fetched:] == ["GET /api/models/someone/digits/revision/main"]
    with pytest.raises(ModelError, match=r"not in the cache .*load it once without local_files"):
        IGN.from_pretrained("someone/digits", cache_dir=tmp_path / "other", local_files_only=True)


def test_a_revision_stays_what_it_was(server, model):
    first = server.repositories["someone/digits"].branches["main"]
    torch.manual_seed(1)
    other = IGN(nn.DCGANAutoencoder(1, 8, 4, "role"), noise.GaussianNoise((1, 8, 8)))
    other.push_to_hub("someone/digits", token="hf_writer")
    other.push_to_hub("someone/digits", token="hf_writer", branch="wide")
    assert equal(IGN.from_pretrained("someone/digits"), other)
    assert equal(IGN.from_pretrained("someone/digits", revision=first), model)
    assert equal(IGN.from_pretrained(f"someone/digits@{first}"), model)
    assert equal(IGN.from_pretrained("someone/digits@wide"), other)
    assert set(server.repositories["someone/digits"].branches) == {"main", "wide"}


def test_both_files_are_of_one_commit(server, model, tmp_path):
    """A push between the two downloads does not mix them."""
    torch.manual_seed(1)
    wide = IGN(nn.DCGANAutoencoder(1, 8, 6, "role"), noise.GaussianNoise((1, 8, 8)))
    folder = wide.save_pretrained(tmp_path / "wide")

    def push(request: str) -> None:
        if request.startswith("GET /someone/digits/resolve/") and request.endswith(CONFIG):
            server.after = str
            files = {p.name: p.read_bytes() for p in folder.iterdir()}
            server.repositories["someone/digits"].commit("main", files, "meanwhile")

    server.after = push
    assert equal(IGN.from_pretrained("someone/digits"), model)
    assert equal(IGN.from_pretrained("someone/digits"), wide)


def refused(name: str = "someone/digits", **options) -> str:
    with pytest.raises(ModelError) as caught:
        IGN.from_pretrained(name, **options)
    text = str(caught.value)
    assert text.startswith(f"model {name!r}: ")
    assert "\n" not in text
    assert len(text) < 400
    return text


def test_what_is_missing_private_gated_or_ill_is_told_with_what_helps(server):
    repository = server.repositories["someone/digits"]
    page = f"{server.address}/someone/digits"
    assert f"no revision 'v9'; choose a branch, tag or commit of {page}" in refused(revision="v9")
    assert "has no such model, or it is private; check the name" in refused("someone/nothing")
    assert "requires a valid token; log in" in refused(token="hf_wrong")
    server.repositories["someone/empty"] = Repository()
    server.repositories["someone/empty"].commit("main", {"a.txt": b""}, "first")
    empty = f"{server.address}/someone/empty has no {CONFIG}, so it is not a model of ign"
    assert empty in refused("someone/empty")
    repository.gated = True
    assert f"it is gated; ask for access at {page}" in refused(token="hf_other")
    repository.gated, repository.private = False, True
    assert "or it is private; check the name, or log in" in refused()
    IGN.from_pretrained("someone/digits", token="hf_writer")
    server.status = 503
    assert "the Hub answered with status 503; try again later" in refused("someone/other")
    server.stop()
    assert "cannot be reached; check the network" in refused("someone/other")
    assert "cannot be reached; check the network" in refused(force_download=True)
    IGN.from_pretrained("someone/digits")


def test_offline_by_environment(server, model, tmp_path, monkeypatch):
    from huggingface_hub import constants

    IGN.from_pretrained("someone/digits")
    asked = len(server.requests)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert equal(IGN.from_pretrained("someone/digits"), model)
    told = refused("someone/other")
    assert f"HF_HUB_OFFLINE is set and it is not in the cache {tmp_path / 'cache'}" in told
    assert len(server.requests) == asked


def test_a_path_or_packaged_name_has_no_revision(model, tmp_path):
    folder = model.save_pretrained(tmp_path / "model")
    with pytest.raises(ModelError, match="is not on the Hub and has no revisions"):
        IGN.from_pretrained(folder, revision="main")
    assert equal(IGN.from_pretrained(folder, local_files_only=True), model)


def test_a_damaged_file_of_the_cache_is_told_and_fetched_again(server, model, tmp_path):
    folder = hub.download("someone/digits", (CONFIG, WEIGHTS))
    for name, content in ((WEIGHTS, b"short"), (CONFIG, b"{")):
        (folder / name).resolve().write_bytes(content)
        with pytest.raises(
            ModelError, match="in Python: force_download=True; otherwise delete "
        ) as told:
            IGN.from_pretrained("someone/digits")
        assert "\n" not in str(told.value)
        assert equal(IGN.from_pretrained("someone/digits", force_download=True), model)
        (folder / name).resolve().write_bytes(content)
        shutil.rmtree(str(told.value).rpartition("delete ")[2])
        assert equal(IGN.from_pretrained("someone/digits"), model)


def test_a_full_disk_is_told(server, tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, limits[1]))
    try:
        told = refused()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert f"no room in the cache {tmp_path / 'cache'} (File too large); make room" in told


def test_pushes_that_the_hub_refuses(server, model):
    def refused(name, **options):
        with pytest.raises(ModelError) as caught:
            model.push_to_hub(name, **options)
        assert str(caught.value).startswith(f"push to {name!r}: ")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    before = set(server.repositories)
    assert "log in" in refused("someone/mine", token=False)
    assert "use a token with write access" in refused("someone/mine", token="hf_reader")
    assert "use a token with write access" in refused("someone/mine", token="hf_other")
    assert "it exists and is public" in refused("someone/digits", token="hf_writer", private=True)
    assert set(server.repositories) == before
    server.stop()
    assert "cannot be reached" in refused("someone/mine", token="hf_writer")


def test_private_repositories_and_pull_requests(server, model, tmp_path):
    folder = model.save_pretrained(
        tmp_path / "half", torch.float16, push_to_hub=True, repo_id="someone/half",
        token="hf_writer", private=True,
    )  # fmt: skip
    assert folder == tmp_path / "half"
    repository = server.repositories["someone/half"]
    assert repository.private
    assert (
        repository.commits[repository.branches["main"]][WEIGHTS] == (folder / WEIGHTS).read_bytes()
    )
    address = model.push_to_hub("someone/digits", token="hf_other", create_pr=True)
    assert address == f"{server.address}/someone/digits/discussions/1"
    assert server.repositories["someone/digits"].messages == ["first", "Push model using ign"]
    assert "README.md" not in server.files("someone/digits")


def test_a_cache_without_a_home_or_that_cannot_be_written(server, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", "~/.cache/huggingface/hub")
    assert "there is no home folder for its cache ~/.cache" in refused()
    (tmp_path / "file").touch()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "cache"))
    assert "cannot be used (Not a directory); set HF_HOME to a folder" in refused()
    assert "cannot be used" in refused(cache_dir=tmp_path / "file" / "cache")
