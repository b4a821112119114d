"""Fixtures that several files share."""

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard():
    """A shell's & leaves SIGINT ignored here and in every child, and what is ignored stays ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory):
    """An empty cache for the tests of one file, and packing without other processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANFORGE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("GANFORGE_WORKERS", "1")
        yield
