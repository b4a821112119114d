"""Which net looks: the offline one that comes along, or Inception, whose weights are fetched once."""

from pathlib import Path

from ganforge.errors import FetchError, ModelError, UnknownNameError, UsageError
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
        UsageError: ``weights`` for the offline net.
        ModelError: ``weights`` is missing, damaged, or of another net.
    """
    if name not in NAMES:
        raise UnknownNameError("feature net", name, NAMES)
    if weights is not None:
        if name == "offline":
            raise UsageError("--weights are Inception's: they do not go with the offline features.")
        return inception_net(weights), None
    kept = cache_folder() / "weights" / WEIGHTS_FILE
    if name == "offline" or (name == "auto" and not kept.is_file()):
        return offline_net(), None
    if kept.is_file():
        try:
            return inception_net(kept), None
        except ModelError:
            kept.unlink(missing_ok=True)  # damaged, and ours
    try:
        fetch(WEIGHTS_ADDRESS, kept, what="Inception's weights", progress=progress)
        return inception_net(kept), None
    except (FetchError, ModelError) as error:
        if isinstance(error, ModelError):
            kept.unlink(missing_ok=True)
        return offline_net(), (
            f"Inception's weights could not be fetched, so the offline features were used. {error} "
            f"A file of them, from anywhere, can be given with --weights."
        )


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
