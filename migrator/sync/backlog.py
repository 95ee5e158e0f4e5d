"""Whether something waits in the state. It is asked as rarely as possible, since every batch would pay for it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from migrator.model.change.events import DocumentRef, Scope
from migrator.model.plan.chunk import Key
from migrator.ports.sync_state import DirtyRefs, RejectedDocuments
from migrator.sync.rebuild import Rebuilt

# Others may note something, too: a repair hands its documents to the sync at work.
_POLL_SECONDS = 1.0
_CONFLICTS_AT_ONCE = 500


class Backlog:
    """What waits for some collections: dirty references, and documents refused for a unique value of another one."""

    def __init__(self, dirty: DirtyRefs, rejected: RejectedDocuments, scopes: Sequence[Scope]) -> None:
        self._dirty = dirty
        self._rejected = rejected
        self._scopes = scopes
        self._may_be_dirty = self._may_conflict = self._untried = True
        self._polled_at = float("-inf")

    def mark_dirty(self, scope: Scope, refs: Iterable[DocumentRef], why: str = "") -> None:
        self._dirty.mark(scope, refs, why)
        self.expect_dirty()

    def expect_dirty(self) -> None:
        """Something was, in another way."""
        self._may_be_dirty = True

    def count_rebuilt(self, rebuilt: Rebuilt) -> None:
        """Documents were rebuilt: values may have become free, or been taken."""
        self._untried = True
        self._may_conflict = self._may_conflict or rebuilt.conflicts > 0

    def dirty(self) -> list[Scope]:
        """The collections for which something is dirty."""
        if not self._may_be_dirty and time.monotonic() - self._polled_at < _POLL_SECONDS:
            return []
        self._polled_at = time.monotonic()
        found = [scope for scope in self._scopes if self._dirty.oldest(scope, 1)]
        self._may_be_dirty = bool(found)
        return found

    def conflicting(self) -> dict[Scope, list[Key]]:
        """Documents worth another try, once after others were rebuilt."""
        if not self._may_conflict or not self._untried:
            return {}
        self._untried = False
        found = {scope: self._rejected.conflicting(scope, _CONFLICTS_AT_ONCE) for scope in self._scopes}
        self._may_conflict = any(found.values())
        return {scope: keys for scope, keys in found.items() if keys}
