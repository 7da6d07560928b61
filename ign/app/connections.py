"""Connections that send no request are closed, so that they cannot keep others out."""

__all__ = ["HEAD", "Patient"]

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = 15.0
"""The seconds in which the head of a request must arrive, after the last answer at most twice."""


class Patient(H11Protocol):
    """HTTP/1.1 in which a client has a bounded time for the head of each request.

    uvicorn bounds only the time without a byte between two requests, and it counts a connection on
    which nothing was asked yet as one of the most that it accepts.
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
        """Close the connection if it has waited for a request since the look before."""
        waits = self.cycle is None or self.cycle.response_complete
        if waits and self.cycle is before:
            self.transport.close()
            return
        now = self.cycle if waits else self
        self._timer = self.loop.call_later(HEAD, self._look, now)
