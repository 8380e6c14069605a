"""What a database really holds, as data that can be compared."""

from dbkit.schema.difference import Difference, differences, fingerprint
from dbkit.schema.grants import find_lost_grants
from dbkit.schema.names import names_in, parts_of
from dbkit.schema.packing import pack, short_hash, unpack, words_of
from dbkit.schema.picture import Facets, Picture, SchemaObject
from dbkit.schema.reader import read
from dbkit.schema.under_construction import find_under_construction, without_indexes

__all__ = [
    "Difference",
    "Facets",
    "Picture",
    "SchemaObject",
    "differences",
    "find_lost_grants",
    "find_under_construction",
    "fingerprint",
    "names_in",
    "pack",
    "parts_of",
    "read",
    "short_hash",
    "unpack",
    "without_indexes",
    "words_of",
]
