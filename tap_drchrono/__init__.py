"""Singer tap for the bulk list endpoints of DrChrono."""
