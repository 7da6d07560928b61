"""The gate in front of gradio, which allows only requests of the page by its visitors."""

__all__ = ["Gate"]

import json
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from ign.app.access import NO_TOKEN, Access
from ign.app.reading import FILE
from ign.app.requests import Body, parse_job, read_upload
from ign.app.sessions import Sessions
from ign.app.uploads import VISITOR, Refused, Uploads

BODY = 10 * 10**6
"""The maximum number of bytes of a job; a drawing has about ten thousand."""
UPLOADS = 4
"""The maximum number of concurrent uploads of a visitor."""
UPLOADS_TOTAL = 16
"""The maximum number of concurrent uploads of all visitors."""
PAGE = {
    "/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt",
    "/gradio_api/theme.css", "/gradio_api/startup-events",
}  # fmt: skip
FOLDERS = ("/assets/", "/static/")
"""The scripts and fonts of gradio, which are served besides the page. No other files are served."""
HEARTBEAT = "/gradio_api/heartbeat/"
SAFETY = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": (
        "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none';"
        " base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
}
"""The headers of every response, which forbid frames and content of other servers."""
WELCOME = (
    '<!doctype html><title>ign app</title><meta http-equiv="refresh" content="0; url=/">'
    '<p><a href="/">Open the page</a></p>'
)
"""A redirect in the page, so that the browser sends a strict cookie wherever the link came from."""


class Gate:
    """An ASGI application that filters the requests to another one.

    Args:
        app: The application of gradio.
        access: The rules of access.
        uploads: The files of the visitors.
        sessions: The open pages.
        functions: The number of inputs of each function of the page.
    """

    def __init__(
        self,
        app: Any,
        access: Access,
        uploads: Uploads,
        sessions: Sessions,
        functions: dict[int, int],
    ) -> None:
        self._app, self._access, self._uploads = app, access, uploads
        self._sessions, self._functions = sessions, functions
        self._busy: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._http(scope, receive, _safely(send))

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        visitor = self._access.visitor(headers)
        answer: Response | None
        if refusal := self._access.refusal(headers):
            answer = PlainTextResponse(refusal.text, refusal.status)
        elif path == "/" and b"token=" in scope["query_string"]:
            answer = self._welcome(scope["query_string"], visitor)
        elif visitor is None:
            answer = PlainTextResponse(NO_TOKEN, 403)
        elif path != "/" and self._access.foreign(headers):
            answer = PlainTextResponse(
                "This server does not answer requests of other web pages.", 403
            )
        else:
            try:
                answer = await self._route(scope, receive, send, headers, visitor)
            except Refused as refused:
                answer = _refused(path, refused)
        if answer is not None:
            await answer(scope, receive, send)

    def _welcome(self, query: bytes, visitor: str | None) -> Response:
        tokens = parse_qs(query.decode("latin-1")).get("token", [])
        if len(tokens) != 1 or not self._access.admits(tokens[0]):
            return PlainTextResponse(NO_TOKEN, 403)
        answer = HTMLResponse(WELCOME, headers={"cache-control": "no-store"})
        if visitor is None:
            answer.headers["set-cookie"] = self._access.new_cookie()
        return answer

    async def _route(
        self, scope: Any, receive: Any, send: Any, headers: Headers, visitor: str
    ) -> Response | None:
        """Answer a visitor, or pass the request to gradio and return None."""
        path, reads = scope["path"], scope["method"] in ("GET", "HEAD")
        posts = scope["method"] == "POST"
        plain = path in PAGE or (path.startswith(FOLDERS) and ".." not in path)
        if plain and reads:
            await self._app(scope, receive, send)
            return None
        if path == "/gradio_api/upload" and posts:
            return await self._upload(receive, headers, visitor)
        if path == "/gradio_api/upload_progress" and reads:
            return PlainTextResponse('data: {"msg": "done"}\n\n', media_type="text/event-stream")
        if path == "/gradio_api/queue/join" and posts:
            await self._join(scope, receive, send, headers, visitor)
            return None
        if path == "/gradio_api/queue/data" and reads:
            names = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])
            session = self._access.session(visitor, names[0])
            if not self._sessions.has_jobs(session):
                return PlainTextResponse("no jobs were posted under this name", 404)
            query = urlencode({"session_hash": session}).encode()
            await self._stream({**scope, "query_string": query}, receive, send, session)
            return None
        if path.startswith(HEARTBEAT) and reads:
            session = self._access.session(visitor, path.removeprefix(HEARTBEAT))
            path = HEARTBEAT + session
            await self._stream(
                {**scope, "path": path, "raw_path": path.encode()}, receive, send, session
            )
            await self._sessions.close(session)
            return None
        return PlainTextResponse("not found", 404)

    async def _stream(self, scope: Any, receive: Any, send: Any, session: str) -> None:
        with self._sessions.stream(session):
            await self._sessions.touch(session)
            await self._app(scope, receive, send)

    async def _upload(self, receive: Any, headers: Headers, visitor: str) -> Response:
        if self._busy.count(visitor) >= UPLOADS or len(self._busy) >= UPLOADS_TOTAL:
            raise Refused("too many uploads at once; wait until one of them ends", 429)
        body = Body(receive, headers.get("content-length", "0"), VISITOR)
        self._busy.append(visitor)
        try:
            kind = headers.get("content-type", "")
            return JSONResponse(await read_upload(body, kind, self._uploads, visitor, FILE))
        finally:
            self._busy.remove(visitor)

    async def _join(
        self, scope: Any, receive: Any, send: Any, headers: Headers, visitor: str
    ) -> None:
        content = await Body(receive, headers.get("content-length", "0"), BODY).read()
        job = parse_job(content, visitor, self._uploads, self._functions)
        job["session_hash"] = self._access.session(visitor, job["session_hash"])
        await self._sessions.admit(job["session_hash"])
        body = json.dumps(job).encode()
        kept = [
            (k, v) for k, v in scope["headers"] if k not in (b"content-length", b"content-type")
        ]
        kept += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        parts = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Any:
            return parts.pop() if parts else await receive()

        await self._app({**scope, "headers": kept}, replay, send)


def _refused(path: str, refused: Refused) -> Response:
    """The response in the form that the scripts of gradio show.

    The connection is closed, since the body of the request may be unread.
    """
    headers = {"connection": "close"}
    if path == "/gradio_api/queue/join":
        return JSONResponse({"detail": str(refused)}, refused.status, headers)
    return PlainTextResponse(str(refused), refused.status, headers)


def _safely(send: Any) -> Any:
    async def sent(message: Any) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            for name, value in SAFETY.items():
                headers[name] = value
        await send(message)

    return sent
