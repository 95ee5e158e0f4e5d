"""`python -m tests.mongodb_rules PORT SERVER_PORT`: serves until it is killed."""

from __future__ import annotations

import sys

from tests.mongodb_rules.proxy import Proxy

Proxy(int(sys.argv[1]), int(sys.argv[2])).serve()
