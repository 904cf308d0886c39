"""Names, addresses and texts, invented once per process and drawn from by record."""

from __future__ import annotations

import functools
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable

_SEED = 20_240_105
_LOCALES = ("de_DE", "es_MX", "pl_PL", "vi_VN", "ja_JP")


class Pools(t.NamedTuple):
    """What records draw from.

    Attributes:
        first_names: Given names, some beyond ASCII.
        last_names: Family names, some beyond ASCII.
        streets: Street addresses, some of two lines.
        cities: Places.
        states: Two-letter abbreviations.
        companies: Employers and insurers, some with quotes.
        sentences: Short texts.
        notes: Long texts with newlines, tabs, quotes, backslashes and emoji.
    """

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]
    states: tuple[str, ...]
    companies: tuple[str, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]


@functools.lru_cache(maxsize=1)
def pools() -> Pools:
    """Invent the pools.

    Returns:
        The same pools for the whole process.
    """
    # Only invented practices need it, and it takes some 60 MB.
    from faker import Faker  # noqa: PLC0415

    fake = Faker("en_US", use_weighting=False)
    fake.seed_instance(_SEED)
    others = [Faker(locale, use_weighting=False) for locale in _LOCALES]
    for other in others:
        other.seed_instance(_SEED)
    sentences = _some(200, lambda: fake.sentence(nb_words=8))
    return Pools(
        first_names=(
            *_some(150, fake.first_name),
            *(name for other in others for name in _some(20, other.first_name)),
        ),
        last_names=(
            *_some(200, fake.last_name),
            *(name for other in others for name in _some(20, other.last_name)),
            "O'Neill",
            'van "de" Berg',
        ),
        streets=(*_some(150, fake.street_address), "12 Main St\nApt 4", "Straße 7 €"),
        cities=(*_some(120, fake.city), "San José", "Zürich"),
        states=_some(40, lambda: fake.state_abbr(include_territories=False)),
        companies=(*_some(80, fake.company), 'Smith "and" Sons', "Müller & Söhne"),
        sentences=sentences,
        notes=(
            *_some(
                80,
                lambda: (
                    f"{fake.paragraph(nb_sentences=3)}\r\n\r\n"
                    f'\t"{fake.sentence(nb_words=6)}"\nC:\\charts\\{fake.word()}'
                ),
            ),
            "Température 38,5 °C\nÜbelkeit — 頭痛 — 🤒",
            "line one\u2028line two\u0007",
        ),
    )


def _some(count: int, make: Callable[[], str]) -> tuple[str, ...]:
    return tuple(make() for _ in range(count))
