"""``metadata.csv``, ``.tsv`` and ``.jsonl`` as rows, whatever their encoding, delimiter and small faults."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ganforge.attributes import Value
from ganforge.pictures.texts import decode_text

FILE_COLUMNS = ("file_name", "filename", "file", "image", "image_id", "image_path", "path")
_CAPTION = re.compile(
    r"(text|caption|prompt|description|sentence)s?([ _-]?(\d+|[a-z]{2}))?|文本|文字|描述|说明|説明|キャプション",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"split|subset|partition", re.IGNORECASE)
_LONGEST_FIELD = 10**7


@dataclass
class Row:
    """What a metadata file says of one picture."""

    file: str
    attributes: dict[str, Value] = field(default_factory=dict)
    captions: list[str] = field(default_factory=list)
    split: str | None = None


@dataclass(frozen=True)
class RowsFile:
    """A metadata file that was read.

    Attributes:
        rows: in the file's order; a picture may have several.
        trouble: sentences on what could not be read, without the file's name.
    """

    rows: Sequence[Row]
    trouble: Sequence[str] = ()


def read_rows(name: str, raw: bytes) -> RowsFile:
    """Read a metadata file; its suffix tells the kind. It never fails: what is wrong is told in ``trouble``."""
    text = decode_text(raw).replace("\0", "").lstrip("\ufeff")
    records, trouble = _json_lines(text) if name.lower().endswith((".jsonl", ".ndjson")) else _delimited(text)
    if not records:
        return RowsFile((), [*trouble, "it has no rows"])
    columns = {column.strip().lower(): column for record in records for column in record}
    file_column = next((columns[c] for c in FILE_COLUMNS if c in columns), None)
    if file_column is None:
        return RowsFile((), [*trouble, f"it has no column file_name, only {', '.join(list(columns)[:8])}"])
    rows = [_row(record, file_column) for record in records if isinstance(record.get(file_column), str)]
    return RowsFile(rows, trouble)


def _row(record: Mapping[str, Any], file_column: str) -> Row:
    row = Row(record[file_column].strip())
    for column, value in record.items():
        name = column.strip()
        if column == file_column or not name:
            continue
        if _CAPTION.fullmatch(name):
            texts = value if isinstance(value, list) else [value]
            row.captions += [" ".join(text.split()) for text in texts if isinstance(text, str) and text.strip()]
        elif _SPLIT.fullmatch(name) and isinstance(value, str):
            row.split = value.strip().lower()
        elif isinstance(value, str):
            row.attributes[name] = value.strip() or None
        elif isinstance(value, bool | int | float):
            row.attributes[name] = value if value == value else None  # NaN is how tables write "unknown"  # noqa: PLR0124
    return row


def _json_lines(text: str) -> tuple[list[dict[str, Any]], list[str]]:
    records: list[dict[str, Any]] = []
    wrong: list[int] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            records.append(record)
        else:
            wrong.append(number)
    more = " and others" if len(wrong) > 5 else ""
    return records, [f"no JSON object in line {', '.join(map(str, wrong[:5]))}{more}"] if wrong else []


def _delimited(text: str) -> tuple[list[dict[str, Any]], list[str]]:
    header, _, _ = text.partition("\n")
    delimiter = _delimiter(header)
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        # Strict, so that a quotation mark that is no quoting is noticed instead of swallowing all rows up to the next.
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        try:
            plain = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE)
            lines = [[_unquoted(cell) for cell in line] for line in plain]
        except csv.Error as error:
            return [], [f"it cannot be read as a table ({error})"]
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if not lines:
        return [], []
    columns, body = lines[0], lines[1:]
    short = sum(len(line) != len(columns) for line in body)
    trouble = [f"{short} rows have more or fewer cells than the header"] if short else []
    return [dict(zip(columns, line, strict=False)) for line in body], trouble


def _delimiter(header: str) -> str:
    """The one that cuts the header into columns of which one holds file names; else the one that cuts most often."""

    def columns(delimiter: str) -> list[str]:
        return [_unquoted(cell).lower() for cell in header.split(delimiter)]

    known = [d for d in ",;\t|" if any(name in columns(d) for name in FILE_COLUMNS)]
    return max(known or [","], key=header.count)


def _unquoted(cell: str) -> str:
    cell = cell.strip()
    return cell[1:-1].replace('""', '"') if len(cell) >= 2 and cell[0] == cell[-1] == '"' else cell
