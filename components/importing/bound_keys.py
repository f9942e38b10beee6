"""Values that data is encrypted with: they are kept, or said to exist, and never made anew while data needs them."""

from __future__ import annotations

from ..backends.registry import data_keys
from ..settings.placeholders import is_placeholder
from ..validation.rules.keys import CIPHERS, decoded_size
from .conversion import Conversion
from .draft import Place, Value
from .placeholders import ENCRYPTION


def bound_places() -> tuple[Place, ...]:
    """Where the keys stand that data is encrypted with: that of values, and that of each internal secret store."""
    return (ENCRYPTION, *(tuple(path.split(".")) for path in data_keys()))


def convert(conversion: Conversion) -> None:
    """Marks usable keys as existing, and leaves out those that never encrypted anything."""
    _encryption(conversion)
    for place in bound_places()[1:]:
        value = conversion.draft.at(*place)
        if not isinstance(value, Value):
            continue
        if not str(value.value).strip():
            conversion.drop(place, "empty: Kestra stored no secret with it; a key is made")
        else:
            _keep(conversion, place)


def _encryption(conversion: Conversion) -> None:
    value = conversion.draft.at(*ENCRYPTION)
    if not isinstance(value, Value):
        return
    text = str(value.value)
    if is_placeholder(text):
        _keep(conversion, ENCRYPTION)
        return
    if not text.strip():
        conversion.drop(
            ENCRYPTION,
            "empty: Kestra ran without encryption; a key is made, older values stay as they are",
        )
        return
    size = decoded_size(text)
    if size in CIPHERS:
        _keep(conversion, ENCRYPTION)
        if size != 32:
            conversion.changed(
                ENCRYPTION,
                f"{size} bytes ({CIPHERS[size]}): kept, since Kestra reads what it stored with no other key",
                "docs/rotation.md says how to get to one of 32 bytes",
            )
        return
    what = "no standard base64" if size is None else f"base64 of {size} bytes"
    conversion.drop(
        ENCRYPTION,
        f"{what}: AES takes 16, 24 or 32, so nothing was ever encrypted with it; a new key is generated and no old "
        "value is lost by that",
    )


def _keep(conversion: Conversion, place: Place) -> None:
    origin = conversion.draft.origin(place)
    conversion.draft.put(
        (*place[:-1], "existing"), Value(True, origin, comment="data is bound to this key")
    )
