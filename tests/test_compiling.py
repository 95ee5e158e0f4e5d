"""Code that was written at run time shows its lines in tracebacks."""

from __future__ import annotations

import traceback

import pytest

from migrator import compiling


def test_a_traceback_shows_the_line() -> None:
    first = compiling.run("def divide(x):\n    return one / x  # first\n", "a division", {"one": 1})
    second = compiling.run("def divide(x):\n    return one / x  # second\n", "a division", {"one": 1})
    with pytest.raises(ZeroDivisionError) as caught:
        first["divide"](0)
    assert "return one / x  # first" in "".join(traceback.format_exception(caught.value))
    assert second["divide"](2) == 0.5


def test_names_that_are_given_stay_as_they_are() -> None:
    names = {"one": 1}
    compiling.run("two = 2", "nothing", names)
    assert names == {"one": 1}
