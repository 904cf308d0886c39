"""What a 401 means, judged by what another endpoint does with the same token."""

import math

import pytest

from tap_drchrono.credentials.refusals import Elsewhere, Refusals, Verdict

A, B, C = "/api/a", "/api/b", "/api/c"
HALF_A_MINUTE = [1.0, 2.0, 4.0, 8.0, 15.0]
OLD = math.inf


class Token:
    """Asks endpoints, some of which refuse, and does what each verdict says.

    Attributes:
        refusing: Endpoints that answer 401.
        silent: Endpoints that give no usable answer when asked to compare.
        made: When the token was made; it is asked for from second 0 on.
    """

    def __init__(self, *, renewable=True, known=(A, B, C), made=-OLD):
        self.refusals = Refusals(renewable=renewable)
        self.known = known
        self.refusing = set()
        self.silent = set()
        self.made = made
        self.waits = []
        self.renewals = 0
        self.asked = 0

    def ask(self, path):
        """Ask until the answer is clear; return None if that is no refusal."""
        while path in self.refusing:
            self.asked += 1
            age = sum(self.waits) - self.made
            match self.refusals.refused(path, self.elsewhere(path), age):
                case Verdict.WAIT:
                    self.waits.append(self.refusals.wait)
                case Verdict.RENEW:
                    self.refusals.renewed(spent=True)
                    self.renewals += 1
                    self.made = sum(self.waits)
                case verdict:
                    return verdict
        self.refusals.accepted(path)
        return None

    def elsewhere(self, path):
        """Ask another endpoint, as `Api` does."""
        if self.refusals.is_given_up(path):
            return Elsewhere.UNKNOWN
        other = self.refusals.compare_with(path, self.known)
        if other is None or other in self.silent:
            return Elsewhere.UNKNOWN
        self.asked += 1
        if other in self.refusing:
            return self.refusals.refused_elsewhere(other, self.known)
        self.refusals.accepted(other)
        return Elsewhere.TAKEN


# Where another one takes the token


@pytest.mark.parametrize("renewable", [True, False])
def test_the_first_that_is_asked_and_refuses_alone_costs_a_second(renewable):
    token = Token(renewable=renewable)
    token.refusing = {A}
    assert token.ask(A) is Verdict.GIVE_UP
    assert token.waits == [1.0]
    assert token.asked == 4
    assert token.renewals == 0


@pytest.mark.parametrize("renewable", [True, False])
def test_one_that_took_the_token_and_refuses_it_alone_costs_some_seconds(renewable):
    token = Token(renewable=renewable)
    token.ask(A)
    token.ask(B)
    token.refusing = {A}
    assert token.ask(A) is Verdict.GIVE_UP
    assert token.waits == [1.0, 2.0, 4.0]
    assert token.renewals == 0
    assert token.ask(B) is None


def test_a_token_that_was_just_made_may_have_to_become_known():
    token = Token(made=0.0)
    token.refusing = {A}
    assert token.ask(A) is Verdict.GIVE_UP
    assert token.waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("first", [A, B])
@pytest.mark.parametrize("renewable", [True, False])
def test_an_endpoint_that_refuses_alone_ends_nothing(first, renewable):
    token = Token(renewable=renewable)
    token.refusing = {A}
    for path in (first, A, B, A, C, A):
        expected = Verdict.GIVE_UP if path == A else None
        assert token.ask(path) is expected
    assert token.renewals == 0


OTHERS = [f"/api/other-{number}" for number in range(11)]


def test_several_endpoints_that_refuse_cost_a_second_each():
    token = Token(known=[A, *OTHERS])
    token.refusing = set(OTHERS)
    assert {token.ask(path) for path in OTHERS} == {Verdict.GIVE_UP}
    assert token.ask(A) is None
    assert token.renewals == 0
    assert token.waits == [1.0] * len(OTHERS)


@pytest.mark.parametrize("renewable", [True, False])
def test_some_that_refuse_are_no_end_of_a_token_that_the_last_one_takes(renewable):
    token = Token(renewable=renewable, known=[*OTHERS[:4], A])
    token.refusing = set(OTHERS)
    assert {token.ask(path) for path in OTHERS[:4]} == {Verdict.GIVE_UP}
    assert token.ask(A) is None
    assert token.renewals == 0
    assert sum(token.waits) < 30


@pytest.mark.parametrize("renewable", [True, False])
def test_many_that_refuse_are_the_end_of_a_token_that_nobody_took(renewable):
    token = Token(renewable=renewable, known=OTHERS)
    token.refusing = set(OTHERS)
    assert token.ask(OTHERS[0]) is Verdict.END
    assert token.waits == HALF_A_MINUTE * (1 + renewable)


