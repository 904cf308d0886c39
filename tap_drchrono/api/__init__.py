"""How DrChrono is asked, whatever is asked."""
