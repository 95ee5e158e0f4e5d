"""The shop of the generator's tests."""

from __future__ import annotations

from tests.generate.conftest import live_shop, packages, shop, source_factory

__all__ = ["live_shop", "packages", "shop", "source_factory"]
