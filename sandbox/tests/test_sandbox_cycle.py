"""The vendor's documented cycle, over a real socket, written from its page only."""

import requests
from drchrono_sandbox import ACCESS_TOKEN, Practice, Settings, serve

STREAMS = [
    "appointments",
    "patients",
    "line_items",
    "transactions",
    "prescription_messages",
    "eligibility_checks",
    "clinical_notes",
    "clinical_note_field_values",
]


def read_page(session, url, page, page_size):
    asked = {
        "since": "1970-01-01",
        "page": page,
        "page_size": page_size,
        "show_archived": "true",
        "show_inactive": "true",
    }
    posted = session.post(url, params=asked, timeout=10)
    assert posted.status_code == 201
    assert posted.json()["status"] == "In progress"
    uuid = posted.json()["uuid"]
    assert posted.json()["description"] == f"Call {url}?uuid={uuid} to get the list"
    while True:
        answer = session.get(url, params={"uuid": uuid}, timeout=10)
        assert answer.status_code == 200
        assert answer.json()["uuid"] == uuid
        if answer.json()["status"] == "Complete":
            return answer.json()
        assert answer.json() == {"status": "In progress", "uuid": uuid}


def test_a_plain_loop_reads_every_stream_whole():
    settings = Settings(list_base_seconds=0.01)
    practice = Practice.generate(records=250)
    with serve(settings, practice=practice) as (url, _), requests.Session() as session:
        source = session.get(f"{url}/sandbox/streams", timeout=10).json()
        assert list(source) == STREAMS
        session.headers["Authorization"] = f"Bearer {ACCESS_TOKEN}"
        for stream in STREAMS:
            endpoint = f"{url}/api/{stream}_list"
            first = read_page(session, endpoint, 1, 100)
            assert first["pagination"] == {
                "count": source[stream],
                "pages": 3,
                "page_size": 100,
                "page": 1,
            }
            records = first["results"]
            for page in (2, 3):
                records += read_page(session, endpoint, page, 100)["results"]
            key = "appointment" if stream == "clinical_notes" else "id"
            assert len({record[key] for record in records}) == source[stream]
            assert len(records) == source[stream] > 200
