"""Managers that Kestra is told of and nothing is provisioned in, as this project knows them."""

from __future__ import annotations

from ..interface import Backend


class CyberArk(Backend):
    """CyberArk Privilege Cloud."""

    type = "cyberark"
    title = "CyberArk"


class Doppler(Backend):
    """Doppler, which is one service for everybody."""

    type = "doppler"
    title = "Doppler"
    hosts = ("api.doppler.com",)


class OnePassword(Backend):
    """1Password Connect."""

    type = "1password"
    title = "1Password"


class BeyondTrust(Backend):
    """BeyondTrust."""

    type = "beyondtrust"
    title = "BeyondTrust"


class Delinea(Backend):
    """Delinea."""

    type = "delinea"
    title = "Delinea"
    since = "2.0"


class Bitwarden(Backend):
    """Bitwarden, which is one service for everybody."""

    type = "bitwarden"
    title = "Bitwarden"
    since = "2.0"
    hosts = ("api.bitwarden.com", "identity.bitwarden.com")


CYBERARK = CyberArk()
DOPPLER = Doppler()
ONE_PASSWORD = OnePassword()
BEYONDTRUST = BeyondTrust()
DELINEA = Delinea()
BITWARDEN = Bitwarden()
