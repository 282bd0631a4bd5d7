"""Tables: what people have (files and frames of raw columns), made into features."""

from onelayer.counting import counted
from onelayer.tables.cells import alike, as_labels, as_numbers, as_text, places, says_no_value
from onelayer.tables.encoding import Column, Encoded, Encoder, fit
from onelayer.tables.naming import TableError, TableWarning, column, composed, listed
from onelayer.tables.reading import read

__all__ = [
    "Column",
    "Encoded",
    "Encoder",
    "TableError",
    "TableWarning",
    "alike",
    "as_labels",
    "as_numbers",
    "as_text",
    "column",
    "composed",
    "counted",
    "fit",
    "listed",
    "places",
    "read",
    "says_no_value",
]
