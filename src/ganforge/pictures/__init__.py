"""Collections of pictures: found in any layout, inspected, packed once, handed out in batches.

    find_collection ─► Collection ─► make_pack ─► Pack ─► PackSource ─► batches
                             └─► inspect ─► Inspection

Loaded on first use: the processes that decode pictures must not import torch.
"""

from typing import TYPE_CHECKING, Any

_HOMES = {
    "Collection": "collection",
    "Inspection": "inspection",
    "MirrorVerdict": "mirror",
    "Pack": "pack",
    "PackOptions": "pack",
    "PackSource": "source",
    "cache_folder": "cache",
    "contact_sheet": "inspection",
    "find_collection": "readers",
    "inspect": "inspection",
    "known_pack": "packing",
    "make_pack": "packing",
    "mirror_verdict": "mirror",
    "open_pack": "pack",
    "split_held_out": "source",
}

__all__ = [
    "Collection",
    "Inspection",
    "MirrorVerdict",
    "Pack",
    "PackOptions",
    "PackSource",
    "cache_folder",
    "contact_sheet",
    "find_collection",
    "inspect",
    "known_pack",
    "make_pack",
    "mirror_verdict",
    "open_pack",
    "split_held_out",
]

if TYPE_CHECKING:
    from ganforge.pictures.cache import cache_folder
    from ganforge.pictures.collection import Collection
    from ganforge.pictures.inspection import Inspection, contact_sheet, inspect
    from ganforge.pictures.mirror import MirrorVerdict, mirror_verdict
    from ganforge.pictures.pack import Pack, PackOptions, open_pack
    from ganforge.pictures.packing import known_pack, make_pack
    from ganforge.pictures.readers import find_collection
    from ganforge.pictures.source import PackSource, split_held_out


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ganforge.pictures' has no attribute {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f"ganforge.pictures.{_HOMES[name]}"), name)
