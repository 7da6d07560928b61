"""A client of the page that is not a browser, and sends what it wants."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

BOUNDARY = "xxxx"


class Client:
    """One visitor.

    Args:
        address: The page's, with its token.
        enter: Whether it takes the cookie.
    """

    def __init__(self, address: str, enter: bool = True) -> None:
        parts = urlsplit(address)
        self.host, self.port = parts.hostname, parts.port
        self.cookie = ""
        if enter:
            _, headers, _ = self.ask("GET", f"/?{parts.query}")
            self.cookie = headers["set-cookie"].partition(";")[0]

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """The status, the headers and the text for a request; ``_`` in a header's name is ``-``."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        every = {"Cookie": self.cookie} if self.cookie else {}
        every |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, every)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, text

    def upload(self, *files: tuple[str, bytes]) -> tuple[int, Any]:
        """The status for files by their names, and their identifiers."""
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"'
            "\r\n\r\n".encode()
            + content
            + b"\r\n"
            for name, content in files
        ]
        body = b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        status, _, text = self.ask("POST", "/gradio_api/upload", body, Content_Type=kind)
        return status, json.loads(text) if status == 200 else text

    def functions(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The functions of the page by the part and the event that start them."""
        config = json.loads(self.ask("GET", "/config")[2])
        names = {c["id"]: c["props"].get("elem_id") for c in config["components"]}
        return {
            (names.get(target), event): dependency
            for dependency in config["dependencies"]
            for target, event in dependency["targets"]
        }

    def post(self, job: Any, raw: bool = False) -> tuple[int, str]:
        """The status for a job, and why it is refused."""
        body = job if raw else json.dumps(job)
        status, _, text = self.ask(
            "POST", "/gradio_api/queue/join", body, Content_Type="application/json"
        )
        return status, text

    def run(self, function: int, data: list[Any], session: str = "s") -> str:
        """What the page would show for a job: its last output, or why it is refused."""
        status, text = self.post({"data": data, "fn_index": function, "session_hash": session})
        if status != 200:
            return json.loads(text)["detail"]
        return self.results(session)

    def results(self, session: str = "s") -> str:
        """The last output of the jobs of a session."""
        _, _, text = self.ask("GET", f"/gradio_api/queue/data?session_hash={session}")
        messages = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data:")]
        done = [m for m in messages if m["msg"] == "process_completed"]
        if not done:
            return text
        if not done[-1]["success"]:
            return f"failed: {done[-1]['output']}"
        return str(done[-1]["output"]["data"][-1])
