"""The service's settings: `DATABASE_URL` and its like come from the kit; add your own here."""

from functools import cache
from typing import Annotated, Literal

from pydantic import BeforeValidator, ByteSize, Field

from dbkit.settings import DatabaseSettings, load_settings


class Settings(DatabaseSettings):
    """Read from the environment, then from `.env`; `page_size: int = 50` reads `PAGE_SIZE`."""

    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)
    ] = "INFO"
    log_format: Literal["text", "json"] | None = None

    docs: bool | None = None
    max_body: ByteSize = Field(default=ByteSize(1_000_000), gt=0)

    @property
    def has_docs(self) -> bool:
        """Whether `/docs`, `/redoc` and `/openapi.json` are served: not in production."""
        return self.environment != "production" if self.docs is None else self.docs

    @property
    def writes_json(self) -> bool:
        """Whether logs are for machines: unless `LOG_FORMAT` says otherwise, where it is served."""
        if self.log_format is not None:
            return self.log_format == "json"
        return self.environment in ("staging", "production")


@cache
def get_settings() -> Settings:
    """Return the settings of this process, read at the first call.

    Raises:
        SettingsError: a variable is missing or breaks its rule; one line that shows no value.
    """
    return load_settings(Settings)
