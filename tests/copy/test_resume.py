"""What an unfinished run, changed mappings, tables, indexes and collections mean to the next apply."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.project import ACCOUNTS, Ended, Project
from tests.waiting import until

OK, REFUSED = 0, 4
pytestmark = pytest.mark.slow


@pytest.fixture
def unfinished(project: Project) -> Project:
    running = project.start_copying()
    running.signal_all(signal.SIGKILL)
    running.process.wait()
    assert project.documents() == {}
    return project


def test_another_mapping_is_refused_until_restart(unfinished: Project) -> None:
    unfinished.mapping("accounts", ACCOUNTS.replace("from: accounts", "from: accounts\ncolumns: [id, balance]"))
    refused = unfinished.apply_here()
    assert refused.code == REFUSED, refused
    assert "is unfinished" in refused.err
    assert "--restart" in refused.err
    ended = unfinished.apply_here("--restart")
    assert ended.code == OK, ended
    assert set(unfinished.documents()[1]) == {"_id", "balance", "entries"}
    assert "Nothing to do." in unfinished.here("apply").out


def test_an_altered_table_is_refused_until_restart(unfinished: Project) -> None:
    unfinished.sql("ALTER TABLE entries ADD COLUMN mood INT NOT NULL DEFAULT 3")
    assert unfinished.apply_here().code == REFUSED
    assert unfinished.apply_here("--restart").code == OK
    assert unfinished.documents()[1]["entries"] == [{"id": 1, "account_id": 1, "text": "first of 1", "mood": 3}]


def test_new_indexes_need_no_restart_and_are_built(unfinished: Project) -> None:
    unfinished.mapping("accounts", ACCOUNTS + "indexes:\n  - {keys: {owner: 1}, unique: true}\n")
    ended = unfinished.apply_here()
    assert ended.code == OK, ended
    assert len(unfinished.documents()) == 600
    assert "Nothing to do." in unfinished.here("apply").out


def test_more_collections_name_the_way_out(unfinished: Project) -> None:
    unfinished.mapping("entries", "collection: entries\nfrom: entries\n")
    refused = unfinished.apply_here()
    assert refused.code == REFUSED
    assert "apply --collection accounts" in refused.err
    assert unfinished.apply_here("--collection", "accounts").code == OK
    assert unfinished.apply_here().code == OK
    assert (len(unfinished.documents()), len(unfinished.documents("entries"))) == (600, 600)


def test_a_mapping_that_went_away(unfinished: Project) -> None:
    (unfinished.folder / "mappings" / "accounts.yaml").unlink()
    unfinished.mapping("entries", "collection: entries\nfrom: entries\n")
    assert unfinished.apply_here().code == REFUSED
    assert unfinished.apply_here("--restart").code == OK
    assert (len(unfinished.documents()), len(unfinished.documents("entries"))) == (0, 600)


def test_what_others_put_there_during_the_copy(project: Project) -> None:
    """Refused at the end; when the user says --replace, what was copied is used and not copied again."""
    running = project.start_copying()
    with MongoClient[dict[str, object]](project.target) as client:
        client.get_default_database()["accounts"].insert_one({"_id": "theirs"})
    ended = running.end()
    assert ended.code == REFUSED, ended
    assert set(project.documents()) == {"theirs"}
    assert project.apply_here().code == REFUSED
    agreed = project.apply_here("--replace", "accounts")
    assert agreed.code == OK, agreed
    assert "600 documents are done" in agreed.err
    assert len(project.documents()) == 600


def altered(project: Project, *statements: str) -> Ended:
    """An apply whose source's tables change under it."""
    running = project.start_copying()
    project.sql(*statements)
    return running.end()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE entries ADD COLUMN mood INT NOT NULL DEFAULT 3",
        "ALTER TABLE entries DROP COLUMN text",
        "ALTER TABLE accounts MODIFY balance BIGINT NOT NULL",
    ],
)
def test_alter_table_during_the_copy(project: Project, statement: str) -> None:
    ended = altered(project, statement)
    assert ended.code in (REFUSED, 6), ended
    assert project.documents() == {}
    again = project.apply_here()
    if again.code == REFUSED:
        assert "--restart" in again.err
        again = project.apply_here("--restart")
    assert again.code == OK, again
    assert len(project.documents()) == 600


def test_readers_see_the_old_documents_until_the_new_ones_are_whole(
    project: Project, mongodb_server_is_standin: bool
) -> None:
    # The stand-in's rename drops the old collection a moment before the new one has its name.
    counts = {600, 0} if mongodb_server_is_standin else {600}
    assert project.apply_here().code == OK
    project.mapping("accounts", ACCOUNTS.replace("from: accounts", "from: accounts\ncolumns: [id, balance]"))
    running = project.start_apply()
    shapes = []
    with MongoClient[dict[str, object]](project.target) as client:
        accounts = client.get_default_database()["accounts"]
        while running.process.poll() is None:
            # In one batch: a rename ends the cursors that are open on what it drops.
            documents = list(accounts.find().batch_size(1000))
            assert len(documents) in counts
            shapes += [{tuple(document) for document in documents}] if documents else []
    assert running.end().code == OK
    assert all(len(shape) == 1 for shape in shapes), "a reader saw old and new documents at once"
    assert shapes[0] == {("_id", "owner", "balance", "entries")}
    assert {tuple(document) for document in project.documents().values()} == {("_id", "balance", "entries")}


