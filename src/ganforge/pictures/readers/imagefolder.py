"""Hugging Face's imagefolder: pictures, and beside them a ``metadata.csv``, ``.tsv`` or ``.jsonl``.

    metadata.csv        file_name,text,hair          one for all folders below it, or one a split:
    0001.png            0001.png,a girl,blue         train/metadata.jsonl, validation/metadata.jsonl …

Where there is metadata, folders are no labels. Columns of captions (text, caption, prompt, description …) become
captions, a column ``split`` the split, the others attributes.
https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

import re
import unicodedata
from dataclasses import replace

from ganforge.attributes import Attribute, Choice, Value
from ganforge.pictures.collection import NO_SPLIT, Collection, Skipped, UnreadablePicture, annotate
from ganforge.pictures.readers import folders
from ganforge.pictures.readers.tables import Row, RowsFile, read_rows
from ganforge.pictures.trees import FileTree

_METADATA = re.compile(r"(.*/)?metadata\.(csv|tsv|jsonl|ndjson)", re.IGNORECASE)
_CLASS = re.compile(r"labels?|class(es)?|categor(y|ies)", re.IGNORECASE)
_MOST_BYTES = 2**30


def find(tree: FileTree) -> Collection | None:
    """A tree with metadata files that name at least one of its pictures."""
    tables = {name: _read(tree, name) for name in tree.files if _METADATA.fullmatch(name)}
    files, others = folders.picture_files(tree, used=list(tables))
    if not tables or not files:
        return None
    place = _Places(files)
    rows: dict[str, Row] = {}
    missing: list[Skipped] = []
    remarks: list[str] = []
    for name, table in tables.items():
        remarks += [f"{name}: {words}." for words in table.trouble]
        base = name[: name.rfind("/") + 1]
        for row in table.rows:
            file = place.find(base, row.file)
            if file is None:
                missing.append(Skipped(base + row.file, f"named in {name}, but not there"))
            elif file in rows:  # several rows for one picture: several captions
                rows[file].captions += [text for text in row.captions if text not in rows[file].captions]
                rows[file].attributes = {**row.attributes, **rows[file].attributes}
            else:
                rows[file] = row
    if not rows:
        without = folders.find(tree)
        said = (*remarks, f"{', '.join(tables)}: none of its file names is here, so it was not used.")
        return None if without is None else replace(without, remarks=said)
    if len(rows) < len(files):
        remarks.append(f"{len(files) - len(rows)} pictures have no row in {' or '.join(tables)}.")
    _, splits = folders.split_folders(files)
    nothing = Row("")
    records = [rows.get(file, nothing).attributes for file in files]
    return Collection(
        layout="imagefolder",
        names=files,
        pictures=folders.TreePictures(tree, files),
        annotations=annotate(
            records,
            captions=[tuple(rows.get(file, nothing).captions) for file in files],
            splits=[
                next(
                    (split for folder, split in splits.items() if file.startswith(folder)),
                    folders.SPLITS.get(rows.get(file, nothing).split or "", NO_SPLIT),
                )
                for file in files
            ],
            known=_classes(records),
        ),
        skipped=(*tree.skipped, *others, *missing),
        remarks=tuple(remarks),
    )


def _read(tree: FileTree, name: str) -> RowsFile:
    try:
        return read_rows(name, tree.read(name, most=_MOST_BYTES))
    except UnreadablePicture as error:
        return RowsFile((), [str(error)])


def _classes(records: list[dict[str, Value]]) -> dict[str, Attribute]:
    """Columns called label or class are choices even where they are numbered."""
    values: dict[str, set[str]] = {}
    for record in records:
        for name, value in record.items():
            if value is not None and _CLASS.fullmatch(name):
                values.setdefault(name, set()).add(str(value))
    return {
        name: Choice(name=name, values=tuple(sorted(words, key=lambda w: (len(w), w) if w.isdigit() else (0, w))))
        for name, words in values.items()
    }


class _Places:
    """Finds the file that a row means: exactly, or else without regard to case, or to the suffix."""

    def __init__(self, files: list[str]) -> None:
        self._exact = set(files)
        self._folded = {file.casefold(): file for file in files}
        self._stems = {file.casefold().rpartition(".")[0]: file for file in files}

    def find(self, base: str, named: str) -> str | None:
        name = base + re.sub(r"^(\./)+", "", unicodedata.normalize("NFC", named.replace("\\", "/")))
        if name in self._exact:
            return name
        folded = name.casefold()
        return self._folded.get(folded) or self._stems.get(folded)
