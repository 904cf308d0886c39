"""The eight streams, one for each bulk list endpoint."""

from __future__ import annotations

import typing as t

from tap_drchrono.lists.jobs import Order
from tap_drchrono.streams.bulk import BulkListStream

if t.TYPE_CHECKING:
    from tap_drchrono.endpoints import Endpoint


class AppointmentsStream(BulkListStream):
    """Appointments, breaks and, marked by `deleted_flag`, deleted appointments."""

    name = "appointments"
    path = "/api/appointments_list"
    primary_keys = ("id",)
    scopes = frozenset({"calendar:read", "clinical:read"})
    steady_order = Order.SCHEDULED_TIME
    includes: t.ClassVar = {"show_archived": "include_deleted"}


class PatientsStream(BulkListStream):
    """Patients."""

    name = "patients"
    path = "/api/patients_list"
    primary_keys = ("id",)
    scopes = frozenset({"patients:read"})
    includes: t.ClassVar = {"show_inactive": "include_inactive"}


class LineItemsStream(BulkListStream):
    """Billed procedures of appointments."""

    name = "line_items"
    path = "/api/line_items_list"
    primary_keys = ("id",)
    scopes = frozenset({"billing:read"})


class TransactionsStream(BulkListStream):
    """Payments and adjustments of line items."""

    name = "transactions"
    path = "/api/transactions_list"
    primary_keys = ("id",)
    scopes = frozenset({"billing:read"})


class PrescriptionMessagesStream(BulkListStream):
    """Electronic prescription messages; may carry no `updated_at`."""

    name = "prescription_messages"
    path = "/api/prescription_messages_list"
    primary_keys = ("id",)
    scopes = frozenset({"clinical:read"})


class EligibilityChecksStream(BulkListStream):
    """Insurance eligibility checks."""

    name = "eligibility_checks"
    path = "/api/eligibility_checks_list"
    primary_keys = ("id",)
    scopes = frozenset({"calendar:read", "clinical:read", "patients:read"})


class ClinicalNotesStream(BulkListStream):
    """Clinical notes, one an appointment; may carry no `id` and no `updated_at`."""

    name = "clinical_notes"
    path = "/api/clinical_notes_list"
    primary_keys = ("appointment",)
    scopes = frozenset({"clinical:read"})


class ClinicalNoteFieldValuesStream(BulkListStream):
    """Values that were charted in clinical notes."""

    name = "clinical_note_field_values"
    path = "/api/clinical_note_field_values_list"
    primary_keys = ("id",)
    scopes = frozenset({"calendar:read", "clinical:read", "patients:read"})
    max_page_size = 20_000


STREAMS: tuple[type[BulkListStream], ...] = (
    AppointmentsStream,
    PatientsStream,
    LineItemsStream,
    TransactionsStream,
    PrescriptionMessagesStream,
    EligibilityChecksStream,
    ClinicalNotesStream,
    ClinicalNoteFieldValuesStream,
)

ENDPOINTS: t.Mapping[str, Endpoint] = {
    endpoint.stream: endpoint for endpoint in (stream.endpoint() for stream in STREAMS)
}
"""What other rooms know of the streams, by name."""

SCOPES: frozenset[str] = frozenset().union(*(one.scopes for one in ENDPOINTS.values()))
"""What a grant must hold so that all streams can be read."""


def missing_scopes(granted: frozenset[str]) -> dict[str, frozenset[str]]:
    """Name the streams that a grant is not enough for.

    Args:
        granted: The scopes of the grant.

    Returns:
        By stream, the scopes that are lacking; streams without a lack are left out.
    """
    return {
        endpoint.stream: lacking
        for endpoint in ENDPOINTS.values()
        if (lacking := endpoint.lacks(granted))
    }
