"""The lists that a plain GET reads: names behind ids, payments, charts."""
