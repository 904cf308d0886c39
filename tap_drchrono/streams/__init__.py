"""The streams, and the loop that reads them."""
