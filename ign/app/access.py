"""Who may use the server: a token in the address, then a cookie; and its own host names."""

__all__ = ["Access", "Refusal"]

import hashlib
import hmac
import ipaddress
import os
import re
import secrets
import socket
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

from starlette.datastructures import Headers

LEAST_TOKEN = 16
"""The fewest characters of a token that the owner chooses."""
NO_TOKEN = (
    "This page needs the address that `ign app` printed when it started; it ends in ?token=..."
    " and works until the server stops. Open that address once in this browser."
)


class Refusal(NamedTuple):
    """A status of HTTP and a sentence that says why."""

    status: int
    text: str


class Access:
    """Checks where a request comes from and which visitor sent it.

    A visitor is a random identifier in a cookie, signed with a key of this process; nothing is
    stored for it.

    Args:
        host: The address on which the server listens.
        port: Its port, which the cookie's name holds: browsers share cookies between ports.
        names: Further host names, such as a proxy's.
        token: What the address must hold; None for the environment's ``IGN_APP_TOKEN``, or a
            random one.

    Raises:
        ValueError: A host name with other characters than letters, digits, dots and hyphens, or a
            token of fewer than 16 of the characters that an address can hold as they are.
    """

    def __init__(
        self, host: str, port: int, names: Sequence[str] = (), token: str | None = None
    ) -> None:
        token = os.environ.get("IGN_APP_TOKEN") if token is None else token
        if token is not None and not re.fullmatch(rf"[\w.~-]{{{LEAST_TOKEN},}}", token, re.ASCII):
            raise ValueError(
                f"IGN_APP_TOKEN must have at least {LEAST_TOKEN} letters, digits, or any of . _ ~ -"
            )
        self.token = token or secrets.token_urlsafe(24)
        self.cookie = f"ign-{port}"
        self._key = secrets.token_bytes(32)
        self._own = _literal(host)
        self._names = {_checked(name) for name in names}
        if self._own is None or self._own.is_unspecified:
            self._names |= {"localhost", host.lower(), socket.gethostname().lower()}
        elif self._own.is_loopback:
            self._names.add("localhost")

    def refusal(self, headers: Headers) -> Refusal | None:
        """Why a request is refused for its ``Host``, ``Origin`` or ``Sec-Fetch-Site``, or None."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._serves(_name(hosts[0])):
            return Refusal(
                421,
                "This server does not answer to the host name in the address. Use the address that"
                " `ign app` printed, or start it with --allow-host NAME.",
            )
        origins = headers.getlist("origin")
        if any(origin.partition("://")[2].lower() != hosts[0].lower() for origin in origins):
            return Refusal(403, "This server does not answer to requests of other web pages.")
        return None

    def foreign(self, headers: Headers) -> bool:
        """Whether the browser says that another web page made the request."""
        return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")

    def admits(self, token: str) -> bool:
        """Whether a token is the right one, compared in constant time."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def visitor(self, headers: Headers) -> str | None:
        """The visitor whose signed cookie came with a request."""
        for header in headers.getlist("cookie"):
            try:
                morsel = SimpleCookie(header).get(self.cookie)
            except CookieError:
                continue
            name, _, mac = morsel.value.partition(".") if morsel else ("", "", "")
            if name and hmac.compare_digest(mac.encode(), self._mac(name).encode()):
                return name
        return None

    def new_cookie(self) -> str:
        """The header that makes a browser a visitor."""
        name = secrets.token_urlsafe(16)
        return f"{self.cookie}={name}.{self._mac(name)}; Path=/; HttpOnly; SameSite=Strict"

    def session(self, visitor: str, name: str) -> str:
        """A page of a visitor as gradio knows it; no other visitor can name it."""
        return self._mac(f"{visitor} {name}")

    def _mac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def _serves(self, name: str) -> bool:
        if name in self._names:
            return True
        address = _literal(name)
        if address is None or self._own is None:
            return False
        return self._own.is_unspecified or address == self._own


def _literal(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _name(host: str) -> str:
    """The host of ``name:port`` or ``[address]:port``."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::\d*)?", host, re.ASCII)
    return ((found[1] or found[2]).lower().removesuffix(".")) if found else ""


def _checked(name: str) -> str:
    found = _name(name)
    if not found or ":" in name:
        raise ValueError(
            f"--allow-host {name!r}: give a host name without a scheme, a port or a path"
        )
    return found
