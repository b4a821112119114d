"""Fixtures that several files share."""

import pytest


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory):
    """An empty cache for the tests of one file, and packing without other processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANFORGE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("GANFORGE_WORKERS", "1")
        yield
