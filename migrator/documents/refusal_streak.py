"""When to stop because the target refuses nearly everything for one reason.

A document that is refused is rejected, and the work continues. But if document after document is refused for the same
reason, the cause is in the mapping, in an index or in the server, and continuing would empty the collection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from migrator.errors import TargetError
from migrator.model.plan.chunk import Key, Refusal

ENOUGH = 100
"""So many different documents are not a coincidence."""

_SHARE = 0.95
"""Of all documents since the first refused one, so many must be refused."""

Refused = tuple[Key, Refusal]


@dataclass(frozen=True, slots=True)
class Streak:
    """Documents that were refused for one reason, with hardly any written in between.

    Attributes:
        code: of the target's error.
        refused: each document counts once, however often it is tried.
        others: documents since the first of them that were written, or refused for another reason.
        last: the latest of the refusals, None in an empty streak.
    """

    code: int = 0
    refused: frozenset[Key] = frozenset()
    others: int = 0
    last: Refusal | None = None

    @property
    def is_hopeless(self) -> bool:
        return len(self.refused) >= ENOUGH

    def after(self, written: int, refused: Iterable[Refused]) -> Streak:
        """The streak after a batch.

        Args:
            written: documents that the target took.
            refused: those that it did not take; documents that were known to be refused before are not among them.
        """
        found = list(refused)
        if not found:
            return self._grown((), written)
        (code, _), *_ = Counter(why.code for _, why in found).most_common(1)
        mine = [(key, why) for key, why in found if why.code == code]
        others = written + len(found) - len(mine)
        begun = self if code == self.code else Streak(code)
        return begun._grown(mine, others)

    def _grown(self, mine: Iterable[Refused], others: int) -> Streak:
        mine = list(mine)
        refused = self.refused.union(key for key, _ in mine)
        others += self.others
        if not refused or len(refused) < _SHARE * (len(refused) + others):
            return Streak()
        return Streak(self.code, refused, others, mine[-1][1] if mine else self.last)


def stop_if_hopeless(streak: Streak, collection: str) -> None:
    """
    Raises:
        TargetError: when nearly everything is refused for one reason.
    """
    if not streak.is_hopeless or streak.last is None:
        return
    between = f"{streak.others} others were written" if streak.others else "none was written"
    raise TargetError(
        f"{len(streak.refused)} documents in a row were refused for one reason, {between} in between: "
        f"{streak.last.reason}",
        where=collection,
        hint="Correct what these documents have in common: the rows, the mapping, or the index or validator that "
        "refuses them. Then run the same command again. The documents of the last batch are as they were before, and "
        "are not recorded as rejected.",
        said=streak.last.said,
    )
