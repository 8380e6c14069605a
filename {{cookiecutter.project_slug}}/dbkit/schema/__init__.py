"""What a database really holds, as data that can be compared."""

from dbkit.schema.difference import Difference, differences, fingerprint
from dbkit.schema.grants import find_lost_grants
from dbkit.schema.names import names_in, parts_of
from dbkit.schema.packing import pack, short_hash, unpack, words_of
from dbkit.schema.picture import Facets, Picture, SchemaObject
from dbkit.schema.reader import read

__all__ = [
    "Difference",
    "Facets",
    "Picture",
    "SchemaObject",
    "differences",
    "find_lost_grants",
    "fingerprint",
    "names_in",
    "pack",
    "parts_of",
    "read",
    "short_hash",
    "unpack",
    "words_of",
]
