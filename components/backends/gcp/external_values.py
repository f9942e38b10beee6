"""Values of external secrets in Google Secret Manager."""

from __future__ import annotations

import base64

from ...settings.declared import Generate
from ...settings.model import Settings
from ..answers import CurrentVersion, UnansweredError
from ..external_values import ENCRYPTION_KEY, NO_PLACE, NO_VALUE
from ..secret_naming import filtered_name, recovery_name
from .drift import request, version_of


class GoogleValues:
    """The external secrets of a stack in Google Secret Manager; see `ExternalValues`."""

    def __init__(self, settings: Settings, project: str) -> None:
        self._settings, self._project = settings, project

    def _id(self, name: str) -> str:
        is_key = name == ENCRYPTION_KEY
        id_ = recovery_name(self._settings) if is_key else filtered_name(self._settings, name)
        return f"projects/{self._project}/secrets/{id_}"

    def version(self, name: str) -> CurrentVersion:
        answer = request("GET", f"{self._id(name)}/versions/latest")
        if answer is not None:
            return version_of(answer)
        return CurrentVersion("", NO_VALUE if request("GET", self._id(name)) else NO_PLACE)

    def write(self, name: str, value: str) -> CurrentVersion:
        data = base64.b64encode(value.encode()).decode()
        body = {"payload": {"data": data}}
        answer = request("POST", f"{self._id(name)}:addVersion", body, (value,))
        if answer is None:
            raise UnansweredError(
                f"Google Secret Manager has no secret {self._id(name)}: `pulumi up` makes it first."
            )
        return version_of(answer)

    def read(self, name: str) -> str:
        answer = request("GET", f"{self._id(name)}/versions/latest:access")
        if answer is None:
            raise UnansweredError(f"{name} has no value in Google Secret Manager.")
        try:
            return base64.b64decode(answer["payload"]["data"]).decode()
        except (KeyError, ValueError):
            raise UnansweredError(f"{name} is no text in Google Secret Manager.") from None

    def random(self, generate: Generate) -> str | None:
        return None
