"""README and docs tell the truth: links lead somewhere, commands exist, cheap snippets run."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import ganforge

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def snippets(language: str) -> list:
    """All snippets of a language, as pytest parameters named by page and number."""
    return [
        pytest.param(text, id=f"{page.name}-{number}")
        for page in PAGES
        for number, (kind, text) in enumerate(FENCE.findall(page.read_text(encoding="utf-8")))
        if kind == language
        and not (kind == "python" and (page.name == "house.md" or "lessons" in page.parts))  # excerpts are no programs
    ]


def python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GANFORGE_CACHE": str(cwd / "cache"), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("code", snippets("python"))
def test_python_snippets_run(code, tmp_path):
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", snippets("console"))
def test_commands_and_their_options_exist(text):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for line in text.splitlines():
        if not line.startswith("$ "):
            continue
        for command in line[2:].split("&&"):
            words = shlex.split(command)
            if words[0] == "make":
                assert words[1] in targets
            elif words[0] == "ganforge":
                _parse(words[1:])
            else:
                assert words[0] in ("pip", "git", "docker", "apt-get")


def _parse(words: list[str]) -> None:
    """Let the command line's own parser judge the words, without running the command."""
    from ganforge.cli import app

    command, context = typer.main.get_command(app), None
    while hasattr(command, "commands"):
        context = command.make_context(words[0], [], parent=context, resilient_parsing=True)
        command, words = command.commands[words[0]], words[1:]
    command.make_context("ganforge", list(words), parent=context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_repository_lead_somewhere(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("https://", "http://", "#")):
            assert (page.parent / target.split("#")[0]).exists(), target


def test_the_system_of_the_house_page_trains(tmp_path):
    """Put where it says, played by name, saved, loaded and sampled."""
    page = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
    (source,) = [text for kind, text in FENCE.findall(page) if kind == "python"]
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "hinge.py").write_text(source, encoding="utf-8")
    code = """
import ganforge.systems
ganforge.systems.__path__.append("systems")
import ganforge
run = ganforge.train("avatars:48", images=96, size=32, recipe="hinge", settings={"maps": 8, "batch_size": 16}, out="run")
assert [e["step"] for e in run.events("report")][-1] == 6
assert set(run.events("report")[-1]["losses"]) == {"D", "G"}
model = ganforge.load("run")
assert model.sample(3, seed=5).pictures.shape == (3, 32, 32, 3)
assert model.verdicts(model.sample(3).pictures)
"""
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_every_recipe_is_in_the_tables():
    from ganforge.systems import recipes

    for pages in (("README.md",), ("docs/dcgan.md", "docs/style.md")):
        text = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in pages)
        assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(recipes()), pages


def test_the_changelog_has_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (newest, *_) = re.findall(r"^## \[(\d[^\]]*)\]", text, re.MULTILINE)
    assert newest == ganforge.__version__


def test_the_notebook_is_executed_whole_and_small():
    path = ROOT / "examples" / "dcgan_tutorial.ipynb"
    assert path.stat().st_size < 2_000_000
    raw = path.read_text(encoding="utf-8")
    cells = json.loads(raw)["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    kinds = [output["output_type"] for cell in code for output in cell["outputs"]]
    assert "error" not in kinds
    assert kinds.count("display_data") >= 1
    assert re.findall(r"/(?:home|root|tmp|Users|work)/", raw) == []
    for cell in code:
        ast.parse("".join(cell["source"]))


def test_the_notebook_is_what_its_script_writes():
    spec = ast.parse((ROOT / "scripts" / "notebook.py").read_text(encoding="utf-8"))
    (cells,) = [
        ast.literal_eval(node.value)
        for node in spec.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CELLS"
    ]
    written = json.loads((ROOT / "examples" / "dcgan_tutorial.ipynb").read_text(encoding="utf-8"))["cells"]
    assert ["".join(cell["source"]) for cell in written] == [part.strip() for part in cells.split("\n---\n")]
