"""Fixtures of the tests of cutover."""

from __future__ import annotations

from tests.verify.conftest import shop

__all__ = ["shop"]
