"""Keys on their way from the environment into a request, and out of everything that is kept or printed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.jsonvalues import name_at
from discourse.collect.sources.platform import Login

HIDDEN = "[hidden]"
# A shorter secret is a word that may stand in a comment.
_SHORTEST_IN_BODY = 12
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(slots=True)
class Secrets:
    """What must never be seen: keys, passwords and tokens."""

    _forms: set[str] = field(default_factory=set[str])

    def add(self, *secrets: str) -> None:
        """Remember secrets, also as they look in an address."""
        for secret in secrets:
            if len(secret) > 1:
                self._forms |= {secret, quote(secret, safe=""), quote_plus(secret)}

    def hide(self, text: str) -> str:
        """Return a message, a header or an address without them."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, HIDDEN)
        return text

    def hide_in_body(self, body: bytes) -> bytes:
        """Return an answer's body without them: some servers repeat the key they refuse."""
        for form in sorted(self._forms, key=len, reverse=True):
            if len(form) >= _SHORTEST_IN_BODY:
                body = body.replace(form.encode(), HIDDEN.encode())
        return body


@dataclass(slots=True)
class Credential:
    """One platform's login and, once it was fetched, its token."""

    login: Login
    secrets: Secrets
    token: str | None = None

    def __post_init__(self) -> None:
        """Hide what the environment gave."""
        bare = _FIELD.sub("", self.login.value)
        values = [bare, bare.partition(" ")[2]] if self.login.token is None else []
        self.secrets.add(self.login.password, *values)
        if self.login.token is not None:
            self.secrets.add(*(value for _, value in parse_qsl(self.login.token.body) if len(value) >= 8))

    @property
    def ready(self) -> bool:
        """Whether no token must be fetched first."""
        return self.login.token is None or self.token is not None

    @property
    def value(self) -> str:
        """What goes into the header or the query."""
        return self.login.value if self.token is None else self.token

    def accept(self, answer: Answer) -> bool:
        """Take the token from the answer to `login.token`; whether there was one."""
        try:
            body = answer.json()
        except UnreadableAnswerError:
            return False
        names = _FIELD.findall(self.login.value)
        found = {name: name_at(body, name) for name in names}
        if not answer.ok or not all(found.values()):
            return False
        self.token = _FIELD.sub(lambda match: found[match.group(1)] or "", self.login.value)
        self.secrets.add(self.token, *(value for value in found.values() if value))
        return True

    def headers(self) -> Mapping[str, str]:
        """The header that carries it; none if the query does."""
        return {self.login.header: self.value} if self.login.header else {}

    def address(self, url: str) -> str:
        """The address with the credential in its query; as it was if a header carries it."""
        if not self.login.query:
            return url
        parts = urlsplit(url)
        kept = [(name, value) for name, value in parse_qsl(parts.query, True) if name != self.login.query]
        return urlunsplit(parts._replace(query=urlencode([*kept, (self.login.query, self.value)])))

    def bare_address(self, url: str) -> str:
        """The address without the credential, for the archive."""
        parts = urlsplit(url)
        if not self.login.query or self.login.query not in parts.query:
            return self.secrets.hide(url)
        kept = [(name, value) for name, value in parse_qsl(parts.query, True) if name != self.login.query]
        return self.secrets.hide(urlunsplit(parts._replace(query=urlencode(kept))))
