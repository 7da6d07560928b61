"""A stand-in of the Hub: the part of its HTTP interface that huggingface_hub calls for a model.

Repositories, branches, commits, large files by LFS, pull requests, private and gated
repositories, and tokens, all in memory. It answers as the Hub does, error codes included.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

import yaml

TOKENS = {"hf_writer": "someone", "hf_other": "other"}
"""Tokens and whose they are; ``hf_reader`` may read only."""


@dataclass
class Repository:
    """Commits (their files by name) and branches (their newest commit)."""

    private: bool = False
    gated: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def commit(self, branch: str, files: dict[str, bytes], message: str) -> str:
        before = self.commits.get(self.branches.get(branch, ""), {})
        sha = hashlib.sha1(f"{branch}{len(self.commits)}{message}".encode()).hexdigest()
        self.commits[sha] = {**before, **files}
        self.branches[branch] = sha
        self.messages.append(message)
        return sha

    def find(self, revision: str) -> str | None:
        return self.branches.get(revision, revision if revision in self.commits else None)


class Hub:
    """The server; ``requests`` lists what was asked."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.status = 0
        """An answer to everything, such as 503; 0 for none."""
        self.after: Callable[[str], object] = str
        """Called with what was asked, after each answer."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self)
                hub.after(f"{self.command} {self.path}")

            do_HEAD = do_POST = do_PUT = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def files(self, name: str, revision: str = "main") -> dict[str, bytes]:
        repository = self.repositories[name]
        return repository.commits[repository.find(revision) or ""]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path, _, query = request.path.partition("?")
        self.requests.append(f"{request.command} {path}")
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.status:
            return send(request, self.status, {"error": "planted"})
        if token and token not in (*TOKENS, "hf_reader"):
            message = "Invalid credentials in Authorization header"
            return send(request, 401, {"error": message}, {"X-Error-Message": message})
        for pattern, method in ROUTES:
            if found := re.fullmatch(pattern, path):
                parts = [unquote(part) if part else part for part in found.groups()]
                return method(self, Call(request, body, token, query), *parts)
        return send(request, 404, {"error": "no such page"})

    def seen(self, call: "Call", name: str, write: bool = False) -> Repository | None:
        """The repository, if this user may see it, or may write to it; else the answer is sent."""
        repository, user = self.repositories.get(name), TOKENS.get(call.token)
        owner = name.split("/")[0]
        if repository is None or (repository.private and user != owner):
            status = 404 if call.token else 401
            send(call.request, status, {"error": "none"}, {"X-Error-Code": "RepoNotFound"})
        elif repository.gated and user != owner:
            status = 403 if call.token else 401
            send(call.request, status, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
        elif write and user != owner:
            message = {"X-Error-Message": "you must use a write token"}
            send(call.request, 403 if call.token else 401, {"error": "forbidden"}, message)
        else:
            return repository
        return None

    def create(self, call: "Call") -> None:
        wanted = json.loads(call.body)
        user = TOKENS.get(call.token)
        name = f"{wanted['organization'] or user}/{wanted['name']}"
        if user is None or name.split("/")[0] != user:
            what = {"X-Error-Message": "no right to create a repository there"}
            return send(call.request, 403 if call.token else 401, {"error": "forbidden"}, what)
        if name in self.repositories:
            answer = {"error": "exists", "url": f"{self.address}/{name}"}
            return send(call.request, 409, answer)
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        made = self.repositories[name] = Repository(private)
        made.commit("main", {".gitattributes": b"*.safetensors filter=lfs\n"}, "initial commit")
        return send(call.request, 200, {"url": f"{self.address}/{name}", "name": name})

    def information(self, call: "Call", name: str, revision: str | None) -> None:
        if repository := self.seen(call, name):
            sha = repository.find(revision or "main")
            if sha is None:
                return send(call.request, 404, {}, {"X-Error-Code": "RevisionNotFound"})
            siblings = [{"rfilename": path} for path in repository.commits[sha]]
            facts = {"id": name, "sha": sha, "private": repository.private, "siblings": siblings}
            return send(call.request, 200, facts)
        return None

    def tree(self, call: "Call", name: str, revision: str) -> None:
        if repository := self.seen(call, name):
            files = []
            for path, content in repository.commits[repository.find(revision) or ""].items():
                oid = hashlib.sha1(content).hexdigest()
                files.append({"type": "file", "path": path, "oid": oid, "size": len(content)})
                if path.endswith(".safetensors"):
                    large = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
                    files[-1]["lfs"] = {**large, "pointerSize": 134}
            send(call.request, 200, files)

    def branch(self, call: "Call", name: str, branch: str) -> None:
        if repository := self.seen(call, name, write=True):
            known = branch in repository.branches
            if not known:
                repository.branches[branch] = repository.branches["main"]
            send(call.request, 409 if known else 200, {"error": "exists"} if known else {})

    def validate(self, call: "Call") -> None:
        """The front matter must be YAML with a licence; a model-index must be whole."""
        content = json.loads(call.body)["content"]
        try:
            data = yaml.safe_load(content.split("---\n")[1])
            for model in data.get("model-index", []):
                for result in model["results"]:
                    assert result["task"]["type"]
                    assert result["dataset"]["type"]
                    assert all(m["type"] and m["value"] is not None for m in result["metrics"])
            assert data["license"]
        except (yaml.YAMLError, IndexError, KeyError, AssertionError) as error:
            return send(call.request, 400, {"errors": [{"message": repr(error)}]})
        return send(call.request, 200, {"errors": [], "warnings": []})

    def preupload(self, call: "Call", name: str, revision: str) -> None:
        repository = self.seen(call, name, write="create_pr" not in call.query)
        if repository is None:
            return None
        if repository.find(revision) is None:
            return send(call.request, 404, {}, {"X-Error-Code": "RevisionNotFound"})
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                "shouldIgnore": False,
            }
            for file in json.loads(call.body)["files"]
        ]
        return send(call.request, 200, {"files": files})

    def batch(self, call: "Call", name: str) -> None:
        if self.seen(call, name):
            objects = [
                one | {"actions": {"upload": {"href": f"{self.address}/large/{one['oid']}"}}}
                for one in json.loads(call.body)["objects"]
            ]
            send(call.request, 200, {"transfer": "basic", "objects": objects})

    def store(self, call: "Call", oid: str) -> None:
        if call.request.command == "PUT":
            assert hashlib.sha256(call.body).hexdigest() == oid
            self.large[oid] = call.body
            return send(call.request, 200, {})
        return send(call.request, 200, self.large[oid], {"ETag": f'"{oid}"'})

    def commit(self, call: "Call", name: str, revision: str) -> None:
        request = "create_pr" in call.query
        repository = self.seen(call, name, write=not request)
        if repository is None:
            return None
        header, *lines = map(json.loads, call.body.splitlines())
        files = {}
        for line in lines:
            value = line["value"]
            if line["key"] == "lfsFile":
                files[value["path"]] = self.large[value["oid"]]
            else:
                files[value["path"]] = base64.b64decode(value["content"])
        branch = "refs/pr/1" if request else revision
        sha = repository.commit(branch, files, header["value"]["summary"])
        answer = {"commitOid": sha, "commitUrl": f"{self.address}/{name}/commit/{sha}"}
        if request:
            answer["pullRequestUrl"] = f"{self.address}/{name}/discussions/1"
        return send(call.request, 200, answer)

    def resolve(self, call: "Call", name: str, revision: str, path: str) -> None:
        repository = self.seen(call, name)
        if repository is None:
            return None
        sha = repository.find(revision)
        if sha is None:
            return send(call.request, 404, {}, {"X-Error-Code": "RevisionNotFound"})
        commit = {"X-Repo-Commit": sha}
        content = repository.commits[sha].get(path)
        if content is None:
            return send(call.request, 404, {}, commit | {"X-Error-Code": "EntryNotFound"})
        if path.endswith(".safetensors"):
            oid = hashlib.sha256(content).hexdigest()
            self.large[oid] = content
            linked = {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(content))}
            elsewhere = self.address.replace("127.0.0.1", "localhost")  # as the Hub's own store
            place = {"Location": f"{elsewhere}/large/{oid}"}
            return send(call.request, 302, b"", commit | linked | place)
        etag = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"'}
        return send(call.request, 200, content, commit | etag)


@dataclass
class Call:
    """A request, its body, its token and what follows the question mark."""

    request: BaseHTTPRequestHandler
    body: bytes
    token: str
    query: str


NAME = r"([\w.-]+/[\w.-]+)"
ROUTES = [
    (r"/api/repos/create", Hub.create),
    (r"/api/validate-yaml", Hub.validate),
    (rf"/api/models/{NAME}(?:/revision/([^/]+))?", Hub.information),
    (rf"/api/models/{NAME}/tree/([^/]+)", Hub.tree),
    (rf"/api/models/{NAME}/branch/([^/]+)", Hub.branch),
    (rf"/api/models/{NAME}/preupload/([^/]+)", Hub.preupload),
    (rf"/api/models/{NAME}/commit/([^/]+)", Hub.commit),
    (rf"/{NAME}\.git/info/lfs/objects/batch", Hub.batch),
    (r"/large/(\w+)", Hub.store),
    (rf"/{NAME}/resolve/([^/]+)/(.+)", Hub.resolve),
]


def send(
    request: BaseHTTPRequestHandler,
    status: int,
    content: dict | list | bytes,
    headers: dict[str, str] | None = None,
) -> None:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    request.send_response(status)
    for key, value in (headers or {}).items():
        request.send_header(key, value)
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(data)
