"""No test of ours: test_leaks.py runs it in a session of its own, with a program that gives secrets away."""

import pytest

from program import NAME, VALUE


@pytest.mark.parametrize("number", range(4))
def test_that_does_not_look_at_what_is_said(program, number):
    program.run("add-record", NAME, VALUE, str(number))
