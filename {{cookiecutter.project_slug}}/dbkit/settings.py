"""The variables that the kit acts on: the environment, then the project's `.env`, typed."""

import os
from functools import cache
from typing import Any, Literal, TypeVar

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from dbkit import PROJECT
from dbkit.errors import SettingsError


def either(name: str, second: str, default: Any, **rule: Any) -> Any:
    """Declare a field that two variables can set; if one place sets both, the first name counts."""
    return Field(default, validation_alias=AliasChoices(name, second), **rule)


class DatabaseSettings(BaseSettings):
    """DATABASE_*, MIGRATION_* and TEST_*. URLs are secrets: neither `repr` nor an error shows them.

    `app.settings.Settings` adds the service's own variables.
    """

    model_config = SettingsConfigDict(
        env_file=PROJECT / ".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        # An error that quotes its input would quote the password in a URL.
        hide_input_in_errors=True,
    )

    environment: Literal["development", "test", "staging", "production"] = "development"

    database_url: SecretStr
    migration_database_url: SecretStr | None = None
    test_database_url: SecretStr | None = None
    test_database_template: str = Field("template0", min_length=1)

    database_replica_url: SecretStr | None = None
    database_pooler: Literal["transaction"] | None = None
    database_pool_size: int = either("DATABASE_POOL_SIZE", "DB_POOL_SIZE", 5, ge=1)
    database_max_overflow: int = either("DATABASE_MAX_OVERFLOW", "DB_MAX_OVERFLOW", 10, ge=0)
    database_pool_timeout: float = either(
        "DATABASE_POOL_TIMEOUT", "DB_POOL_TIMEOUT", 30.0, gt=0, allow_inf_nan=False
    )
    database_statement_timeout: float = Field(30.0, gt=0, allow_inf_nan=False)
    database_echo: bool = either("DATABASE_ECHO", "DB_ECHO_SQL", False)

    # Seconds. PostgreSQL counts its timeouts in milliseconds, in 31 bits.
    migration_timeout: float = either(
        "MIGRATION_TIMEOUT", "DB_MIGRATION_TIMEOUT", 600.0, gt=0, le=2_000_000
    )
    migration_lock_timeout: float = Field(2.0, gt=0, le=2_000_000)
    migration_wait: float = Field(300.0, ge=0, allow_inf_nan=False)

    migrate_on_start: bool = False
    require_migrated: bool = False


AnySettings = TypeVar("AnySettings", bound=DatabaseSettings)


def load_settings(kind: type[AnySettings]) -> AnySettings:
    """Read the environment and `.env` now, into `DatabaseSettings` or a class that extends it.

    Raises:
        SettingsError: a variable is missing or breaks its rule; the message names both.
    """
    # A deployment whose secret is empty must not go on with what `.env` names. Other variables
    # have a default, and count as unset.
    if any(name.upper() == "DATABASE_URL" and not text for name, text in os.environ.items()):
        raise SettingsError(
            "DATABASE_URL is empty in the environment: give it a value, or unset it, "
            "and .env counts"
        )
    try:
        return kind()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env cannot be read: {type(error).__name__}") from None
    except ValidationError as error:
        problems = [
            f"{_variables(kind, str(problem['loc'][0]))}: {_uncapitalized(problem['msg'])}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
    exists = (PROJECT / ".env").exists()
    advice = ".env.example lists the settings" if exists else "no .env here: 'make db-up' makes one"
    raise SettingsError("; ".join(problems) + f" ({advice})")


def _uncapitalized(text: str) -> str:
    return text[:1].lower() + text[1:]


def _variables(kind: type[DatabaseSettings], location: str) -> str:
    """Name the variable of a validation error, with its second spelling where it has one."""
    for field in kind.model_fields.values():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices) and location in alias.choices:
            return " or ".join(map(str, alias.choices))
    return location.upper()


@cache
def get_settings() -> DatabaseSettings:
    """Return the settings of this process, read at the first call. Raises: see `load_settings`."""
    return load_settings(DatabaseSettings)
