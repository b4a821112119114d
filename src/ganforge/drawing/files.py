"""Writing a file so that nobody ever sees half of it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Hand out a temporary path beside ``path``, with its suffix; move it there when the block ends well.

    The target is either the old file or the whole new one, also after ``kill -9``. Missing folders are made. When the
    block fails, the temporary file is removed and the old target stays. Raises OSError (disk full, read-only folder …).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(6)}.tmp{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)  # noqa: PTH105 - the name says what it promises
    finally:
        temporary.unlink(missing_ok=True)
