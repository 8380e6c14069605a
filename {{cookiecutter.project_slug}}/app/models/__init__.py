"""The registry: importing `app.models` imports every module below this folder.

A model is known to migrations because its file is here; there is no list to keep.
"""

from pathlib import Path

from dbkit.modules import import_modules

import_modules(__name__, Path(__file__).parent)
