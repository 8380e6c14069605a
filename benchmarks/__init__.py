"""How long the template and its project take, beside Alembic and cookiecutter alone: `make bench`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # baking, projects and servers are theirs
