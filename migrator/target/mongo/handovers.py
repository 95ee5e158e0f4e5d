"""Which collections the application has, in `_migrator_cutover`, and the counters that its new ids come from."""

from __future__ import annotations

from bson import Int64

from migrator.model.collection_names import SEQUENCES
from migrator.model.report.cutover import Handover, Seed
from migrator.model.serialize import from_json, to_json
from migrator.target.mongo.connection.session import Session

HANDOVERS = "_migrator_cutover"


class MongoHandovers:
    """Implements migrator.ports.cutover.CutoverState."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def handed_over(self) -> dict[str, Handover]:
        found = self._session.retried(lambda: list(self._session.database[HANDOVERS].find()))
        return {each["_id"]: from_json(Handover, each["text"], where=HANDOVERS) for each in found}

    def record(self, handover: Handover) -> None:
        name = handover.scope.collection
        body = {"at": handover.at, "by": handover.by, "run": handover.scope.run, "text": to_json(handover)}
        self._session.retried(lambda: self._session.database[HANDOVERS].replace_one({"_id": name}, body, upsert=True))

    def withdraw(self, handover: Handover) -> None:
        wanted = {"_id": handover.scope.collection, "run": handover.scope.run}
        self._session.retried(lambda: self._session.database[HANDOVERS].delete_one(wanted))

    def seed(self, seed: Seed) -> None:
        change = {"$max": {"last": Int64(seed.last)}}
        self._session.retried(
            lambda: self._session.database[SEQUENCES].update_one({"_id": seed.counter}, change, upsert=True)
        )
