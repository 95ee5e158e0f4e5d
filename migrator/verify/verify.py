"""verify: every document rebuilt from the source and compared with the target's, byte for byte.

Without a sync a difference is a fault as soon as it is seen. With one, it may be that the sync hasn't been there yet, or
that the document changed between the two sides' reading. So it is looked at again when the sync has passed the place
where the source's log ended after the look's snapshot (premise A the other way round: nothing in the snapshot was
logged behind it). What was seen three times in a row, the same bytes on both sides, is a fault. A document that changes
all the time can't be told; it counts as not right.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

from migrator.documents.identity import tells_keys
from migrator.errors import Interrupted, PlanRefused, Retryable, Stopped
from migrator.model.position import Position
from migrator.model.verify import (
    CollectionPass,
    Fault,
    IndexFault,
    Pass,
    Published,
    Suspect,
    Tally,
    VerifyReport,
)
from migrator.run.pool import Outcome, Pool
from migrator.run.retry import retrying
from migrator.run.sync_ports import SyncableSource
from migrator.run.throttle import Throttle
from migrator.verify.agenda import Agenda
from migrator.verify.course import Course
from migrator.verify.ends import VerifyEnds
from migrator.verify.look import KEYS_AT_ONCE
from migrator.verify.outcome import VerifyObserver, VerifyOptions
from migrator.verify.ports import VerifiedTarget, VerifyState
from migrator.verify.race import Race
from migrator.verify.repair import Handing, Writing, beyond_sync
from migrator.verify.tasks import Found, LookAgain, Looked, SearchRows
from migrator.verify.wanted import chosen
from migrator.verify.worker import LookHandler, require_server
