"""Where the external coder is, and where it may not be."""

from __future__ import annotations

import pytest

from discourse.errors import UsageError
from discourse.models.judge.endpoint import endpoint

WHOLE = "http://127.0.0.1:8080/v1/chat/completions"


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/ ", WHOLE])
def test_an_address_is_taken_with_and_without_its_end(address: str) -> None:
    found = endpoint({"OPENAI_BASE_URL": address, "OPENAI_API_KEY": " sk-a-long-secret-key "})
    assert (found.url, found.host) == (WHOLE, "127.0.0.1")
    assert found.headers() == {"authorization": "Bearer sk-a-long-secret-key"}
    assert "secret" not in repr(found)
    assert found.hide("no sk-a-long-secret-key here") == "no [hidden] here"


def test_without_a_key_no_header_is_sent() -> None:
    assert endpoint({"OPENAI_BASE_URL": "https://api.example.org/v1"}).headers() == {}


@pytest.mark.parametrize(
    "address",
    [
        *("", "  ", "127.0.0.1:8080", "ftp://127.0.0.1/v1", "http://", "http://[::1", "file:///etc/passwd"),
        *("http://me:secret@127.0.0.1/v1", "http://127.0.0.1/v1?key=secret", "http://127.0.0.1:99999/v1"),
        *("http://93.184.215.14/v1", "http://nowhere.invalid/v1", "http://127.0.0.1/v1\n/x"),
    ],
)
def test_another_address_is_refused_without_telling_it(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        endpoint({"OPENAI_BASE_URL": address})
    assert "OPENAI_BASE_URL" in str(caught.value)
    assert "secret" not in str(caught.value)
