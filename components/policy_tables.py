"""What the program and the policy pack both know: variables that Kestra binds, releases, and published holes.

The policy pack stands on its own, beside this package. The installed package has these modules of it inside
(pyproject.toml), since no other package may be named `policy` there.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING or find_spec(f"{__package__}.policy") is None:
    from policy.advisories import Advisory, Holes, first_without_holes, holes
    from policy.database_tls import DatabaseTls, PostgresTls, database_tls, postgres_factory
    from policy.environment_variables import (
        SECRET_FAMILIES,
        Binding,
        bind,
        canonical,
        variable_name,
    )
    from policy.releases import Image, Releases, releases_of, undecided_tag
else:
    from .policy.advisories import Advisory, Holes, first_without_holes, holes
    from .policy.database_tls import DatabaseTls, PostgresTls, database_tls, postgres_factory
    from .policy.environment_variables import (
        SECRET_FAMILIES,
        Binding,
        bind,
        canonical,
        variable_name,
    )
    from .policy.releases import Image, Releases, releases_of, undecided_tag

__all__ = [
    "SECRET_FAMILIES", "Advisory", "Binding", "DatabaseTls", "Holes", "Image", "PostgresTls", "Releases", "bind",
    "canonical", "database_tls", "first_without_holes", "holes", "postgres_factory", "releases_of", "undecided_tag", "variable_name",
]  # fmt: skip
