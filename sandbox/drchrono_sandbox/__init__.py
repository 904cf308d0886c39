"""A simulated DrChrono bulk API with invented data."""
