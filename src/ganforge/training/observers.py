"""Who listens to a run: TensorBoard, and a notebook that shows samples and both losses inline."""

import base64
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganforge.errors import MissingDependencyError
from ganforge.training.folder import Event
from ganforge.training.telling import Observer


def require_tensorboard() -> None:
    """Raise MissingDependencyError where TensorBoard is not installed."""
    if find_spec("tensorboard") is None:
        raise MissingDependencyError('TensorBoard is not installed: pip install "ganforge[tensorboard]".')


def tensorboard(run: Path) -> Observer:
    """Write losses, verdicts, speed and sample sheets below ``run/tensorboard``."""
    require_tensorboard()
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(run / "tensorboard"))

    def hear(event: Event) -> None:
        if event["event"] == "report":
            for name, value in _numbers(event).items():
                writer.add_scalar(name, value, event["seen"])
        elif event["event"] == "sample":
            with Image.open(run / event["file"]) as sheet:
                writer.add_image("samples", np.asarray(sheet), event["seen"], dataformats="HWC")
        elif event["event"] in ("finished", "checkpoint"):
            writer.flush()

    return hear


def _numbers(event: Event) -> dict[str, float]:
    found = {f"loss/{turn}/{part}": v for turn, parts in event["losses"].items() for part, v in parts.items()}
    found |= {f"verdict/{kind}": v for kind, v in event.get("verdicts", {}).items()}
    found |= {f"held out/{turn}": v for turn, v in event.get("held_out_losses", {}).items()}
    found |= {"hit_rate": event.get("hit_rate"), "pictures_per_s": event["pictures_per_s"]}
    return {name: value for name, value in found.items() if value is not None}


def notebook(run: Path) -> Sequence[Observer]:
    """One observer that draws inline when called from a notebook; none elsewhere."""
    try:
        from IPython import get_ipython
    except ImportError:
        return ()
    shell = get_ipython()
    return (_Inline(run),) if shell is not None and hasattr(shell, "kernel") else ()


class _Inline:
    """At every report: the latest samples of the fixed seeds and both losses so far, in place of the last ones."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._reports: list[Event] = []
        self._sheet = ""
        self._handle: Any = None

    def __call__(self, event: Event) -> None:
        if event["event"] == "sample":
            data = base64.b64encode((self._run / event["file"]).read_bytes()).decode()
            self._sheet = (
                f'<img alt="samples" style="width:420px;image-rendering:auto" src="data:image/png;base64,{data}">'
            )
        if event["event"] == "report":
            self._reports.append(event)
        if event["event"] in ("report", "finished") and self._reports:
            from IPython.display import HTML, display

            page = HTML(self._page())  # type: ignore[no-untyped-call]
            if self._handle is None:
                self._handle = display(page, display_id=True)  # type: ignore[no-untyped-call]
            else:
                self._handle.update(page)

    def _page(self) -> str:
        last = self._reports[-1]
        told = " · ".join(f"{turn} {parts['total']:.3f}" for turn, parts in last["losses"].items())
        words = (
            f"step {last['step']:,} · {last['seen']:,} pictures seen · {100 * last['fraction']:.0f} % of the budget<br>"
            f"losses: {told}"
        )
        if "hit_rate" in last:
            words += f" · the critic is right about {100 * last['hit_rate']:.0f} % (50 %: it can no longer tell)"
        return f'<div style="display:flex;gap:16px;flex-wrap:wrap">{self._sheet}<div>{words}<br>{self._curves()}</div></div>'

    def _curves(self) -> str:
        """Both losses as an SVG of 420×220 units."""
        lines = []
        names = list(self._reports[-1]["losses"])
        values = {n: [r["losses"].get(n, {}).get("total") or 0.0 for r in self._reports] for n in names}
        top = max(1e-6, *(float(np.percentile(v, 98)) for v in values.values()))
        for name, colour in zip(names, ("#0072b2", "#d55e00", "#00825e", "#5b3b8c"), strict=False):
            step = 400 / max(len(self._reports) - 1, 1)
            points = " ".join(
                f"{10 + i * step:.1f},{210 - 200 * min(v / top, 1):.1f}" for i, v in enumerate(values[name])
            )
            lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>')
            lines.append(f'<text x="{14 + 60 * len(lines) // 2}" y="18" fill="{colour}">{name}</text>')
        frame = '<rect x="10" y="10" width="400" height="200" fill="none" stroke="#bbb"/>'
        return f'<svg role="img" aria-label="losses" width="420" height="220">{frame}{"".join(lines)}</svg>'
