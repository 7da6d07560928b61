"""Idle connections are closed, so that they cannot prevent others from connecting."""

__all__ = ["HEAD", "Patient"]

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = 15.0
"""The number of seconds in which the head of a request must arrive. A connection is closed after at
most twice this time."""


class Patient(H11Protocol):
    """HTTP/1.1 with a bounded time for the head of each request.

    uvicorn bounds only the idle time between two requests. A connection without a request counts
    towards the maximum number of connections.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD, self._look, None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def _look(self, before: object) -> None:
        """Close the connection if it was already waiting for a request at the previous check."""
        waits = self.cycle is None or self.cycle.response_complete
        if waits and self.cycle is before:
            self.transport.close()
            return
        now = self.cycle if waits else self
        self._timer = self.loop.call_later(HEAD, self._look, now)
