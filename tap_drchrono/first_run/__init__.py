"""The first-run report: asks a real account what DrChrono leaves open, read-only."""
