"""The command line on other people's machines: fast, in any terminal, at any path; and the package as it is shipped."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import ganforge

ROOT = Path(__file__).parent.parent
COMMANDS = ("demo", "train", "resume", "sample", "recipes", "data", "data inspect")
TINY = ("--set", "g.widths=16,8,8", "--set", "d.widths=8,8,16", "--set", "batch_size=8")


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """``ganforge ARGUMENTS`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "ganforge", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def cache(tmp_path: Path) -> dict[str, str]:
    """A cache folder of the test's own, at a path that is not plain either."""
    return {"GANFORGE_CACHE": str(tmp_path / "缓存 cache")}


# --- fast -------------------------------------------------------------------------------------------------------------


def test_help_takes_less_than_half_a_second():
    def once() -> float:
        before, start = os.times(), time.perf_counter()
        assert run("--help").returncode == 0
        after, wall = os.times(), time.perf_counter() - start
        computing = after.children_user + after.children_system - before.children_user - before.children_system
        return computing or wall  # other work on this machine is not the command's fault; Windows counts no children

    assert min(once() for _ in range(3)) < 0.5


@pytest.mark.parametrize("what", ["import ganforge", "import ganforge.cli"])
def test_nothing_heavy_is_imported_before_it_is_needed(what):
    heavy = "torch skia matplotlib numpy PIL av pydantic jinja2 charset_normalizer"
    code = f"{what}; import sys; print([m for m in {heavy.split()} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "[]"


# --- every command ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    done = run(*command.split(), "--help", PYTHONIOENCODING="utf-8")
    assert done.returncode == 0
    assert f"ganforge {command}".encode() in done.stdout
    assert not done.stderr


def test_the_version_is_told():
    done = run("--version")
    assert done.stdout.decode().split() == ["ganforge", ganforge.__version__]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["trian"], 2, "train"),
        (["train", "--minuets", "3"], 2, "--minutes"),
        (["train", "avatars", "--minutes", "soon"], 2, "--minutes"),
        (["train", "avatars", "--recipe", "dcgan46"], 2, "dcgan64"),
        (["train", "avatars:64", "--set", "learning_rat=1", "--images", "8"], 2, "learning_rate"),
        (["train", "avatars:64", "--recipe", "celeba28", "--size", "64"], 2, "28x28"),
        (["train", "avatars:64", "--images", "many"], 2, "many"),
        (["data", "inspect", "no such folder"], 1, "no such folder"),
        (["sample", "no such run"], 1, "no such run"),
        (["resume", "no such run"], 1, "no such run"),
    ],
)
def test_a_mistake_ends_in_a_sentence(tmp_path, arguments, status, says):
    done = run(*arguments, cwd=tmp_path, COLUMNS="200")
    told = done.stderr.decode("utf-8", "replace")
    assert done.returncode == status, told
    assert says in told
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []


# --- any terminal -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "cp932", "ascii", "cp1252"])
def test_any_terminal_can_show_what_is_said(tmp_path, cache, encoding):
    environment = {**cache, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    pictures = tmp_path / "图片 文件夹 ü"
    pictures.mkdir()
    _write_pictures(pictures, 16)
    (pictures / "emoji 😀.txt").write_text("not a picture", encoding="utf-8")
    for arguments, status in ((["--help"], 0), (["data", "inspect", str(pictures)], 0), (["sample", str(pictures)], 1)):
        done = run(*arguments, **environment)
        out, err = done.stdout.decode(encoding), done.stderr.decode(encoding)  # not one byte that it cannot show
        assert done.returncode == status, err
        assert "Traceback" not in err
        if encoding in ("utf-8", "gbk") and status == 0 and len(arguments) > 1:
            assert "图片 文件夹" in out


def _write_pictures(folder: Path, count: int) -> None:
    from ganforge.avatars import avatar_seed, draw, sample_record
    from ganforge.drawing.grids import save_png

    for index in range(count):
        seed = avatar_seed(3, index)
        save_png(draw(sample_record(seed), seed, 32), folder / f"画 {index:02}.png")


# --- any path ---------------------------------------------------------------------------------------------------------


def test_from_pictures_to_samples_at_a_path_with_spaces_and_chinese(tmp_path, cache):
    here = tmp_path / "a b 试验 ü"
    pictures = here / "我的 图片"
    pictures.mkdir(parents=True)
    _write_pictures(pictures, 20)
    environment = {**cache, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    arguments = ["train", "我的 图片", "--images", "64", "--recipe", "cifar32", *TINY, "--out", "run 一"]
    done = run(*arguments, cwd=here, **environment)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().splitlines()[-1].startswith("run ")
    assert (here / "run 一" / "model" / "model.json").is_file()
    assert run("sample", "run 一", "-n", "4", "--grid", "表 1.png", cwd=here, **environment).returncode == 0
    assert (here / "表 1.png").read_bytes().startswith(b"\x89PNG")
    again = run(*arguments, cwd=here, **environment)  # never over an old one
    assert again.returncode == 1
    assert b"already" in again.stderr


# --- the package ------------------------------------------------------------------------------------------------------


def _modules() -> list[str]:
    return ["ganforge", *(m.name for m in walk_packages(ganforge.__path__, "ganforge.") if "__main__" not in m.name)]


@pytest.mark.parametrize("name", _modules())
def test_all_is_complete(name):
    """What ``__all__`` names is there, and what a package imports for its users is named in ``__all__``."""
    module = import_module(name)
    if not hasattr(module, "__all__"):
        return
    assert list(module.__all__) == sorted(module.__all__, key=str.upper) or module.__all__ == sorted(module.__all__)
    for public in module.__all__:
        assert getattr(module, public) is not None
    homes = getattr(module, "_HOMES", None)
    if homes is not None:
        assert set(homes) == set(module.__all__)
        with pytest.raises(AttributeError, match="it offers"):
            module.no_such_name  # noqa: B018


def test_imports_point_one_way():
    contract = shutil.which("lint-imports", path=Path(sys.executable).parent) or shutil.which("lint-imports")
    if contract is None:
        pytest.skip("import-linter is not installed")
    source = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [contract, "--no-cache"], cwd=ROOT, env=source, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_layer_is_under_the_contract():
    layers = re.search(r"layers = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.DOTALL)
    assert layers is not None
    named = set(re.findall(r"\w+", layers[1]))
    there = {p.stem for p in (ROOT / "src" / "ganforge").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert there - {"__init__", "__main__"} <= named


def test_source_files_are_read_and_written_as_utf8():
    """``open``, ``read_text`` and ``write_text`` without an encoding take the system's, which is not UTF-8 everywhere."""
    forgotten = []
    for file in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            text = name in ("read_text", "write_text")
            if text and not any(k.arg == "encoding" for k in node.keywords):
                forgotten.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert forgotten == []


@pytest.mark.slow
def test_wheel_and_sdist_hold_everything(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=280,
    )
    (wheel,) = tmp_path.glob("*.whl")
    (sdist,) = tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
    data = {p.relative_to(ROOT / "src").as_posix() for p in (ROOT / "src" / "ganforge").rglob("*") if p.is_file()}
    assert {name for name in data if "__pycache__" not in name} <= shipped
    assert any(name.endswith("licenses/LICENSE") for name in shipped)
    with tarfile.open(sdist) as archive:
        inside = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "Makefile", "tests/test_setup.py", "docs/house.md"} <= inside
    target = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(wheel)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    code = "import sys, ganforge.cli; print(ganforge.__file__); sys.argv = ['ganforge', '--help']; ganforge.cli.main()"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(target), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        timeout=60,
        check=True,
    ).stdout.decode()
    assert str(target) in told
    assert "demo" in told
