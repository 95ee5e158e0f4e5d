"""Moving call sites safely: the old SQL and the repository call side by side, compared.

    shadow = Shadow(report=log_difference, share=0.05)

    def order_page(customer: int) -> list[Row]:
        return shadow.compare(
            "order page",
            old=lambda: mysql.rows("SELECT … WHERE customer_id = %s", customer),
            new=lambda: data.orders.find(OrderFields.customer_id == customer),
            rows=lambda order: {"id": order.id, "total": order.amounts.goods},
        )

The caller always gets what the old call returns. What the new one does wrong, an exception included, is reported and
never felt. With a share of 0 the new call, the comparison and even the functions given for them are not touched.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any, TypeVar

from ..shadowing import Difference, differences

R = TypeVar("R")
N = TypeVar("N")

Rows = Sequence[Mapping[str, Any]]


class Shadow:
    """Compares old calls with new ones.

    Args:
        report: is told of every difference.
        share: of the calls that are compared, 0 to 1; 0 is off.
        ignore: fields that may differ.
        ordered: whether the rows' order counts.
    """

    def __init__(
        self,
        report: Callable[[Difference], None],
        *,
        share: float = 1.0,
        ignore: Iterable[str] = (),
        ordered: bool = True,
    ) -> None:
        self._report = report
        self._share = share
        self._ignore = frozenset(ignore)
        self._ordered = ordered

    async def compare(
        self,
        name: str,
        *,
        old: Callable[[], Awaitable[Rows]],
        new: Callable[[], Awaitable[Iterable[N]]],
        rows: Callable[[N], Mapping[str, Any]],
    ) -> Rows:
        """What `old` returns.

        Args:
            name: of the call site, for the report.
            old: the call that is to be replaced; its rows as mappings.
            new: the repository call that is to replace it.
            rows: an object of the new call as the row that the old one would give.
        """
        if self._share <= 0 or random.random() >= self._share:
            return await old()
        began = perf_counter()
        expected = await old()
        between = perf_counter()
        # Anything at all may be wrong with a call that is being tried out, and none of it may reach the caller.
        try:
            found = [rows(each) for each in await new()]
        except Exception as error:
            self._report(Difference(name, "error", None, None, repr(error), between - began, perf_counter() - between))
            return expected
        times = (between - began, perf_counter() - between)
        for each in differences(name, expected, found, self._ignore, self._ordered, times):
            self._report(each)
        return expected
