"""Connections to checked addresses only, each answer within its time: what lies below the HTTP client."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore2
import httpx2

from discourse.collect.addresses import Resolve, checked

_SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Deadline:
    """The moment at which the answer in flight must be whole."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends = float("inf")

    def start(self, seconds: float) -> None:
        """Give what comes now so many seconds."""
        self._ends = self._clock() + seconds

    def left(self) -> float:
        """Return how many seconds are left; at most 0 if it is over."""
        return self._ends - self._clock()

    def shorten(self, timeout: float | None) -> float:
        """Return the shorter of `timeout` and what is left.

        Raises:
            httpcore2.ReadTimeout: nothing is left.
        """
        left = self.left()
        if left <= 0:
            raise httpcore2.ReadTimeout("the answer took too long")
        return left if timeout is None else min(timeout, left)


class _TimedStream(httpcore2.NetworkStream):
    """A connection that also ends when the deadline is over: a server that sends a byte a minute cannot hold us."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.shorten(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.shorten(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.shorten(timeout))
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - the library's own signature
        return self._stream.get_extra_info(info)


class CheckedBackend(httpcore2.SyncBackend):
    """Opens connections: resolves a name once, checks all its addresses, and connects to one of these.

    Since the address that was checked is the one that is connected to, a name that changes in between (DNS rebinding)
    changes nothing. Certificates are still checked against the name.
    """

    def __init__(self, resolve: Resolve, deadline: Deadline, *, allow_private: bool) -> None:
        self._resolve = resolve
        self._deadline = deadline
        self._allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[_SocketOption] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that answers.

        Raises:
            BlockedAddressError: one of the name's addresses must not be connected to.
            httpcore2.ConnectError: there is no such name, or nobody answers.
        """
        try:
            addresses = checked(host, port, self._resolve, allow_private=self._allow_private)
        except (OSError, UnicodeError) as e:
            raise httpcore2.ConnectError(f"there is no server named {host[:100]}") from e
        for address in addresses[:-1]:
            try:
                return self._open(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._open(addresses[-1], port, timeout, local_address, socket_options)

    def _open(
        self,
        address: str,
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[_SocketOption] | None,
    ) -> httpcore2.NetworkStream:
        limited = self._deadline.shorten(timeout)
        stream = super().connect_tcp(address, port, limited, local_address, socket_options)
        return _TimedStream(stream, self._deadline)


class CheckedTransport(httpx2.HTTPTransport):
    """httpx2's transport over a `CheckedBackend`, one connection for a host; proxies of the environment are not used.

    httpx2 hands no backend to its pool, so that the pool is replaced.
    """

    def __init__(self, backend: CheckedBackend) -> None:
        context = httpx2.create_ssl_context()
        super().__init__(verify=context, trust_env=False)
        self._pool.close()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=4,
            keepalive_expiry=5.0,
            network_backend=backend,
        )
