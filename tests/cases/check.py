"""The comparison of one case, for whoever built the documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set

from tests.cases.case import Case
from tests.oracle.compare import by_id, differences, without_id


def check(case: Case, flavor: str, documents: Mapping[bytes, bytes], rejected: Set[tuple[str, ...]]) -> None:
    """Fails unless these are the case's documents and rejected keys."""
    expected = case.expected(flavor)
    if case.keyless:
        assert Counter(map(without_id, documents.values())) == Counter(map(without_id, expected))
    else:
        lines = differences(by_id(expected), documents)
        assert not lines, "\n".join(lines)
    found = {", ".join(key) for key in rejected}
    assert found == case.rejected, f"rejected {sorted(found)}, expected {sorted(case.rejected)}"
