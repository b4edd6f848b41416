"""Where the external coder is: address and key, from the environment alone."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from discourse.errors import UsageError

URL, KEY = "OPENAI_BASE_URL", "OPENAI_API_KEY"
COMPLETIONS = "/chat/completions"
HIDDEN = "[hidden]"
SHORTEST = 12
EXAMPLE = "http://127.0.0.1:8080/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of chat completions, the host alone as it may be named anywhere, and the key, which may be nowhere.

    key: empty where the server asks for none; it is left out of the object's text.
    """

    url: str
    host: str
    key: str = field(default="", repr=False)

    def headers(self) -> dict[str, str]:
        """Return the header with the key, if there is one."""
        return {"authorization": f"Bearer {self.key}"} if self.key else {}

    def hide(self, text: str) -> str:
        """Return a text of the server's without the key; what is shorter than a key is a word such as `none`."""
        return text.replace(self.key, HIDDEN) if len(self.key) >= SHORTEST else text


def endpoint(environment: Mapping[str, str]) -> Endpoint:
    """Return the endpoint that OPENAI_BASE_URL and OPENAI_API_KEY name.

    Raises:
        UsageError: there is none, the address cannot be asked, or texts would travel unencrypted over the internet.
    """
    address = environment.get(URL, "").strip().rstrip("/").removesuffix(COMPLETIONS)
    if not address:
        raise UsageError(
            f"the external coder needs an address: set {URL} in the environment, such as {EXAMPLE} (and {KEY}, if the "
            "server asks for a key)"
        )
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as e:
        raise UsageError(f"{URL}: is no address; it looks like {EXAMPLE}") from e
    if parts.scheme not in {"http", "https"} or not host:
        raise UsageError(f"{URL}: is no http or https address; it looks like {EXAMPLE}")
    if "@" in parts.netloc or parts.query or parts.fragment or not address.isprintable() or " " in address:
        raise UsageError(f"{URL}: holds more than an address; put a key into {KEY}, it looks like {EXAMPLE}")
    key = environment.get(KEY, "").strip()
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise UsageError(f"{KEY}: holds characters that no key has; set it again")
    if parts.scheme == "http" and not _near(host, port or 80):
        raise UsageError(
            f"{URL}: comments and key would travel unencrypted to {host}; use https (http is for servers of this "
            "machine and of private networks)"
        )
    return Endpoint(f"{address}{COMPLETIONS}", host, key)


def _near(host: str, port: int) -> bool:
    """Tell whether a name leads to this machine or a private network only."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False
    places = [ip_address(each.partition("%")[0]) for each in found]
    return bool(places) and all(place.is_loopback or place.is_private for place in places)
