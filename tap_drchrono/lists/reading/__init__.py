"""Reading a list that moves, without a request: pages come in, windows go out.

`reading.py` is the way of a page: `proofs.py` tells whether it continues what was
read, `memory.py` which of its records are new, `evidence.py` what it all adds up to,
`ends.py` whether it is the last. `planning.py` chooses the next window, at the
`pace.py` that the changes allow. What does not add up is read again: `ties.py`,
`looks.py`, and another pass over the stream (`passes.py`, `stream_passes.py`), until
`patience.py` ends it.
"""
