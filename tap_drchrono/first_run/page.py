"""The report as a page for people, and as JSON: both from the same values."""

from __future__ import annotations

import json
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_drchrono.first_run.findings import Report

    Lines: t.TypeAlias = Iterator[str]

ISSUE_FORM = (
    "https://github.com/tap-drchrono/tap-drchrono/issues/new?template=first-run.yml"
)


def as_json(report: Report) -> str:
    """Render the report as JSON.

    Args:
        report: The report.

    Returns:
        The text, with a line break at its end.
    """
    found = report._asdict() | {
        "findings": [
            finding._asdict()
            | {"settings": {name: one[0] for name, one in finding.settings.items()}}
            for finding in report.findings
        ],
        "fields": [field._asdict() for field in report.fields],
    }
    return json.dumps(found, indent=2) + "\n"


def as_page(report: Report) -> str:
    """Render the report as Markdown.

    Args:
        report: The report.

    Returns:
        The text.
    """
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Lines:
    yield "# First-run report of tap-drchrono"
    yield ""
    yield (
        f"tap-drchrono {report.version}, {report.day} (UTC), {report.requests} of at "
        f"most {report.most} requests."
    )
    yield "This page holds no record, id, name or exact size. It may be shared."
    yield ""
    yield "## What was found"
    yield ""
    sentences = [finding.sentence for finding in report.findings if finding.sentence]
    yield from (f"- {sentence}" for sentence in sentences or ("Nothing new.",))
    for reason in report.left_out:
        yield f"- Left out: {reason}."
    yield ""
    if wanted := {
        name: one
        for finding in report.findings
        for name, one in finding.settings.items()
    }:
        yield "## Settings that this suggests"
        yield ""
        yield "Below `config:` of tap-drchrono in `meltano.yml`:"
        yield ""
        yield "```yaml"
        yield from (
            f"{name}: {value}  # {why}" for name, (value, why) in wanted.items()
        )
        yield "```"
        yield ""
    yield "## Each question"
    yield ""
    yield "| what DrChrono leaves open | answer | sure |"
    yield "| --- | --- | --- |"
    for finding in report.findings:
        sure = "-" if finding.sure is None else f"{finding.sure} %"
        yield f"| {finding.unknown} | {finding.answer} | {sure} |"
    yield ""
    if report.fields:
        yield "## Columns worth a look"
        yield ""
        yield "| stream | column | forms | filled | |"
        yield "| --- | --- | --- | --- | --- |"
        for field in report.fields:
            forms = ", ".join(field.forms) or "-"
            yield (
                f"| {field.stream} | {field.name} | {forms} | {field.filled} "
                f"| {field.remark} |"
            )
        yield ""
    yield f"Please open an issue with this page: {ISSUE_FORM}"
