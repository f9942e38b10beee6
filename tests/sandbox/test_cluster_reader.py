"""The sandbox's reader of what pods say."""

from __future__ import annotations

import io
from typing import Any

import requests

from sandbox.engine.cluster_reader import PlaneReader


class _Plane:
    """A control plane that answers every request with one document."""

    url = "https://127.0.0.1:1"

    def __init__(self, content: bytes, status: int = 200) -> None:
        self._content, self._status = content, status

    def session(self) -> Any:
        return self

    def get(self, url: str, timeout: float) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer.raw = self._status, io.BytesIO(self._content)
        answer.headers["Content-Type"] = "text/plain"
        return answer


def _log(plane: Any) -> str:
    return PlaneReader(plane).log("kestra", "a", "kestra", previous=False, lines=10)


def test_a_log_is_read_as_the_text_that_it_is_so_that_values_are_recognised() -> None:
    assert _log(_Plane("größer als ein Paßwort 密码".encode())) == "größer als ein Paßwort 密码"
    assert _log(_Plane(b"broken \xff bytes")) == "broken \ufffd bytes"


def test_a_container_without_a_log_has_an_empty_one() -> None:
    assert _log(_Plane(b"the server could not find it", 400)) == ""
