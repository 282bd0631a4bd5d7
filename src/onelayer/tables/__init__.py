"""Tables: what people have (files and frames of raw columns), made into features."""

from onelayer.tables.encoding import Column, Encoded, Encoder, fit
from onelayer.tables.reading import TableError, TableWarning, as_numbers, as_text, column, read

__all__ = [
    "Column",
    "Encoded",
    "Encoder",
    "TableError",
    "TableWarning",
    "as_numbers",
    "as_text",
    "column",
    "fit",
    "read",
]
