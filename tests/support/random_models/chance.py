"""What decides, and gives names."""

import random

PLAIN_WORDS = ["name", "email", "price", "state", "owner", "note"]
HARD_WORDS = ["Order", "user", "select", "weird name", 'a"b', "50%", "größe", "it's", "x-y"]


class Chance:
    """Decides, and gives names that nothing has yet.

    Args:
        seed: the same one decides the same.
        dialect: `postgresql` or `sqlite`.
    """

    def __init__(self, seed: int | str, dialect: str) -> None:
        self.chance = random.Random(f"{seed} {dialect}")  # noqa: S311 - no secret
        self.is_postgresql = dialect == "postgresql"
        self.count = 0

    def likely(self, share: float) -> bool:
        """True that often."""
        return self.chance.random() < share

    def number(self) -> int:
        """Return a number that nothing has yet."""
        self.count += 1
        return self.count

    def name(self, letter: str, most_bytes: int = 63) -> str:
        """Return a name; some need quotes, some are as long as PostgreSQL allows."""
        number = self.number()
        if self.likely(0.04):
            word = self.chance.choice(("a_long_name_", "ü"))
            return (f"{letter}{number}_" + word * most_bytes).encode()[:most_bytes].decode(errors="ignore")
        return f"{self.chance.choice(PLAIN_WORDS if self.likely(0.6) else HARD_WORDS)}{number}"
