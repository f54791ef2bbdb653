"""The ladder of autonomy, by what changed code does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_selfcode.values.policy import EFFECT_CLASSES, STRICTNESS, Policy, classes_of

KINDS = ("reads", "creates", "changes", "deletes", "network", "process", "environment", "native")


def test_code_that_only_reads_is_of_the_class_reads_and_what_cannot_be_seen_counts_as_the_worst():
    assert classes_of(["reads"]) == classes_of([]) == {"reads"}
    assert classes_of(["reads", "creates", "network"]) == {"writes", "network"}
    assert classes_of(["process"]) == classes_of(["native"]) == {"deletes"}


@given(
    st.sampled_from(STRICTNESS),
    st.lists(st.tuples(st.sampled_from(EFFECT_CLASSES), st.sampled_from(STRICTNESS))),
    st.lists(st.sampled_from(KINDS)),
)
def test_a_class_never_loosens_the_policy_and_one_that_is_concerned_is_kept(mode, by_class, kinds):
    policy = Policy(mode, by_class=tuple(by_class))
    got, because = policy.for_effects(kinds)
    assert STRICTNESS.index(got) <= STRICTNESS.index(mode)
    assert (because is None) == (got == mode)
    for name, rule in by_class:
        if name in classes_of(kinds):
            assert STRICTNESS.index(got) <= STRICTNESS.index(rule)


@pytest.mark.parametrize("mode", STRICTNESS)
def test_tightening_keeps_the_classes(mode):
    policy = Policy("deploy", by_class=(("writes", "propose"),))
    assert policy.tightened(mode) == Policy(mode, by_class=policy.by_class)
