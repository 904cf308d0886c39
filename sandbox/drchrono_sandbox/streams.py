"""The eight bulk endpoints, as the vendor documents them."""

from __future__ import annotations

import typing as t

PAGE_MAX = 1000


class StreamInfo(t.NamedTuple):
    """What is fixed about one bulk endpoint.

    Attributes:
        name: The stream's name.
        scopes: What a token needs for reading.
        page_size_max: The largest page size that is accepted.
        orders: The values of `order_by`, the default first.
        verbose_only: Fields that are absent without `verbose=true`.
        key: The field that identifies a record.
        expired_status: The status of an answer to an expired or unknown uuid.
    """

    name: str
    scopes: tuple[str, ...]
    page_size_max: int = 1000
    orders: tuple[str, ...] = ("id", "updated_at")
    verbose_only: frozenset[str] = frozenset()
    key: str = "id"
    expired_status: int = 400

    @property
    def path(self) -> str:
        """The path of the endpoint."""
        return f"/api/{self.name}_list"


_CHART = ("clinical:read", "calendar:read", "patients:read")

STREAMS: dict[str, StreamInfo] = {
    info.name: info
    for info in (
        StreamInfo(
            "appointments",
            ("calendar:read", "clinical:read"),
            orders=("scheduled_time", "updated_at"),
            verbose_only=frozenset(
                {
                    "reminders",
                    "vitals",
                    "custom_fields",
                    "custom_vitals",
                    "clinical_note",
                    "extended_updated_at",
                    "status_transitions",
                }
            ),
        ),
        StreamInfo(
            "patients",
            ("patients:read",),
            verbose_only=frozenset(
                {
                    "auto_accident_insurance",
                    "custom_demographics",
                    "patient_flags",
                    "patient_flags_attached",
                    "primary_insurance",
                    "secondary_insurance",
                    "tertiary_insurance",
                    "referring_doctor",
                    "workers_comp_insurance",
                }
            ),
            expired_status=404,
        ),
        StreamInfo("line_items", ("billing:read",)),
        StreamInfo("transactions", ("billing:read",)),
        StreamInfo("prescription_messages", ("clinical:read",)),
        StreamInfo("eligibility_checks", _CHART),
        StreamInfo("clinical_notes", ("clinical:read",), key="appointment"),
        StreamInfo("clinical_note_field_values", _CHART, page_size_max=20_000),
    )
}
"""By name, in the order in which records depend on each other."""
