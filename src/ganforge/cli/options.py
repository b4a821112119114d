"""Options that several commands share."""

from ganforge.errors import UsageError


def read_settings(pairs: list[str]) -> dict[str, str]:
    """``["d.widths=32,64"]`` → ``{"d.widths": "32,64"}``. Raises UsageError for what has no "="."""
    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--set takes KEY=VALUE, such as --set learning_rate=1e-4; {pair!r} came.")
        settings[key.strip()] = value.strip()
    return settings
