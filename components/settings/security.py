"""`kestra.security`: accounts, roles, invitations and passwords (Enterprise Edition)."""

from __future__ import annotations

from .base import Duration, Model, Secret, StrictBool, StrictInt, key

PAGE = "Kestra documentation, configuration/security-and-secrets"


class SuperAdmin(Model):
    """The break-glass account; 2.0 calls it instance owner."""

    username: str = key(
        text="User name (an e-mail address).", min_length=1, max_length=256, source=PAGE
    )
    password: Secret | None = key(
        None, "Password, or `${NAME}` for an environment variable. Absent: generated.", source=PAGE
    )
    tenant_admin_access: tuple[str, ...] = key(
        (), "Tenants that the account also administers.", source=PAGE
    )


class DefaultRole(Model):
    """The role of users who have no other."""

    name: str = key(text="Name of the role.", min_length=1, source=PAGE)
    description: str | None = key(None, "What the role is for.", source=PAGE)
    permissions: dict[str, tuple[str, ...]] = key(
        text="Resource to actions: CREATE, READ, UPDATE, DELETE on 1.3 (translated for 2.0), or 2.0's own.",
        min_length=1,
        source=PAGE + "; migration-guide/v2.0.0/rbac-action-model",
    )
    tenant_id: str | None = key(None, "Tenant that the role is limited to.", source=PAGE)


class Invitations(Model):
    """Invitation links."""

    expire_after: Duration | None = key(
        None, "How long a link is valid (Kestra: P7D).", unit="duration", source=PAGE
    )


class PasswordRules(Model):
    """Rules for passwords of users: one regular expression on 1.3, structured rules on 2.0."""

    password_regexp: str | None = key(
        None, "Java regular expression that a password must match.", until="1.3", source=PAGE
    )
    password_min_length: StrictInt | None = key(
        None, "Characters at least (Kestra: 8).", since="2.0", ge=8, le=256, source=PAGE
    )
    password_require_special: StrictBool | None = key(
        None, "Whether a special character is needed (Kestra: true).", since="2.0", source=PAGE
    )
    password_min_digits: StrictInt | None = key(
        None, "Digits at least (Kestra: 1).", since="2.0", ge=0, le=256, source=PAGE
    )
    password_min_lower_case: StrictInt | None = key(
        None, "Lower-case letters at least (Kestra: 1).", since="2.0", ge=0, le=256, source=PAGE
    )
    password_min_upper_case: StrictInt | None = key(
        None, "Upper-case letters at least (Kestra: 1).", since="2.0", ge=0, le=256, source=PAGE
    )
    password_allowed_special_characters: str | None = key(
        None, "Special characters that are allowed (Kestra: !@#$%^&*).", since="2.0", source=PAGE
    )


class Security(Model):
    """Hardening of the platform."""

    super_admin: SuperAdmin | None = key(
        None, "The break-glass account; rendered as instance-owner on 2.0.", source=PAGE
    )
    instance_owner: SuperAdmin | None = key(
        None, "2.0's name of super-admin; rendered as super-admin on 1.3.", source=PAGE
    )
    default_role: DefaultRole | None = key(
        None, "The role of users who have no other.", source=PAGE
    )
    invitations: Invitations | None = key(None, "Invitation links.", source=PAGE)
    basic_auth: PasswordRules | None = key(None, "Rules for passwords.", source=PAGE)

    @property
    def owner(self) -> SuperAdmin | None:
        """The break-glass account under either name."""
        return self.instance_owner or self.super_admin
