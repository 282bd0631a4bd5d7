"""Tables: what people have (files and frames of raw columns), made into features."""

from onelayer.counting import counted
from onelayer.tables.cells import as_labels, as_numbers, as_text, places
from onelayer.tables.encoding import Column, Encoded, Encoder, fit
from onelayer.tables.reading import TableError, TableWarning, column, read

__all__ = [
    "Column",
    "Encoded",
    "Encoder",
    "TableError",
    "TableWarning",
    "as_labels",
    "as_numbers",
    "as_text",
    "column",
    "counted",
    "fit",
    "places",
    "read",
]
