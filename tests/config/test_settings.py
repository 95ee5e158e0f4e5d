"""Where settings come from, which one wins, and what a wrong project file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrator.config import Settings, load_settings
from migrator.errors import SettingsError
from migrator.masking import mask_url
from migrator.model.mapping.policies import SoftDelete
from migrator.project_file import find_project_file


def load(directory: Path, environ: dict[str, str] | None = None, config: Path | None = None, **flags: Any) -> Settings:
    file = config or find_project_file(directory).file
    return load_settings(flags, file=file, environ=environ or {})


def project(directory: Path, text: str) -> Path:
    file = directory / "migrator.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def mistakes(directory: Path, text: str, environ: dict[str, str] | None = None) -> str:
    project(directory, text)
    with pytest.raises(SettingsError) as caught:
        load(directory, environ)
    return str(caught.value)


def test_defaults(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings()
    assert load(tmp_path).mappings == Path("mappings")


@pytest.mark.parametrize("name", ["source", "target", "mappings"])
def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(tmp_path: Path, name: str) -> None:
    variable = {f"MIGRATOR_{name.upper()}": "environment"}
    default = str(getattr(load(tmp_path), name))
    project(tmp_path, f"{name}: file\n")
    found = [
        str(getattr(load(tmp_path), name)),
        str(getattr(load(tmp_path, variable), name)),
        str(getattr(load(tmp_path, variable, **{name: "flag"}), name)),
        str(getattr(load(tmp_path, variable, **{name: None}), name)),
        str(getattr(load(tmp_path, {f"MIGRATOR_{name.upper()}": ""}), name)),
    ]
    file = str(tmp_path / "file") if name == "mappings" else "file"
    assert found == [file, "environment", "flag", "environment", file]
    assert default not in found


def test_numbers_of_the_file_give_way_to_flags(tmp_path: Path) -> None:
    project(tmp_path, "workers: 3\nmax_threads_running: 20\nmax_replica_lag: 1.5\nchunk_rows: 500\n")
    found = load(tmp_path, workers=5, max_threads_running=None)
    assert (found.workers, found.max_threads_running, found.max_replica_lag, found.chunk_rows) == (5, 20, 1.5, 500)


def test_policies(tmp_path: Path) -> None:
    text = "policies:\n  zero_date: null\n  datetime_zone: Europe/Berlin\n  soft_delete: {column: deleted_at}\n"
    project(tmp_path, text)
    found = load(tmp_path).policies
    assert (found.zero_date, found.datetime_zone) == ("null", "Europe/Berlin")
    assert found.soft_delete == SoftDelete("deleted_at", "`deleted_at` IS NULL")


def test_mappings_are_seen_from_the_project_file(tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    file = project(other, "mappings: maps\n")
    assert load(tmp_path, config=file).mappings == other / "maps"


def test_variables_are_filled_in(tmp_path: Path) -> None:
    project(tmp_path, "source: mysql://app:${DB_PASSWORD}@${HOST}/shop\ntarget: $${HOST} costs $5$$\nworkers: ${N}\n")
    found = load(tmp_path, {"DB_PASSWORD": "s3cret", "HOST": "db", "N": "4"})
    assert found.source == "mysql://app:s3cret@db/shop"
    assert found.target == "${HOST} costs $5$$"
    assert found.workers == 4


def test_a_variable_brings_no_variables(tmp_path: Path) -> None:
    project(tmp_path, "source: ${A}\n")
    assert load(tmp_path, {"A": "${B}", "B": "x"}).source == "${B}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("source: mysql://a:${NOPE}@h/d\n", ["migrator.yaml:1: the environment variable NOPE is not set"]),
        ("# hello\nsorce: x\n", ["migrator.yaml:2: unknown key `sorce`", "did you mean `source`?"]),
        ("workers: many\n", ["migrator.yaml:1: `workers` must be a whole number"]),
        ("workers: true\n", ["`workers` must be a whole number"]),
        ("workers: -1\n", ["`workers` must be a whole number"]),
        ("max_threads_running: 0\n", ["`max_threads_running` must be at least 1"]),
        ("chunk_rows: 0\n", ["`chunk_rows` must be at least 1"]),
        ("max_replica_lag: soon\n", ["`max_replica_lag` must be a number of seconds"]),
        ("source:\n", ["migrator.yaml:1: `source` has no value"]),
        ("source: ${x y}\n", ["starts the name of a variable", "$${"]),
        ("source: ${open\n", ["starts the name of a variable"]),
        ("source: [a]\n", ["`source` must be text"]),
        ("policies: {zero_dates: null}\n", ["unknown key `zero_dates`", "did you mean `zero_date`?"]),
        ("policies: {zero_date: nil}\n", ["`zero_date` can't be `nil`"]),
        ("- a\n", ["a project file is a block of `name: value` lines"]),
        ("source: 'a\n", ["this is not YAML"]),
        ("source: a\nsource: b\n", ["`source` occurs twice"]),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, says: list[str]) -> None:
    found = mistakes(tmp_path, text)
    assert all(part in found for part in says), found


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "sorce: a\nworkers: many\ntarget: ${NOPE}\n")
    assert [f"migrator.yaml:{line}:" in found for line in (1, 2, 3)] == [True] * 3


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\n\n"])
def test_an_empty_project_file_is_fine(tmp_path: Path, text: str) -> None:
    project(tmp_path, text)
    assert load(tmp_path).source == ""


def test_a_named_project_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml: the project file can't be read"):
        load(tmp_path, config=tmp_path / "nowhere.yaml")


def test_what_is_missing_says_where_to_give_it() -> None:
    with pytest.raises(SettingsError, match="--source, as MIGRATOR_SOURCE in the environment, or as `source:`"):
        Settings().source_url()
    with pytest.raises(SettingsError, match="no target was given"):
        Settings().target_url()


SECRETS = [
    "mysql://app:s3cret@db:3306/shop",
    "mysql://app:s3cret@[::1]:3306/shop",
    "mysql://:s3cret@db/shop",
    "mysql://app:s3cret%40x@db/shop?replica=ro:s3cret@r1:3306&ssl-mode=REQUIRED",
    "mysql://app@db/shop?replica=ro:s3cret@r1",
    "mysql://app:half@s3cret@db/shop",
    "mysql:/app:s3cret@db/shop",
    "app:s3cret@db/shop",
    "mongodb://app:s3cret@a:27017,b:27017/shop?replicaSet=rs0",
    "mongodb+srv://app:s3cret@cluster.example/shop",
    "mongodb://a/shop?tlsCertificateKeyFilePassword=s3cret&tls=true",
    "mongodb://a/shop?authMechanismProperties=AWS_SESSION_TOKEN:s3cret",
    "two of them: mysql://app:s3cret@db/shop and mongodb://app:s3cret@b/shop",
]


@pytest.mark.parametrize("text", SECRETS)
def test_passwords_are_masked(text: str) -> None:
    assert "s3cret" not in mask_url(text)
    assert "***" in mask_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "mysql://app@db:3306/shop",
        "mongodb://a:27017,b:27017/shop?replicaSet=rs0",
        "orders.yaml:12: no column `a@b`",
        "at 127.0.0.1:3306",
        "Write mysql://user:password@host:3306/database, percent-encoded (@ is %40).",
        "Write replica=host:3306 or replica=user:password@host:3306.",
    ],
)
def test_what_holds_no_password_stays(text: str) -> None:
    assert mask_url(text) == text


@pytest.mark.parametrize("line", ["sorce: {}", "source: [{}]", "workers: {}", "policies: {{null: '{}'}}", "{}"])
def test_mistakes_show_their_line_without_its_password(tmp_path: Path, line: str) -> None:
    found = mistakes(tmp_path, line.format("mysql://app:s3cret@db/shop") + "\nunknown: 1\n")
    assert "migrator.yaml:" in found
    assert "s3cret" not in found


def test_settings_print_no_password() -> None:
    settings = Settings(source="mysql://app:s3cret@db/shop", target="mongodb://app:s3cret@b/shop")
    assert "s3cret" not in f"{settings!r} {settings} {[settings]}"
    assert "app:***@db/shop" in repr(settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().workers = 3  # type: ignore[misc]
