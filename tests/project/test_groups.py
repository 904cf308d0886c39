"""Tests that share something expensive stay on one worker."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("together")
@pytest.mark.skipif(
    "PYTEST_XDIST_WORKER" not in os.environ, reason="there is one process only"
)
def test_groups_are_heard_of(request):
    assert request.node.nodeid.endswith("@together")
