"""The registry: importing `app.models` imports every module below this folder.

A model is known to migrations because its file is here; there is no list to keep.
"""

from importlib import import_module
from pathlib import Path

_FOLDER = Path(__file__).parent

for _path in sorted(_FOLDER.rglob("*.py")):
    _parts = _path.relative_to(_FOLDER).with_suffix("").parts
    # An editor's temporary file is no module: its name is not an identifier.
    if _parts[-1] != "__init__" and all(part.isidentifier() for part in _parts):
        import_module(".".join((__name__, *_parts)))
