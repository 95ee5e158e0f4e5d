"""How documents of the state say which scope they belong to."""

from __future__ import annotations

from migrator.model.change.events import Scope


def of_scope(scope: Scope) -> dict[str, str]:
    """The fields of a document of this scope, to be written or looked for; also a whole `_id`, so their order stays."""
    return {"run": scope.run, "collection": scope.collection}