@pytest.mark.parametrize(
    "edit", [lambda text: text[: len(text) // 2], lambda text: text.replace('"version": 1', '"version": 2')]
)
def test_a_spoilt_plan(project: Project, edit: Callable[[str], str]) -> None:
    file = project.folder / "plan.json"
    assert project.here("plan", "--out", str(file)).code == OK
    file.write_text(edit(file.read_text(encoding="utf-8")), encoding="utf-8")
    refused = project.apply_here(str(file))
    assert refused.code == REFUSED, refused
    assert project.documents() == {}


def test_a_plan_for_the_other_kind_of_target(either: Project) -> None:
    file = either.folder / "plan.json"
    assert either.here("plan", "--out", str(file)).code == OK
    other = either.into(f"file:{either.folder / 'elsewhere'}")
    refused = other.apply_here(str(file))
    assert refused.code == REFUSED, refused
    assert "it was made for the target" in refused.err
    assert not (either.folder / "elsewhere").exists()


def test_a_trial_leaves_the_real_ones_alone(either: Project) -> None:
    assert either.apply_here().code == OK
    before = either.documents()
    either.sql("UPDATE accounts SET balance = 1")
    either.mapping("accounts", ACCOUNTS.replace("from: accounts", "from: accounts\ncolumns: [id, balance]"))
    ended = either.here("apply", "--sample", "7")
    assert ended.code == OK, ended
    assert len(either.documents("accounts__sample")) == 7
    assert either.documents() == before
    assert either.here("apply", "--sample", "3").code == OK
    assert len(either.documents("accounts__sample")) == 3


def planned(project: Project) -> dict[str, Any]:
    ended = project.here("plan", "--json")
    assert ended.code == OK, ended
    (found,) = json.loads(ended.out)["collections"]
    return dict(found)


def test_a_plan_counts_what_is_copied_already(either: Project) -> None:
    whole = planned(either)
    assert whole["copied"] is None
    running = either.start_copying()
    running.signal_all(signal.SIGKILL)
    running.process.wait()
    asked = json.loads(either.here("status", "--json").out)["collections"][0]
    copied = planned(either)["copied"]
    assert copied["documents"] == asked["documents"] > 0
    assert (copied["is_whole"], copied["rows"]) == (False, 2 * copied["documents"])
    assert 0 < copied["bytes"] < whole["measure"]["total_bytes"]["value"]
    shown = either.here("plan").out
    assert f"{copied['documents']} documents, " in shown
    assert "copied already; size and time are of what is left" in " ".join(shown.split())
    assert "copying the rest takes" in shown


def test_a_plan_for_other_work_counts_nothing(unfinished: Project) -> None:
    assert planned(unfinished)["copied"] is not None
    unfinished.mapping("accounts", ACCOUNTS.replace("from: accounts", "from: accounts\ncolumns: [id, balance]"))
    assert planned(unfinished)["copied"] is None
    assert "copied already" not in unfinished.here("plan").out


def test_files_of_another_moment_are_copied_again(project: Project, tmp_path: Path) -> None:
    files = project.into(f"file:{tmp_path / 'files'}")
    running = files.start_copying()
    running.signal_all(signal.SIGKILL)
    running.process.wait()
    assert planned(files)["copied"] is not None
    files.sql("UPDATE accounts SET balance = balance + 1 WHERE id = 1")
    assert planned(files)["copied"] is None


@pytest.mark.needs_mariadb("cascades are not in its log")
def test_a_copy_whose_keys_were_not_all_recorded_begins_again(project: Project) -> None:
    project.sql(
        "CREATE TABLE owners (id INT PRIMARY KEY)",
        "ALTER TABLE accounts ADD owner_id INT, ADD FOREIGN KEY (owner_id) REFERENCES owners (id) ON DELETE SET NULL",
    )
    running = project.start_copying()
    with MongoClient[dict[str, Any]](project.target) as client, running.workers_stopped():
        notes = client.get_default_database()["_migrator_sync"]
        until(lambda: notes.find_one({"tracked": {"$exists": True}}) is not None, "the keys")
        running.signal_all(signal.SIGKILL)
        running.process.wait()
        assert planned(project)["copied"] is not None
        # As if it had been killed a moment earlier.
        notes.update_many({}, {"$unset": {"tracked": ""}})
    assert planned(project)["copied"] is None
    assert "copying starts again" in project.apply_here().err
