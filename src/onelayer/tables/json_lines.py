"""Tables of which each row is an object of JSON, on a line of its own."""

import io
import json
import re
from collections import Counter
from contextlib import suppress
from typing import Any

import polars as pl

from onelayer.tables.frames import of_rows, refuse_mixed
from onelayer.tables.naming import TableError, first_line


def read_json_lines(text: str, name: str, labels: str | None) -> pl.DataFrame:
    """A text of which each line names its cells; those of the column of `labels` are of one kind."""
    try:
        frame = pl.read_ndjson(io.BytesIO(text.encode()), infer_schema_length=None)
        _refuse_doubled(text, name, frame)
        if labels is not None and frame.schema.get(labels) == pl.String and _unquoted(text, labels):
            refuse_mixed([json.loads(line) for line in text.split("\n") if line.strip()], labels)
        return frame
    except pl.exceptions.PolarsError as error:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip() and not _is_json_object(line):
                raise TableError(
                    f'{name}, line {number}: not one JSON object, such as {{"age": 30}}, or {{"age": null}} where '
                    "nothing is known (NaN is no JSON)"
                ) from error
        # the types of some lines are not those of others
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
        _refuse_doubled(text, name)
        if labels is not None:
            refuse_mixed(rows, labels)
        try:
            return pl.DataFrame(of_rows(rows))
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as said:
            raise TableError(f"{name}: {first_line(said)}") from error


def _unquoted(text: str, key: str) -> bool:
    """Whether a number or a truth may stand at a key of JSON."""
    written = "|".join(map(re.escape, {key, json.dumps(key)[1:-1]}))
    return re.search(rf'"({written})"\s*:\s*[-\dtf]', text) is not None


def _refuse_doubled(text: str, name: str, frame: pl.DataFrame | None = None) -> None:
    """A key twice in an object, of which one value would be lost: looked for where there are more keys than values."""
    lines = pl.Series(text.split("\n"))
    keys = lines.str.count_matches(r'"\s*:')
    filled = (lines.str.strip_chars() != "").arg_true()
    found = keys * 0
    if frame is not None and frame.width and len(filled) == frame.height:
        values = frame.select(pl.sum_horizontal(pl.all().is_not_null())).to_series().cast(found.dtype)
        found = found.scatter(filled, found.gather(filled) + values)
    for row in (keys > found).arg_true():
        for key in _doubled(lines[row]):
            raise TableError(f"{name}, line {row + 1}: the object names {key!r} twice: rename one of them")


def _doubled(line: str) -> list[str]:
    doubled: list[str] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        kept = dict(pairs)
        if len(kept) < len(pairs):
            doubled.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return kept

    with suppress(ValueError, RecursionError):  # which polars tells of
        json.loads(line, object_pairs_hook=keep)
    return doubled


def _is_json_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line, parse_constant=int), dict)  # int refuses NaN and Infinity
    except (ValueError, RecursionError):
        return False
