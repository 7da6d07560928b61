"""Access to the server: a token in the address, then a signed cookie, and known host names."""

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
"""The minimum number of characters of a token that the owner chooses."""
NO_TOKEN = (
    "This page needs the address that `ign app` printed when it started; it ends in ?token=..."
    " and works until the server stops. Open that address once in this browser."
)


class Refusal(NamedTuple):
    """The HTTP status of a refused request, and the reason for the visitor."""

    status: int
    text: str


class Access:
    """Checks where a request comes from and which visitor sent it.

    A visitor is a random identifier in a cookie, signed with a key of this process; nothing is
    stored for it.

    Args:
        host: The address on which the server listens.
        port: The port of the server. It is part of the name of the cookie, since browsers share
            cookies between ports.
        names: Additional host names, such as the name of a proxy.
        token: The token that the address must contain. If it is None, the token is the value of
            the environment variable ``IGN_APP_TOKEN``, or random if the variable is not set.

    Raises:
        ValueError: A host name contains characters other than letters, digits, dots and hyphens,
            or the token has fewer than 16 characters or characters that must be escaped.
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
        """The reason to refuse a request because of its headers, or None."""
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
        """Whether the request was made by another web page, according to the browser."""
        return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")

    def admits(self, token: str) -> bool:
        """Whether the token is correct; the comparison takes constant time."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def visitor(self, headers: Headers) -> str | None:
        """The visitor to whom the signed cookie of a request belongs, or None."""
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
        """The value of ``Set-Cookie`` for a new visitor."""
        name = secrets.token_urlsafe(16)
        return f"{self.cookie}={name}.{self._mac(name)}; Path=/; HttpOnly; SameSite=Strict"

    def session(self, visitor: str, name: str) -> str:
        """The name of a visitor's page in gradio, which other visitors cannot guess."""
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
    """The host in ``name:port`` or ``[address]:port``."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::\d*)?", host, re.ASCII)
    return ((found[1] or found[2]).lower().removesuffix(".")) if found else ""


def _checked(name: str) -> str:
    found = _name(name)
    if not found or ":" in name:
        raise ValueError(
            f"--allow-host {name!r}: give a host name without a scheme, a port or a path"
        )
    return found
