"""A real Chromium for tests of pages: use it with ``pytest_plugins = ["browser"]`` at the top of a test file.

The browser is the system's own, or the one that the environment variable GANFORGE_CHROMIUM names; without one, the
tests that ask for it are skipped.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass
class Tab:
    """An open page and what went wrong in it.

    Attributes:
        page: Playwright's page.
        problems: console errors and warnings, uncaught exceptions, failed requests.
        requests: addresses asked for, data URIs left out.
    """

    page: Any
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def wait_until(self, expression: str, *, seconds: float = 10) -> None:
        """Wait for a JavaScript expression to be true; Playwright's own way needs eval, which pages of ours forbid."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"still not true: {expression}"
            self.page.wait_for_timeout(20)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A running browser, shared by all tests of the session."""
    found = os.environ.get("GANFORGE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip("there is no Chromium; install one, or name it in GANFORGE_CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Tab]]:
    """Open a file: ``open_page(path, width=1280, height=800, theme="light", motion="reduce")``."""
    contexts = []

    def open_it(
        path: Path, *, width: int = 1280, height: int = 800, theme: str = "light", motion: str = "reduce"
    ) -> Tab:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion=motion
        )
        contexts.append(context)
        tab = Tab(context.new_page())
        tab.page.on("console", lambda m: tab.problems.append(m.text) if m.type in ("error", "warning") else None)
        tab.page.on("pageerror", lambda error: tab.problems.append(str(error)))
        tab.page.on("requestfailed", lambda request: tab.problems.append(f"failed: {request.url[:80]}"))
        tab.page.on("request", lambda r: None if r.url.startswith("data:") else tab.requests.append(r.url))
        tab.page.goto(path.resolve().as_uri())
        return tab

    yield open_it
    for context in contexts:
        context.close()
