"""SQL that would take differences between two databases away, where that is simple and safe."""

from dbkit.schema.mending.mend import Mend
from dbkit.schema.mending.order import mends

__all__ = ["Mend", "mends"]
