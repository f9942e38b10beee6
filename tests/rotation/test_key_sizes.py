"""The real Kestra's encryption takes the keys that the settings take, and fails with those that they refuse."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from components.validation.rules.keys import CIPHERS, decoded_size
from sandbox.kestra import ensure
from sandbox.progress import Progress
from tests.kestra.harness_support import with_class

pytestmark = pytest.mark.kestra

SIZES = (8, 15, 16, 17, 24, 31, 32, 33, 48)
OTHERS = ("AA=A", "AAAAA", "AA-_AAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAA\n==", "A" * 22 + "=")


def test_kestra_takes_the_keys_that_the_settings_take(tmp_path: Path, progress: Progress) -> None:
    padded = [base64.b64encode(bytes(range(size))).decode() for size in SIZES]
    keys = [*padded, *(key.rstrip("=") for key in padded), *OTHERS]
    source = Path(__file__).with_name("KeySizes.java")
    harness = with_class(ensure("1.3", progress), source, tmp_path)
    arguments = tmp_path / "classpath"
    arguments.write_text(f'-cp "{harness.classpath}"')
    done = subprocess.run(
        [harness.java, f"@{arguments}", "KeySizes", *keys],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    taken = {key: said == "value" for key, said in zip(keys, done.stdout.split(), strict=True)}
    assert taken == {key: decoded_size(key) in CIPHERS for key in keys}
    # A key of 24 bytes has no padding.
    assert sum(taken.values()) == 5
