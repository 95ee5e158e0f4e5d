"""Keeps passwords out of what people see."""

from __future__ import annotations

import re

# `user:password@`, as hints write it, is none.
_PASSWORD = re.compile(r"(?<!user):(?!//)\S*@|(?<=user):(?!//|password@)\S*@")
_SECRET_OPTION = re.compile(r"(?i)((?:password|token|secret)[a-z_]*[=:])[^&,\s]+")


def mask_url(text: str) -> str:
    """`text` with every password of a URL in it replaced by `***`. Masks too much rather than too little."""
    masked = "replica=".join(_PASSWORD.sub(":***@", part) for part in text.split("replica="))
    return _SECRET_OPTION.sub(r"\1***", masked)
