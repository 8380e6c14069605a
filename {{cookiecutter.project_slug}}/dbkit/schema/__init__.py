"""What a database really holds, as data that can be compared."""

from dbkit.schema.difference import Difference, differences, fingerprint
from dbkit.schema.picture import Facets, Picture, SchemaObject
from dbkit.schema.reader import read

__all__ = ["Difference", "Facets", "Picture", "SchemaObject", "differences", "fingerprint", "read"]
