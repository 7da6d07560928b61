"""A limit on the total memory that the decoding threads use."""

__all__ = ["Budget"]

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Budget:
    """Blocks threads until the memory that they request fits into a shared total.

    Args:
        total: The number of bytes to share. A thread that requests more than this waits until it
            is the only one.
    """

    def __init__(self, total: int):
        self.total = self._free = total
        self._changed = Condition()

    @contextmanager
    def use(self, amount: int) -> Iterator[None]:
        """Wait until ``amount`` bytes are free, and reserve them until the context ends."""
        amount = min(amount, self.total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= amount)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()
