"""What a person sees of a run: how far it has come, how long it takes, what it came to.

Words and arithmetic only: the loop says when, and the clock is passed in.
"""
