"""Pictures in folders, at any depth; one folder a class where they are sorted so.

photos/a.jpg  photos/2019/b.png …                    "folder": pictures, nothing known of them
cats/1.jpg cats/2.jpg … dogs/1.jpg …                 "class folders": a choice named "label"
train/cats/1.jpg … test/dogs/9.jpg …                 the same, with splits
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ganforge.attributes import Choice
from ganforge.pictures.collection import (
    NO_SPLIT,
    TEST,
    TRAIN,
    VALIDATION,
    Collection,
    Pixels,
    Skipped,
    annotate,
)
from ganforge.pictures.decode import format_of, looks_like_picture
from ganforge.pictures.trees import ARCHIVES, FileTree
from ganforge.progress import Progress

SPLITS = {
    "train": TRAIN, "training": TRAIN, "validation": VALIDATION, "valid": VALIDATION, "val": VALIDATION,
    "dev": VALIDATION, "test": TEST, "testing": TEST,
}  # fmt: skip


@dataclass(frozen=True)
class TreePictures:
    """Pictures that are files of a tree."""

    tree: FileTree
    files: Sequence[str]

    def read(self, index: int, size: tuple[int, int] | None) -> bytes | Pixels:
        """See `ganforge.pictures.collection.Pictures.read`."""
        return self.tree.read(self.files[index])

    def digest(self, progress: Progress) -> str:
        """See `ganforge.pictures.collection.Pictures.digest`."""
        return self.tree.digest(self.files, progress)


def picture_files(tree: FileTree, used: Sequence[str] = ()) -> tuple[list[str], list[Skipped]]:
    """The pictures among the files of a tree, by suffix or else by content, and the others.

    Files in ``used`` (metadata that a reader has understood) are neither.
    """
    files: list[str] = []
    others: list[Skipped] = []
    for name in tree.files:
        if name in used:
            continue
        if format_of(name) is not None or looks_like_picture(tree.head(name)):
            files.append(name)
        else:
            archive = name.lower().endswith(ARCHIVES)
            others.append(Skipped(name, "an archive in a folder: name it by itself" if archive else "not a picture"))
    return files, others


def root_of(files: Sequence[str]) -> str:
    """The folder (ending in "/", or "") that holds all ``files``: what an archive wraps around its contents."""
    if not files:
        return ""
    first, last = min(files), max(files)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[: first.rfind("/", 0, same) + 1]


def split_folders(files: Sequence[str]) -> tuple[str, dict[str, int]]:
    """The root, and the folders right below it (ending in "/") that are splits; none unless one of them is "train"."""
    root = root_of(files)
    if root.rstrip("/").rsplit("/", 1)[-1].lower() in SPLITS:  # there is only one split
        return root, {}
    below = {name[len(root) :].split("/")[0] for name in files if "/" in name[len(root) :]}
    splits = {f"{root}{folder}/": SPLITS[folder.lower()] for folder in below if folder.lower() in SPLITS}
    return root, splits if TRAIN in splits.values() else {}


def find(tree: FileTree) -> Collection | None:
    """Any tree that holds pictures."""
    files, others = picture_files(tree)
    if not files:
        return None
    root, splits = split_folders(files)
    inside = [_below(name, root, splits) for name in files]
    parts = [name.split("/") for name in inside]
    sizes = Counter(p[0] for p in parts if len(p) == 2)
    # One level of folders, several of them, with several pictures each: then they are classes.
    classes = len(sizes) >= 2 and sum(sizes.values()) >= 0.95 * len(files) and sum(sizes.values()) >= 2 * len(sizes)
    labels = [{"label": p[0]} if classes and len(p) == 2 else {} for p in parts]
    return Collection(
        layout="class folders" if classes else "folder",
        names=files,
        pictures=TreePictures(tree, files),
        annotations=annotate(
            labels,
            splits=[next((s for f, s in splits.items() if name.startswith(f)), NO_SPLIT) for name in files],
            known={"label": Choice(name="label", values=tuple(sorted(sizes)))} if classes else {},
        ),
        skipped=(*tree.skipped, *others),
    )


def _below(name: str, root: str, splits: dict[str, int]) -> str:
    folder = next((folder for folder in splits if name.startswith(folder)), root)
    return name[len(folder) :]
