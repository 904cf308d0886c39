"""Benchmarks of the paging engine, under a virtual clock."""
