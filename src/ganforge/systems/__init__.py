"""Every published method the loop can play, one a file; a file that defines ``RECIPES`` is found by itself."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from ganforge.attributes import Schema
from ganforge.errors import UnknownNameError, UsageError
from ganforge.game import PictureConfig, Recipe, System

DEFAULT_RECIPE = "style"


@cache
def recipes() -> dict[str, Recipe]:
    """All recipes by name, from every file of this folder."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return {recipe.name: recipe for module in modules for recipe in getattr(module, "RECIPES", ())}


def find_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises UnknownNameError with the nearest right ones."""
    try:
        return recipes()[name]
    except KeyError:
        raise UnknownNameError("recipe", name, recipes()) from None


def find_system(name: str) -> type[System]:
    """The system of that name (as in model.json). Raises UnknownNameError."""
    systems = {recipe.system.name: recipe.system for recipe in recipes().values()}
    try:
        return systems[name]
    except KeyError:
        raise UnknownNameError("system", name, systems) from None


def configure(
    recipe: Recipe, height: int, width: int, settings: Mapping[str, str] | None = None, *, brief: bool = False
) -> PictureConfig:
    """The recipe's config at that size, with ``settings`` (``{"d.widths": "64,128"}``) applied and everything checked.

    Args:
        recipe: a system with a preset.
        height, width: of the pictures, pixels.
        settings: what is to differ from the preset.
        brief: take the preset for short budgets, where the recipe has one.

    Raises:
        UnknownNameError: for a setting that the config does not have.
        UsageError: for a value that is out of place, or a size the recipe cannot make.
    """
    make = recipe.brief if brief and recipe.brief is not None else recipe.make
    try:
        values: dict[str, Any] = make(height, width).model_dump()
    except ValidationError as error:
        raise UsageError(f"The recipe {recipe.name} cannot make {width}x{height} pictures: {reasons(error)}") from None
    return changed(recipe, values, settings or {})


def changed(recipe: Recipe, values: dict[str, Any], settings: Mapping[str, str]) -> PictureConfig:
    """A config of the recipe's system as its ``model_dump`` has it, with ``settings`` applied as `configure` does."""
    for key, text in settings.items():
        _set(recipe.system.config_class, values, key, text)
    try:
        config = recipe.system.config_class.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"These settings do not fit the recipe {recipe.name}: {reasons(error)}") from None
    assert isinstance(config, PictureConfig)  # recipes are for pictures
    return config


def fitted(
    recipe: Recipe, config: PictureConfig, schema: Schema, pictures: int, saturated: float = 0.0
) -> PictureConfig:
    """The config made for a collection: for what its pictures carry, how many there are to train on, and how much of them is
    exactly black or white (`Pack.saturated`).

    Raises:
        UnknownNameError: the config names an attribute that the pictures do not have.
    """
    if "attributes" in type(config).model_fields:
        config = type(config).model_validate(config.model_dump() | {"attributes": schema})
    made: PictureConfig = recipe.system.fitted(config, pictures, saturated)
    return made


def settings_of(recipe: Recipe) -> list[tuple[str, str, str]]:
    """Every setting of a recipe: (key, value at 64×64 or the recipe's own size, what it means)."""
    size = recipe.size or (64, 64)
    others = {"for a few minutes on a CPU": configure(recipe, *size, brief=True)} if recipe.brief is not None else {}
    others |= {"on an accelerator": configure(recipe, *size, recipe.accelerated)}
    told = {means: {key: value for key, value, _ in described(config)} for means, config in others.items()}
    return [
        (key, value, "; ".join([about, *(f"{means}: {of[key]}" for means, of in told.items() if of[key] != value)]))
        for key, value, about in described(recipe.make(*size))
    ]


def described(model: BaseModel, prefix: str = "") -> list[tuple[str, str, str]]:
    """Every setting of a config: (key, value, what it means)."""
    rows: list[tuple[str, str, str]] = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, Schema):
            continue  # what the pictures carry is no setting
        if isinstance(value, BaseModel):
            rows += described(value, f"{prefix}{name}.")
        else:
            said = (
                ",".join(map(str, value))
                if isinstance(value, tuple)
                else str(value).lower()
                if value is None
                else str(value)
            )
            rows.append((prefix + name, said, field.description or ""))
    return rows


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A config as it is stored → its values by their names as ``--set`` has them."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flattened(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return flat


def _set(config: type[BaseModel], values: dict[str, Any], key: str, text: str) -> None:
    known = {name for name in flattened(values) if not name.startswith("attributes.")}  # no setting: the pictures' own
    if key not in known:
        raise UnknownNameError("setting", key, known)
    *sections, last = key.split(".")
    for section in sections:
        values, config = values[section], config.model_fields[section].annotation  # type: ignore[assignment]
    values[last] = _parse(text, config.model_fields[last].annotation)


def _parse(text: str, annotation: Any) -> Any:
    """Lists are written with commas and nothing as ``none``; pydantic turns words into numbers and refuses the rest."""
    if text.lower() == "none":
        return None
    return [part.strip() for part in text.removesuffix(",").split(",")] if _is_tuple(annotation) else text


def _is_tuple(annotation: Any) -> bool:
    """Whether a field takes several values: tuple[int, ...], with or without None."""
    return get_origin(annotation) is tuple or any(_is_tuple(part) for part in get_args(annotation))


def reasons(error: ValidationError) -> str:
    """What is wrong with a config, in words."""

    def one(entry: Any) -> str:
        where = ".".join(str(part) for part in entry["loc"])
        message = entry["msg"].removeprefix("Value error, ")
        return f"{where}: {message} (got {entry['input']!r})" if where else message

    return "; ".join(one(entry) for entry in error.errors())
