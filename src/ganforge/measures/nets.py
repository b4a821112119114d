"""Which net looks: the offline one that comes along, or Inception, whose weights are fetched once."""

from pathlib import Path

from ganforge.errors import FetchError, UnknownNameError
from ganforge.fetching import fetch
from ganforge.measures.features import FeatureNet
from ganforge.measures.inception import FEATURES, RESIZER, WEIGHTS_ADDRESS, WEIGHTS_FILE, load_inception
from ganforge.measures.offline import offline_net
from ganforge.pictures.cache import cache_folder
from ganforge.progress import Progress, silent

NAMES = ("auto", "offline", "inception")


def find_net(
    name: str = "auto", weights: Path | None = None, *, progress: Progress = silent
) -> tuple[FeatureNet, str | None]:
    """The feature net of that name, and a note where it is not the one that was asked for.

    Args:
        name: "offline"; "inception", fetched from its publisher where it is not in the cache yet; "auto": Inception where
            its weights are at hand, else offline.
        weights: Inception's weights as a file.
        progress: of fetching.

    Raises:
        UnknownNameError: another name.
        ModelError: ``weights`` is missing, damaged, or of another net.
    """
    if name not in NAMES:
        raise UnknownNameError("feature net", name, NAMES)
    if weights is not None:
        return inception_net(weights), None
    kept = cache_folder() / "weights" / WEIGHTS_FILE
    if name == "auto":
        return (inception_net(kept), None) if kept.is_file() else (offline_net(), None)
    if name == "offline":
        return offline_net(), None
    try:
        if not kept.is_file():
            fetch(WEIGHTS_ADDRESS, kept, what="Inception's weights", progress=progress)
    except FetchError as error:
        return offline_net(), (
            f"Inception's weights could not be fetched, so the offline features were used. {error} "
            f"A file of them, from anywhere, can be given with --weights."
        )
    return inception_net(kept), None


def inception_net(weights: Path) -> FeatureNet:
    """Inception with these weights. Raises ModelError."""
    net = load_inception(weights)
    return FeatureNet(
        name="inception-2015-12-05",
        about="InceptionV3 of 2015-12-05 (pool3), the net of published FID",
        sha256=net.weights_sha256,
        dims=FEATURES,
        resizer=RESIZER,
        net=net,
        standard=True,
    )
