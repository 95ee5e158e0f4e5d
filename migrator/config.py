"""Where each setting comes from: defaults < migrator.yaml < environment < flags, into frozen settings for one call.

Nothing is read at import, and nothing made here shows a password when printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from migrator.errors import Problem, SettingsError
from migrator.mapping.file.messages import describe_mistakes
from migrator.mapping.file.yaml_document import Path as Place
from migrator.mapping.file.yaml_document import SourceMap, YamlDocument, read_document
from migrator.masking import mask_url
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.spec import PolicySettings, overlay
from migrator.project_file import PROJECT_FILE

ENVIRONMENT = {"source": "MIGRATOR_SOURCE", "target": "MIGRATOR_TARGET", "mappings": "MIGRATOR_MAPPINGS"}

_VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value)):
        raise PydanticCustomError("migrator", "must be a whole number, 0 or more")
    return int(value)


def _number(value: Any) -> Any:
    if not re.fullmatch(r"\d+(\.\d+)?", str(value)):
        raise PydanticCustomError("migrator", "must be a number of seconds, 0 or more")
    return float(value)


_Text = Annotated[str, StringConstraints(min_length=1)]
_Whole = Annotated[int, BeforeValidator(_whole)]
_Number = Annotated[float, BeforeValidator(_number)]


class ProjectFile(BaseModel):
    """What migrator.yaml may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: _Text = Field(default="", description="mysql://user:password@host:3306/database", repr=False)
    target: _Text = Field(default="", description="mongodb://host:27017/database or file:FOLDER", repr=False)
    mappings: _Text = Field(default="mappings", description="Folder of the mapping files, relative to this file.")
    policies: PolicySettings | None = Field(default=None, description="Policies for all collections.")
    workers: Annotated[_Whole, Field(ge=0)] = Field(default=0, description="Reader processes; 0: by cores.")
    max_threads_running: Annotated[_Whole, Field(ge=1)] | None = Field(
        default=None, description="Pause while the source's Threads_running is above this."
    )
    max_replica_lag: Annotated[_Number, Field(ge=0)] | None = Field(
        default=None, description="Pause while the watched replica is more seconds behind."
    )
    chunk_rows: Annotated[_Whole, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="Root rows per chunk. Default: by the size of the documents."
    )
    retry_seconds: Annotated[_Number, Field(ge=0)] = Field(
        default=60.0, description="How long apply retries transient errors."
    )


class Settings(BaseModel):
    """All settings of one call.

    Attributes:
        source: URL of the MySQL side, "" when none was given.
        target: URL of the document side, "" when none was given.
        mappings: folder of the mapping files.
        policies: project-wide policies.
        workers: reader processes; 0 chooses by the number of cores.
        max_threads_running: pause while the source is busier; None never pauses.
        max_replica_lag: pause while the watched replica is more seconds behind; None never pauses.
        chunk_rows: root rows a chunk; None chooses by the size of the documents.
        retry_seconds: how long apply tries transient errors of source and target again.
        file: the project file that was read, None when there is none.
    """

    model_config = ConfigDict(frozen=True)

    source: str = Field(default="", repr=False)
    target: str = Field(default="", repr=False)
    mappings: Path = Path("mappings")
    policies: Policies = Policies()
    workers: int = 0
    max_threads_running: int | None = None
    max_replica_lag: float | None = None
    chunk_rows: int | None = None
    retry_seconds: float = 60.0
    file: Path | None = None

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        yield "source", mask_url(self.source)
        yield "target", mask_url(self.target)
        yield from super().__repr_args__()

    def source_url(self) -> str:
        """The source's URL.

        Raises:
            SettingsError: when none was given.
        """
        return self.source or _missing("source", "mysql://user:password@host:3306/database")

    def target_url(self) -> str:
        """The target's URL.

        Raises:
            SettingsError: when none was given.
        """
        return self.target or _missing("target", "mongodb://host:27017/database or file:FOLDER")


def _missing(name: str, form: str) -> str:
    raise SettingsError(
        f"no {name} was given",
        hint=f"Give it with --{name}, as {ENVIRONMENT[name]} in the environment, or as `{name}:` in {PROJECT_FILE}: "
        f"{form}",
    )


def load_settings(
    flags: Mapping[str, Any],
    *,
    file: Path | None,
    environ: Mapping[str, str],
) -> Settings:
    """The settings of one call.

    Args:
        flags: values of the command line by the name of the setting; None stands for a flag that was not given.
        file: the project file, None for none.
        environ: the environment.

    Raises:
        SettingsError: with every mistake in the project file.
    """
    found: dict[str, Any] = {}
    if file is not None:
        found = {**_read_project(file, environ), "file": file}
    for name, variable in ENVIRONMENT.items():
        if environ.get(variable):
            found[name] = environ[variable]
    found |= {name: value for name, value in flags.items() if value is not None}
    return Settings.model_validate(found)


def _read_project(file: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"the project file can't be read: {error.strerror}", where=str(file.absolute()), hint="Look at --config."
        ) from None
    if all(line.strip()[:1] in (b"", b"#") for line in content.splitlines()):
        return {}
    document = read_document(str(file), content)
    if not isinstance(document.data, dict):
        raise _mistakes([*document.problems, *_not_a_block(document)])
    problems = list(document.problems)
    data = _expand(document.data, (), environ, document.places, problems)
    for key, value in document.data.items():
        if value is None:
            suggestion = "give it one, or remove the line"
            problems.append(document.places.problem((key,), f"`{key}` has no value", suggestion, at_key=True))
            del data[key]
    try:
        read = ProjectFile.model_validate(data)
    except ValidationError as error:
        raise _mistakes([*problems, *describe_mistakes(error, ProjectFile, document.places, data)]) from None
    if problems:
        raise _mistakes(problems)
    given: dict[str, Any] = {name: getattr(read, name) for name in read.model_fields_set}
    if "policies" in given:
        given["policies"] = overlay(Policies(), read.policies)
    if "mappings" in given:
        given["mappings"] = file.parent / read.mappings
    return given


def _not_a_block(document: YamlDocument) -> list[Problem]:
    if document.data is None and document.problems:
        return []
    return [document.places.problem((), "a project file is a block of `name: value` lines")]


def _mistakes(problems: list[Problem]) -> SettingsError:
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column))
    text = "\n".join(mask_url(str(problem)) for problem in ordered)
    return SettingsError(text, hint="`migrator help settings` has all settings.")


def _expand(value: Any, path: Place, environ: Mapping[str, str], places: SourceMap, problems: list[Problem]) -> Any:
    """`value` with `${NAME}` replaced from the environment in every text, and `$${` by `${`."""
    if isinstance(value, dict):
        return {key: _expand(inner, (*path, key), environ, places, problems) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expand(inner, (*path, index), environ, places, problems) for index, inner in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replaced(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "${"
        if not match[0].endswith("}") or not _VARIABLE_NAME.fullmatch(name):
            problems.append(
                places.problem(path, "`${` starts the name of a variable", "write ${NAME}, or $${ for itself")
            )
        elif name not in environ:
            problems.append(
                places.problem(path, f"the environment variable {name} is not set", f"export {name}=..., or use a flag")
            )
        else:
            return environ[name]
        return match[0]

    return _VARIABLE.sub(replaced, value)
