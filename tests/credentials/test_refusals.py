"""What a 401 means, judged by what was taken and refused before."""

import pytest

from tap_drchrono.credentials.refusals import Refusals, Verdict

A, B, C = "/api/a", "/api/b", "/api/c"
HALF_A_MINUTE = [1.0, 2.0, 4.0, 8.0, 15.0]


class Token:
    """Asks endpoints, some of which refuse, and does what each verdict says."""

    def __init__(self, *, renewable=True):
        self.refusals = Refusals(renewable=renewable)
        self.refusing = set()
        self.waits = []
        self.renewals = 0

    def ask(self, path):
        """Ask until the answer is clear."""
        while path in self.refusing:
            match self.refusals.refused(path):
                case Verdict.WAIT:
                    self.waits.append(self.refusals.wait)
                case Verdict.RENEW:
                    self.refusals.renewed(spent=True)
                    self.renewals += 1
                case verdict:
                    return verdict
        self.refusals.accepted(path)
        return None


def test_a_token_that_worked_is_replaced_at_once_as_often_as_it_ends():
    token = Token()
    for run in range(1, 6):
        token.refusals.accepted(A)
        assert token.refusals.refused(A) is Verdict.RENEW
        token.refusals.renewed(spent=True)
        token.renewals += 1
        assert token.renewals == run


def test_a_token_that_never_worked_is_waited_for_and_replaced_once():
    token = Token()
    token.refusing = {A, B}
    assert token.ask(A) is Verdict.GIVE_UP
    assert token.waits == HALF_A_MINUTE * 2
    assert token.renewals == 1
    assert token.ask(B) is Verdict.END
    assert token.waits == HALF_A_MINUTE * 2
    assert token.renewals == 1


def test_after_one_that_worked_there_are_two_refreshes_at_most():
    token = Token()
    token.ask(A)
    token.ask(B)
    token.refusing = {A, B}
    assert token.ask(A) is Verdict.GIVE_UP
    assert token.renewals == 2
    assert token.ask(B) is Verdict.END
    assert token.renewals == 2


@pytest.mark.parametrize("first", [A, B])
def test_an_endpoint_that_refuses_alone_ends_nothing(first):
    token = Token()
    token.refusing = {A}
    for path in (first, A, B, A, C, A):
        expected = Verdict.GIVE_UP if path == A else None
        assert token.ask(path) is expected
    assert token.renewals == 1


def test_several_endpoints_that_refuse_cost_no_more_than_one():
    token = Token()
    others = [f"/api/other-{number}" for number in range(11)]
    token.refusing = set(others)
    token.ask(A)
    assert {token.ask(path) for path in others} == {Verdict.GIVE_UP}
    assert token.ask(A) is None
    assert token.renewals == 1
    assert token.waits == HALF_A_MINUTE


def test_while_one_is_given_up_the_end_of_the_token_still_shows():
    token = Token()
    token.ask(A)
    token.refusing = {A, B, C}
    assert token.ask(B) is Verdict.GIVE_UP
    assert token.ask(C) is Verdict.GIVE_UP
    assert token.ask(A) is Verdict.END
    assert token.renewals == 2


def test_a_token_that_cannot_be_replaced_ends_where_it_worked_before():
    token = Token(renewable=False)
    token.ask(A)
    token.refusing = {A, B}
    assert token.ask(A) is Verdict.END
    assert token.waits == HALF_A_MINUTE


def test_a_token_that_cannot_be_replaced_may_be_refused_by_everyone_for_a_while():
    token = Token(renewable=False)
    token.ask(A)
    for _ in range(2):
        waits = [token.refusals.refused(A) for _ in HALF_A_MINUTE]
        assert set(waits) == {Verdict.WAIT}
        token.refusals.accepted(A)


def test_while_one_is_given_up_the_end_of_a_pasted_token_still_shows():
    token = Token(renewable=False)
    token.ask(A)
    token.refusing = {A, B}
    assert token.ask(B) is Verdict.GIVE_UP
    assert token.ask(A) is Verdict.END
    assert token.waits == HALF_A_MINUTE


def test_a_token_that_cannot_be_replaced_is_given_half_a_minute_at_the_start():
    token = Token(renewable=False)
    token.refusing = {A, B}
    assert token.ask(A) is Verdict.GIVE_UP
    assert token.ask(B) is Verdict.END
    assert token.waits == HALF_A_MINUTE


def test_an_endpoint_that_refuses_alone_is_no_end_of_a_pasted_token():
    token = Token(renewable=False)
    token.refusing = {A, B}
    assert token.ask(C) is None
    assert token.ask(A) is Verdict.GIVE_UP
    assert token.ask(B) is Verdict.GIVE_UP
    assert token.ask(C) is None
