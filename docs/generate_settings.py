"""Write what docs say of settings: `python docs/generate_settings.py`."""  # noqa: INP001 - a script beside the pages it makes

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from tap_drchrono.tap import TapDrchrono

PAGE = Path(__file__).parent / "settings.md"
OWN_PROJECT = Path(__file__).parent / "own-project.md"
MELTANO = Path(__file__).parents[1] / "meltano.yml"
PIP_URL = "git+https://github.com/tap-drchrono/tap-drchrono.git"
BEGIN = "<!-- Written by `python docs/generate_settings.py`. -->\n"
END = "<!-- End of the table. -->\n"
END_OF_BLOCK = "<!-- End of the block. -->\n"


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


def own_project() -> str:
    """Renew the block for a Meltano project of one's own.

    Returns:
        The text of docs/own-project.md.
    """
    found = yaml.safe_load(MELTANO.read_text("utf-8"))
    (ours,) = found["plugins"]["extractors"]
    kept = ("name", "kind", "sensitive", "value")
    block = {**ours, "pip_url": PIP_URL} | {
        "settings": [
            {key: value for key, value in setting.items() if key in kept}
            for setting in ours["settings"]
        ]
    }
    text = yaml.safe_dump([block], sort_keys=False, default_flow_style=None, width=90)
    before, _, rest = OWN_PROJECT.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END_OF_BLOCK)
    return f"{before}{BEGIN}\n```yaml\n{text}```\n\n{END_OF_BLOCK}{after}"


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
    OWN_PROJECT.write_text(own_project(), "utf-8")
