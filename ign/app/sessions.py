"""Limits on the state that gradio keeps for open pages, which is freed when a page closes."""

__all__ = ["Sessions"]

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ign.app.uploads import Refused

SESSIONS = 64
"""The maximum number of pages with stored state."""
UNREAD = 16
"""The maximum number of jobs of a page that wait, run, or have a result not yet fetched."""
UNREAD_TOTAL = 32
"""The maximum number of such jobs over all pages."""


class Sessions:
    """The open pages, in the order of their last use.

    For each page, gradio stores the last values, the jobs, and the results that were not fetched.

    Args:
        blocks: The page, which is being served and has a queue.
    """

    def __init__(self, blocks: Any) -> None:
        self._blocks = blocks
        self._order: OrderedDict[str, None] = OrderedDict()
        self._streams: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._order)

    async def touch(self, session: str) -> None:
        """Note that a page is used.

        Raises:
            Refused: Too many other pages are open.
        """
        self._order[session] = None
        self._order.move_to_end(session)
        while len(self._order) > SESSIONS:
            await self._release_oldest(session)

    async def admit(self, session: str) -> None:
        """Make room for a job of a page.

        Raises:
            Refused: The page has too many jobs, or all pages together have.
        """
        await self.touch(session)
        if len(self._pending().get(session, ())) >= UNREAD:
            raise Refused(f"over {UNREAD} jobs of this page wait; fetch their results first", 429)
        while sum(map(len, self._pending().values())) >= UNREAD_TOTAL:
            await self._release_oldest(session)

    def has_jobs(self, session: str) -> bool:
        """Whether a page has posted a job since it was opened."""
        return session in self._blocks._queue.pending_messages_per_session

    @contextmanager
    def stream(self, session: str) -> Iterator[None]:
        """Keep a page while it has an open connection, even if other pages need its place."""
        self._streams[session] += 1
        try:
            yield
        finally:
            self._streams[session] -= 1
            if self._streams[session] <= 0:
                del self._streams[session]

    async def close(self, session: str) -> None:
        """Free the stored state of a page, including its waiting jobs."""
        queue, state = self._blocks._queue, self._blocks.state_holder
        events = set(self._pending().get(session, ()))
        await queue.clean_events(session_hash=session)
        for event in events:
            queue.event_ids_to_events.pop(event, None)
        queue.pending_event_ids_session.pop(session, None)
        queue.pending_messages_per_session.pop(session, None)
        state.session_data.pop(session, None)
        state.time_last_used.pop(session, None)
        self._order.pop(session, None)

    def _pending(self) -> dict[str, set[str]]:
        return dict(self._blocks._queue.pending_event_ids_session)

    async def _release_oldest(self, used: str) -> None:
        for session in [*self._order, *self._pending()]:
            if session != used and session not in self._streams:
                await self.close(session)
                return
        self._order.pop(used, None)
        raise Refused("too many pages are open; try again in a minute", 503)
