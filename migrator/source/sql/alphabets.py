"""What comparisons need to know of collations, asked of the server when it is first needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from migrator.model.plan.chunk import Key
from migrator.model.schema.tables import Column
from migrator.source.sql.alphabet import Alphabet, letters_query, weights_of, weights_query
from migrator.source.sql.comparison import Comparison

# The rows of a statement, values as bytes.
Ask = Callable[[str], Awaitable[Sequence[Sequence[bytes | None]]]]


class Alphabets:
    """The alphabets asked for so far, for as long as a process reads."""

    def __init__(self) -> None:
        self._known: dict[str, Alphabet | None] = {}

    async def prepared(
        self, comparisons: Sequence[Comparison], keys: Sequence[Key], ask: Ask
    ) -> tuple[Comparison, ...]:
        """The comparisons with all that makes them find `keys` by the columns' indexes."""
        found = [
            await self._prepared(one, list(dict.fromkeys(key[place] for key in keys)), ask)
            for place, one in enumerate(comparisons)
        ]
        return tuple(found)

    async def _prepared(self, comparison: Comparison, values: Sequence[bytes], ask: Ask) -> Comparison:
        rule = comparison.alphabet_for(values)
        alphabet = await self._alphabet(comparison.near, rule, ask) if rule is not None else None
        if rule is None or alphabet is None:
            return comparison
        texts = [text for text in (value.decode() for value in values) if alphabet.weigh(text) is None]
        if not texts:
            return replace(comparison, alphabet=alphabet)
        (row,) = await ask(weights_query(rule, texts))
        weights = dict(zip(texts, map(weights_of, row), strict=True))
        return replace(comparison, alphabet=alphabet, weights=weights)

    async def _alphabet(self, near: Column, rule: Column, ask: Ask) -> Alphabet | None:
        query = letters_query(near, rule)
        if query is None:
            return None
        if query not in self._known:
            self._known[query] = Alphabet.of(near, rule, await ask(query))
        return self._known[query]
