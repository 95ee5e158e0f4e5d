"""A short name for what a plan does and what it was made for: equal plans have equal names."""

from __future__ import annotations

import hashlib
from json import dumps

from migrator.model.plan.plan import Plan
from migrator.model.serialize import to_json


def plan_identity(plan: Plan) -> str:
    """Eight hex digits over what decides the outcome: ends, mappings, schemas, actions. No times, no estimates."""
    parts = [plan.version, plan.source.uuid, plan.target.address]
    for each in plan.collections:
        collection = each.collection
        parts += [
            collection.name,
            collection.mapping_hash,
            collection.schema_fingerprint,
            [to_json(spec) for spec in collection.indexes],
            each.action,
            each.validator,
            each.before.structure,
        ]
    return hashlib.sha256(dumps(parts).encode()).hexdigest()[:8]
