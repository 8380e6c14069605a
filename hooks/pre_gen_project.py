"""Refuse a bad slug that came in by a replay file; one that was typed is refused before it gets here.

Cookiecutter renders this file before it runs it. The filter `toml` keeps any text inside its quotes.
"""

import sys

refusal = "{{ cookiecutter.project_slug | slug_refusal | toml }}"
if refusal:
    sys.exit(refusal)
