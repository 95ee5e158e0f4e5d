"""What tests look for in the text that commands print."""

from __future__ import annotations

import re


def action_of(name: str, plan: str) -> str | None:
    """The action that the text of a plan has for a collection; None when it has none."""
    found = re.search(rf"^{re.escape(name)} +([a-z]+)\b", plan, re.MULTILINE)
    return found[1] if found else None
