"""When the warehouses are looked at."""

PHASES = ("first", "second")
"""After the first sync, and after the second one."""
