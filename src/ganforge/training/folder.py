"""The run folder: everything a training leaves behind, and all it needs to go on.

run.json            what was asked for, resolved: recipe, config, pictures, budget, seed. Written once, extended by `resume`
state.json          running, finished, interrupted or failed; process id; why
log.jsonl           one event a line: calibrating, start, execution, warm_start, plan, threads, report, sample, score, checkpoint,
                    collapse, recovery, rollback, resume, stopped_early, finished
samples/            sheets of the fixed seeds 0 … 63, one PNG a moment, named by pictures seen; cells without gaps
checkpoints/        those that are kept of what was saved (`checkpoints.py`), named by pictures seen
                    (ganforge.training.checkpoints)
model/              the finished Model: the best checkpoint's
curves.png, .svg    losses, D's verdicts and its hit rate
timelapse.mp4, .gif the fixed seeds over time, with D's verdict of each
"""

import errno
import json
import math
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ganforge import __version__
from ganforge.errors import RunError, UsageError
from ganforge.files import quoted, replacing
from ganforge.training.budget import Budget

Event = dict[str, Any]
FORMAT: Literal[1] = 1


class RunConfig(BaseModel):
    """run.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    ganforge: str = __version__
    recipe: str
    system: str
    config: dict[str, Any]
    pictures: str = Field(description="as an absolute path, or avatars:COUNT:SEED")
    pack: dict[str, Any] = Field(description="the pack's options")
    digest: str = Field(description="of the pack")
    start_from: str | None = Field(None, description="folder of the Model whose weights the nets begin with")
    start_id: str | None = Field(None, description="of that Model")
    flip: bool = Field(description="whether pictures are mirrored half of the time")
    seed: int = Field(ge=0, lt=2**63)
    seconds: float | None = Field(None, description="budget as wall time")
    images: int | None = Field(None, description="budget as pictures seen")
    replay: list[dict[str, Any]] | None = Field(None, description="plans of another run, replayed instead of a budget")
    replay_threads: list[tuple[int, int]] | None = Field(None, description="(seen, threads) changes of that run")
    replay_scores: list[dict[str, Any]] | None = Field(None, description="scores of that run: when, and beside what")
    looked_at: int = Field(
        0, ge=0, description="pictures whose features D learns to find, where its system asks for any"
    )
    execution: dict[str, Any] | None = Field(None, description="layout, precision, compiled; where they were given")
    checkpoint_every_seconds: float = Field(45, gt=0)
    frames: int = Field(48, ge=2, description="moments of the time-lapse")
    stop_early: bool = Field(True, description="whether a run that collapsed or copies ends before its budget is spent")
    tensorboard: bool = False

    @model_validator(mode="after")
    def _sound(self) -> "RunConfig":
        try:
            Budget(self.seconds, self.images)
        except UsageError:
            raise ValueError("either seconds or images is above 0, the other one null") from None
        if not all(_complete({"event": "plan", **plan}) for plan in self.replay or ()):
            raise ValueError("replay holds something that is no plan")
        return self


class Run:
    """A run folder, opened. Made by `create`; `Run(path)` opens one that is there.

    Raises:
        RunError: the folder holds no run.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise RunError(f"There is no run folder at {self.path}.")
        try:
            self.config = RunConfig.model_validate_json((self.path / "run.json").read_bytes())
        except OSError:
            raise RunError(f"{self.path} is not a run folder: it holds no run.json.") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole file"
            raise RunError(
                f"{self.path / 'run.json'} is damaged or of another version: {where}: {first['msg']}."
            ) from None

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> "Run":
        """Make a new run folder. Raises RunError where something is there already or nothing can be written."""
        must_be_free(path)
        new = not path.exists()
        try:
            with replacing(path / "run.json") as file:
                file.write_text(config.model_dump_json(indent=1), encoding="utf-8")
        except OSError as error:
            if new:
                with suppress(OSError):
                    path.rmdir()
            raise RunError(
                f"No run folder can be made at {path}: {error.strerror or error}. {_remedy(error)}"
            ) from None
        return cls(path)

    def sweep(self) -> None:
        """Remove what a killed process left half-written here (checkpoints have a sweep of their own)."""
        for folder in (self.path, self.path / "samples"):
            for leftover in folder.glob(".*.tmp*"):
                leftover.unlink(missing_ok=True)

    def extend(self, **changes: Any) -> None:
        """Change run.json (a longer budget)."""
        self.config = self.config.model_copy(update=changes)
        with explained(self.path), replacing(self.path / "run.json") as file:
            file.write_text(self.config.model_dump_json(indent=1), encoding="utf-8")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the run for this process. Raises RunError where another one trains it."""
        with explained(self.path):
            for folder in ("samples", "checkpoints"):
                (self.path / folder).mkdir(exist_ok=True)
            lock = FileLock(self.path / ".lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise RunError(
                    f"{self.path} is being trained by process {self.state().get('pid')}; wait for it, or stop it."
                ) from None
        try:
            yield
        finally:
            lock.release()

    # --- state ---

    def state(self) -> dict[str, Any]:
        """state.json; empty for a run that never started, "interrupted" for one whose process died."""
        try:
            state: Any = json.loads((self.path / "state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(state, dict):
            return {}
        if state.get("state") == "running" and not self._held():
            state["state"] = "interrupted"
        return state

    def _held(self) -> bool:
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            return True
        lock.release()
        return False

    def set_state(self, state: str, **more: Any) -> None:
        """Write state.json: "running", "finished", "interrupted" or "failed"."""
        said = {"state": state, "pid": os.getpid(), "updated": time.time(), **more}
        with explained(self.path), replacing(self.path / "state.json") as file:
            file.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")

    # --- log ---

    def log(self, event: Event) -> None:
        """Append one event."""
        line = json.dumps(_finite(event), ensure_ascii=False)
        with explained(self.path), (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def events(self, *kinds: str) -> list[Event]:
        """Events of these kinds (all without any), oldest first; a line cut short by a crash is passed over."""
        try:
            lines = (self.path / "log.jsonl").read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            return []
        return [
            event for event in map(_parsed, lines) if event is not None and (not kinds or event.get("event") in kinds)
        ]

    def cut_log(self, keep: Iterable[Event]) -> None:
        """Replace the log by these events, atomically."""
        with explained(self.path), replacing(self.path / "log.jsonl") as file:
            file.write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in keep), encoding="utf-8")

    def rewind(self, seen: int) -> None:
        """Forget what was logged and drawn after ``seen`` pictures: a resume plays it again."""
        events = self.events()
        lasting = ("start", "execution")
        self.cut_log(
            e
            for e in events
            if e.get("event") in lasting or (e.get("seen", 0) <= seen and e.get("event") != "finished")
        )
        for sheet in (self.path / "samples").glob("*.png"):
            if sheet.stem.isdigit() and int(sheet.stem) > seen:
                sheet.unlink()


def _parsed(line: str) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and _complete(event) else None


NEEDED: dict[str, dict[str, type]] = {
    "plan": {"seen": int, "fraction": float, "planned": int},
    "execution": {"device": str, "layout": str, "precision": str},
    "threads": {"seen": int, "threads": int},
    "report": {"seen": int, "losses": dict},
    "score": {"seen": int, "fraction": float, "seconds": float, "kid": float, "spread": float},
    "sample": {"seen": int, "fraction": float, "seconds": float, "file": str},
}
"""What readers of the log count on; an event without it is damaged and passed over."""


def _complete(event: Event) -> bool:
    def fits(value: object, kind: type) -> bool:
        return isinstance(value, int | float) if kind is float else isinstance(value, kind)

    return all(fits(event.get(key), kind) for key, kind in NEEDED.get(str(event.get("event")), {}).items())


def _finite(value: Any) -> Any:
    """JSON knows no NaN: what is not finite becomes null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a full disk, a read-only target and the like, while a run goes on, into a RunError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            said = f"The disk that holds {path} is full. Free some space"
        elif error.errno in (errno.ENOTDIR, errno.EEXIST):
            said = f"{path} cannot be written: {error.filename or 'a file'} is in the way. Move it elsewhere"
        else:
            said = f"{path} cannot be written ({error.strerror or error}). Make it writable"
        raise RunError(f"{said}; `ganforge resume {quoted(path)}` then goes on from the last checkpoint.") from error


def _remedy(error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "Free some space, or name a folder on another disk with --out." if full else "Name another one with --out."


def must_be_free(path: Path) -> None:
    """Raise RunError where a run folder cannot be made because something is there already."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunError(
            f"{path} is there already; nothing was overwritten. Name another folder with --out"
            + (f", or go on with `ganforge resume {quoted(path)}`." if (path / "run.json").exists() else ".")
        )


def new_folder(pictures: str, recipe: str, parent: Path) -> Path:
    """A name in ``parent`` that is not taken: ``faces-dcgan``, ``faces-dcgan-2`` …"""
    stem = re.sub(
        r"[^\w\-]+", "-", Path(pictures.split(":", maxsplit=1)[0] if pictures.startswith("avatars") else pictures).stem
    ).strip("-")
    name = f"{stem or 'run'}-{recipe}"
    for number in range(1, 10_000):
        path = parent / (name if number == 1 else f"{name}-{number}")
        if not path.exists():
            return path
    raise UsageError(f"{parent} holds 10,000 runs named {name}; name another with --out.")
