"""CelebA as released, as unpacked, or as Kaggle serves it (https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html).

    img_align_celeba/000001.jpg …            or img_align_celeba.zip; 178×218 JPEG
    list_attr_celeba.txt | .csv              40 attributes, −1 or 1: flags
    list_eval_partition.txt | .csv           0 train, 1 validation, 2 test

The three may lie in any folders (Anno, Eval, Img) of one tree, or the lists beside img_align_celeba.zip.
"""

import re
from collections.abc import Iterator

import numpy as np

from ganforge.attributes import Flag, Schema, Table
from ganforge.pictures.archives import ZipTree
from ganforge.pictures.collection import NO_SPLIT, Annotations, Collection, Splits, UnreadablePicture
from ganforge.pictures.readers.folders import TreePictures, picture_files
from ganforge.pictures.texts import decode_text
from ganforge.pictures.trees import FileTree, FolderTree

CROPS = {"178": (178, 178), "108": (108, 108)}
"""Centre crops (width, height): all of the width, or the face as in the DCGAN tutorials."""

_IMAGES = "img_align_celeba"
_LISTS = re.compile(r"(.*/)?list_(attr_celeba|eval_partition|bbox_celeba|landmarks(_align)?_celeba)\.(txt|csv)")
_OTHERS = re.compile(r"(.*/)?(identity_CelebA\.txt|README(\.txt)?)")


def find(tree: FileTree) -> Collection | None:
    """A tree with CelebA's pictures, in folders or in its zip."""
    lists = {name: tree for name in tree.files if _LISTS.fullmatch(name)}
    beside = tree.location.parent
    if not isinstance(tree, FolderTree):
        names = sorted(entry.name for entry in beside.iterdir() if _LISTS.fullmatch(entry.name))
        lists = {**{name: FolderTree(beside, only=names) for name in names}, **lists}
    images: FileTree = tree
    zipped = [name for name in tree.files if name.lower().endswith(f"{_IMAGES}.zip")]
    if isinstance(tree, FolderTree) and zipped:
        images = ZipTree(tree.path(zipped[0]))
    elif _IMAGES not in str(tree.location.name) and not any(f"{_IMAGES}/" in name for name in tree.files):
        return None
    files, others = picture_files(images, used=list(lists))
    if not files:
        return None
    others = [skipped for skipped in others if not _OTHERS.fullmatch(skipped.name)]
    remarks = (
        ["CelebA's list_attr_celeba.txt is not beside its pictures, so nothing is known of them."] if not lists else []
    )
    rows = {file.rsplit("/", 1)[-1]: row for row, file in enumerate(files)}
    schema, table, said = _attributes(lists, rows)
    splits, more = _partition(lists, rows)
    return Collection(
        layout="celeba",
        names=files,
        pictures=TreePictures(images, files),
        annotations=Annotations(schema, table, [()] * len(files), splits),
        skipped=(*tree.skipped, *(images.skipped if images is not tree else ()), *others),
        remarks=(*remarks, *said, *more),
        crops=CROPS,
    )


def _attributes(lists: dict[str, FileTree], rows: dict[str, int]) -> tuple[Schema, Table, list[str]]:
    names: list[str] = []
    table = np.full((len(rows), 0), np.nan, dtype=np.float32)
    absent = wrong = 0
    for cells in _lines(lists, "list_attr_celeba"):
        if not names:
            # The .txt has the number of pictures, then the names alone; Kaggle's .csv has "image_id" and the names.
            if len(cells) > 1:
                names = cells[1:] if cells[0].lower() == "image_id" else cells
                table = np.full((len(rows), len(names)), np.nan, dtype=np.float32)
        elif cells[0] not in rows:
            absent += 1
        elif len(cells) == len(names) + 1 and all(cell in ("1", "-1", "0", "+1") for cell in cells[1:]):
            table[rows[cells[0]]] = [cell in ("1", "+1") for cell in cells[1:]]
        else:
            wrong += 1
    unknown = int(np.isnan(table).all(axis=1).sum()) if names else 0
    said = [
        f"list_attr_celeba: {count:,} {words}."
        for count, words in (
            (absent, "rows name pictures that are not there"),
            (wrong, "rows cannot be read"),
            (unknown, "pictures have no row"),
        )
        if count
    ]
    unique = list(dict.fromkeys(names))
    if len(unique) < len(names):
        return Schema(), table[:, :0], [*said, "list_attr_celeba: an attribute is there twice, so it was not used."]
    return Schema(attributes=tuple(Flag(name=name) for name in names)), table, said


def _partition(lists: dict[str, FileTree], rows: dict[str, int]) -> tuple[Splits, list[str]]:
    splits = np.full(len(rows), NO_SPLIT, dtype=np.uint8)
    wrong = 0
    for cells in _lines(lists, "list_eval_partition"):
        if len(cells) == 2 and cells[1] in ("0", "1", "2"):
            if cells[0] in rows:
                splits[rows[cells[0]]] = int(cells[1])
        elif cells[0].lower() != "image_id":
            wrong += 1
    return splits, [f"list_eval_partition: {wrong:,} rows cannot be read."] if wrong else []


def _lines(lists: dict[str, FileTree], which: str) -> Iterator[list[str]]:
    """The cells of every line of the first list of that name."""
    name = next((name for name in lists if which in name), None)
    if name is None:
        return
    try:
        text = decode_text(lists[name].read(name))
    except UnreadablePicture:
        return
    for line in text.splitlines():
        cells = line.replace(",", " ").split()
        if cells:
            yield cells
