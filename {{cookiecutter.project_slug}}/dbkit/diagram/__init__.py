"""The models as a document and a picture: `docs/schema.md` with a Mermaid diagram, and an SVG.

The diagram is our own, in a module of some lines. Of the libraries that draw SQLAlchemy's models as
Mermaid, paracelsus leaves quotes in comments and spaces in types as they are, which Mermaid cannot
read, and gives tables of two schemas one name; eralchemy orders relations by chance, and writes a
link that sends the schema to the server of others.
"""

from dbkit.diagram.graphviz import draw
from dbkit.diagram.markdown import describe
from dbkit.diagram.tables import read_tables

__all__ = ["describe", "draw", "read_tables"]
