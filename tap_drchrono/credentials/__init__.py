"""Tokens: how they are got, kept and renewed."""
