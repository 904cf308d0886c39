"""Write the table in docs/settings.md: `python docs/generate_settings.py`."""  # noqa: INP001 - a script beside the pages it makes

from __future__ import annotations

import typing as t
from pathlib import Path

from tap_drchrono.tap import TapDrchrono

PAGE = Path(__file__).parent / "settings.md"
BEGIN = "<!-- Written by `python docs/generate_settings.py`. -->\n"
END = "<!-- End of the table. -->\n"


def rows() -> list[str]:
    """Describe each setting of the tap, the SDK's own included.

    Returns:
        The lines of a table.
    """
    schema = TapDrchrono.config_jsonschema
    TapDrchrono.append_builtin_config(schema)
    return [
        f"| `{name}` | {_kind(setting)} | {_default(setting)} "
        f"| {setting['description']} |"
        for name, setting in schema["properties"].items()
    ]


def _kind(setting: dict[str, t.Any]) -> str:
    """Name a setting's type for people."""
    kind = next(one for one in setting["type"] if one != "null")
    if setting.get("format") == "date-time":
        kind = "date"
    return f"{kind}, secret" if setting.get("secret") else kind


def _default(setting: dict[str, t.Any]) -> str:
    """Write a setting's default as in a settings file."""
    match setting.get("default"):
        case None:
            return ""
        case bool(value):
            return f"`{str(value).lower()}`"
        case value:
            return f"`{value}`"


def render() -> str:
    """Renew the table in the page.

    Returns:
        The text of docs/settings.md.
    """
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    table = ["| setting | kind | default | meaning |", "| --- | --- | --- | --- |"]
    return before + BEGIN + "\n" + "\n".join([*table, *rows()]) + "\n\n" + END + after


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
