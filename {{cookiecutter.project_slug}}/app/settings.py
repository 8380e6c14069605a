"""The service's settings: `DATABASE_URL` and its like come from the kit; add your own here."""

from functools import cache
from typing import Literal

from dbkit.settings import DatabaseSettings, load_settings


class Settings(DatabaseSettings):
    """Read from the environment, then from `.env`; `page_size: int = 50` reads `PAGE_SIZE`."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    log_format: Literal["text", "json"] | None = None

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