def test_one_that_is_given_up_is_not_waited_for_again():
    token = Token()
    token.refusing = {A}
    token.ask(A)
    asked, waited = token.asked, len(token.waits)
    assert token.ask(A) is Verdict.GIVE_UP
    assert (token.asked, len(token.waits)) == (asked + 1, waited)


def test_one_that_took_the_token_is_asked_before_others():
    token = Token(known=(B, C, A))
    token.ask(A)
    assert token.refusals.compare_with(B, token.known) == A
    assert token.refusals.compare_with(A, token.known) == B


def test_one_that_refused_the_token_is_asked_after_others():
    token = Token()
    token.refusing = {A, B}
    assert token.elsewhere(A) is Elsewhere.UNKNOWN
    assert token.elsewhere(A) is Elsewhere.TAKEN


# Where the other one refuses it too, or there is none


@pytest.mark.parametrize("known", [(A,), (A, B)], ids=["alone", "both refuse"])
def test_a_token_that_worked_is_replaced_at_once_as_often_as_it_ends(known):
    token = Token(known=known)
    for run in range(1, 6):
        token.refusals.accepted(A)
        token.refusing = {A, B}
        elsewhere = token.elsewhere(A)
        assert token.refusals.refused(A, elsewhere, OLD) is Verdict.RENEW
        token.refusals.renewed(spent=True)
        token.renewals += 1
        assert token.renewals == run


def test_a_token_that_never_worked_is_waited_for_and_replaced_once():
    token = Token()
    token.refusing = {A, B, C}
    assert token.ask(A) is Verdict.END
    assert token.waits == HALF_A_MINUTE * 2
    assert token.renewals == 1


def test_the_only_one_that_there_is_to_ask_is_given_up_after_the_same():
    token = Token(known=(A,))
    token.refusing = {A}
    assert token.ask(A) is Verdict.GIVE_UP
    assert token.waits == HALF_A_MINUTE * 2
    assert token.renewals == 1


def test_after_one_that_worked_there_are_two_refreshes_at_most():
    token = Token()
    token.ask(A)
    token.refusing = {A, B, C}
    assert token.ask(A) is Verdict.END
    assert token.renewals == 2
    assert token.waits == HALF_A_MINUTE * 2


def test_while_one_is_given_up_the_end_of_the_token_still_shows():
    token = Token()
    token.refusing = {B}
    assert token.ask(B) is Verdict.GIVE_UP
    token.refusing = {A, B, C}
    assert token.ask(C) is Verdict.END
    assert token.renewals == 2


@pytest.mark.parametrize("known", [(A,), (A, B)], ids=["alone", "both refuse"])
def test_a_token_that_cannot_be_replaced_ends_where_it_worked_before(known):
    token = Token(renewable=False, known=known)
    token.ask(A)
    token.refusing = {A, B}
    assert token.ask(A) is Verdict.END
    assert token.waits == HALF_A_MINUTE


def test_a_token_that_cannot_be_replaced_may_be_refused_by_everyone_for_a_while():
    token = Token(renewable=False)
    token.ask(A)
    for _ in range(2):
        waits = [
            token.refusals.refused(A, Elsewhere.REFUSED, OLD) for _ in HALF_A_MINUTE
        ]
        assert set(waits) == {Verdict.WAIT}
        token.refusals.accepted(A)


def test_a_token_that_cannot_be_replaced_is_given_half_a_minute_at_the_start():
    token = Token(renewable=False)
    token.refusing = {A, B, C}
    assert token.ask(A) is Verdict.END
    assert token.waits == HALF_A_MINUTE


def test_where_the_others_give_no_answer_one_that_never_took_a_token_fails_alone():
    token = Token(renewable=False)
    token.refusing, token.silent = {A}, {B, C}
    assert token.ask(A) is Verdict.GIVE_UP
    assert token.ask(B) is None


def test_refusals_that_never_agree_come_to_an_end():
    refusals = Refusals(renewable=True)
    verdicts = []
    for turn in range(30):
        elsewhere = (Elsewhere.TAKEN, Elsewhere.REFUSED)[turn % 2]
        if elsewhere is Elsewhere.TAKEN:
            refusals.accepted(B)
        verdicts.append(refusals.refused(A, elsewhere, 0.0))
        if verdicts[-1] is Verdict.RENEW:
            refusals.renewed(spent=True)
        if verdicts[-1] is Verdict.GIVE_UP:
            break
    assert verdicts[-1] is Verdict.GIVE_UP
    assert verdicts.count(Verdict.RENEW) <= 3
