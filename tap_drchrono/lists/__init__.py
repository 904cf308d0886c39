"""A bulk list, and reading one that moves."""
