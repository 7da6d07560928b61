"""A limit on the memory that all decoding threads use together."""

__all__ = ["Budget"]

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Budget:
    """Lets threads in while the sum of what they need stays within a total.

    Args:
        total: The bytes to share. Whoever needs more waits until nobody else is in.
    """

    def __init__(self, total: int):
        self.total = self._free = total
        self._changed = Condition()

    @contextmanager
    def use(self, amount: int) -> Iterator[None]:
        """Wait until ``amount`` bytes are free, and hold them while the context lasts."""
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
