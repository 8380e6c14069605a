"""The registry: importing `app.models` imports every module below this folder.

A model is known to migrations because its file is here; there is no list to keep.
"""

from importlib import import_module
from pathlib import Path

_FOLDER = Path(__file__).parent

for _path in sorted(_FOLDER.rglob("*.py")):
    _parts = _path.relative_to(_FOLDER).with_suffix("").parts
    if any(part.startswith(".") for part in _parts):  # an editor's temporary file
        continue
    if not all(part.isidentifier() for part in _parts):
        _name = "/".join(("app/models", *_parts))
        raise ImportError(f"{_name}.py has a name that Python cannot import: rename it")
    import_module(".".join((__name__, *_parts)).removesuffix(".__init__"))
