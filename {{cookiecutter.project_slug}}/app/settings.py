"""The service's settings: `DATABASE_URL` and its like come from the kit; add your own here."""

from functools import cache

from dbkit.settings import DatabaseSettings, load_settings


class Settings(DatabaseSettings):
    """Read from the environment, then from `.env`; `page_size: int = 50` reads `PAGE_SIZE`."""


@cache
def get_settings() -> Settings:
    """Return the settings of this process, read at the first call.

    Raises:
        SettingsError: a variable is missing or breaks its rule; one line that shows no value.
    """
    return load_settings(Settings)
