"""Read a supervision model's folder; every problem names file, line and key path."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from configs.common import with_common
from configs.errors import DeclarationError, Problem, declaration_error, nearest
from configs.expressions import ExpressionError, kind_of, names, parse
from configs.linkage import link_problems
from configs.presented import column_problems, lawful_problems
from configs.privacy import excluded_columns
from configs.schema import TIME_TYPES, ModelSpec, RoleSpec, RulesFile, RuleSpec
from configs.templates import TemplateError, placeholders
from configs.vocabulary import Vocabulary, vocabulary

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A checked declaration: what the stages work from."""

    spec: ModelSpec
    rules: tuple[RuleSpec, ...]
    known: Vocabulary
    folder: Path
    config_hash: str


def model_names(models: Path) -> list[str]:
    """The supervision models that have a folder under `models`."""
    return sorted(path.parent.name for path in models.glob("*/model.yaml"))


def load_model(name: str, models: Path) -> LoadedModel:
    """Read and check `models/<name>`.

    Raises:
        DeclarationError: the folder is missing or anything in it is not valid; the
            message lists every problem with file, line and key path.
    """
    folder = models / name
    if not (folder / "model.yaml").is_file():
        hint = nearest(name, model_names(models))
        raise DeclarationError(f"no supervision model {name!r} in {models}{hint}")
    spec = read_spec(folder / "model.yaml", ModelSpec)
    _check_references(folder / "model.yaml", spec)
    known = vocabulary(spec)
    problems = [*known.problems, *_unused(spec, known), *column_problems(spec, known)]
    raise_problems(folder / "model.yaml", problems)
    rules = load_rules(folder / spec.rules_file, known)
    return LoadedModel(spec, rules, known, folder, _hash(spec, rules))


def load_rules(path: Path, known: Vocabulary) -> tuple[RuleSpec, ...]:
    """Read a file of rules and check them against the columns that units have.

    Raises:
        DeclarationError: as `load_model`.
    """
    rules = read_spec(path, RulesFile, wrap="rules").rules
    raise_problems(path, _rule_problems(rules, known))
    return rules


def _hash(spec: ModelSpec, rules: tuple[RuleSpec, ...]) -> str:
    # How many must agree on a version says nothing of what it does.
    said = spec.model_dump(mode="json", exclude={"review": {"approvals"}})
    content = [said, [r.model_dump(mode="json") for r in rules]]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_spec(path: Path, model: type[S], wrap: str = "") -> S:
    """One YAML file as its declaration; every problem is named with its line."""
    if not path.is_file():
        raise DeclarationError(f"{path}: the file is missing; the model names it")
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{path}: not valid YAML: {error}") from error
    if wrap and isinstance(content, list):
        content = {wrap: content}
    if model is ModelSpec:
        content = with_common(path, content)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = [_from_pydantic(details) for details in error.errors()]
        raise declaration_error(_placed(path, text, problems)) from error


class _StrictLoader(yaml.CSafeLoader):
    """Safe and in C; refuses a key given twice instead of taking the last."""


def _mapping(loader: yaml.CSafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is given twice", key_node.start_mark
            )
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
# `on`, `yes`, `no`, `off` stay words: a category may be called so.
_StrictLoader.yaml_implicit_resolvers = {
    first: [
        (
            tag,
            regexp if tag != "tag:yaml.org,2002:bool" else re.compile("^(true|false)$"),
        )
        for tag, regexp in resolvers
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _from_pydantic(details: ErrorDetails) -> Problem:
    path = "".join(_path_part(part) for part in details["loc"]).lstrip(".")
    message, got = details["msg"], details["input"]
    if details["type"] == "literal_error":
        expected = details["ctx"]["expected"]
        allowed = re.findall(r"'([^']*)'", expected) or re.findall(r"\d+", expected)
        message = f"must be one of {', '.join(allowed)}{_near(got, allowed)}"
    if details["type"] == "missing":
        return Problem(path, "is missing")
    if details["type"] == "unknown_key":
        return Problem(f"{path}.{details['ctx']['key']}".lstrip("."), message)
    if isinstance(got, dict | list):
        return Problem(path or "(file)", message)
    return Problem(path or "(file)", f"got {got!r}: {message}")


def _near(got: object, allowed: list[str]) -> str:
    hint = nearest(str(got), allowed)
    return hint if "did you mean" in hint else ""


def _path_part(part: int | str) -> str:
    return f"[{part}]" if isinstance(part, int) else f".{part}"


def raise_problems(path: Path, problems: list[Problem]) -> None:
    """One error with all problems of a file, each with its line; nothing without any."""
    if problems:
        text = path.read_text(encoding="utf-8")
        raise declaration_error(_placed(path, text, problems))


def _placed(path: Path, text: str, problems: list[Problem]) -> list[Problem]:
    tree = yaml.compose(text, Loader=yaml.SafeLoader)
    return [
        Problem(f"{path}:{_line(tree, p.where)}: {p.where}", p.message)
        for p in problems
    ]


def _line(tree: yaml.Node | None, where: str) -> int:
    """The line of the deepest node on the key path that the file really has."""
    node, line = tree, 1
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", where):
        child = _child(node, key, index)
        # The list of rules may stand alone, without the key that the path begins with.
        if child is None and node is not tree:
            break
        if child is not None:
            node, line = child, child.start_mark.line + 1
    return line


def _child(node: yaml.Node | None, key: str, index: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((v for k, v in node.value if k.value == key), None)
    if isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
        return node.value[int(index)]  # type: ignore[no-any-return]
    return None


def _check_references(path: Path, spec: ModelSpec) -> None:
    """Names that must point to declared sources and columns."""
    problems = [*_unit_problems(spec), *_source_problems(spec), *_role_problems(spec)]
    raise_problems(path, [*_name_problems(path, spec), *problems])
    raise_problems(path, list(link_problems(spec)))


def _name_problems(path: Path, spec: ModelSpec) -> list[Problem]:
    """The id is the folder's name, and privacy excludes columns that there are."""
    problems = []
    if spec.id != path.parent.name:
        message = f"got {spec.id!r}: must be the folder's name, {path.parent.name!r}"
        problems.append(Problem("id", message))
    declared = {name for source in spec.sources.values() for name in source.columns}
    for number, name in enumerate(spec.privacy.exclude):
        if name not in declared:
            message = f"no source has a column {name!r}{nearest(name, declared)}"
            problems.append(Problem(f"privacy.exclude[{number}]", message))
    return problems


def _unit_problems(spec: ModelSpec) -> list[Problem]:
    unit = spec.unit
    if unit.source not in spec.sources:
        hint = nearest(unit.source, spec.sources)
        return [Problem("unit.source", f"unknown source {unit.source!r}{hint}")]
    columns = spec.sources[unit.source].columns
    wanted = {"unit.key": unit.key, "unit.at": unit.at, "unit.money": unit.money}
    wanted |= {f"unit.show[{i}]": name for i, name in enumerate(unit.show)}
    problems = [
        Problem(where, f"{unit.source} {fault}")
        for where, name in wanted.items()
        if name is not None and (fault := _fault(spec, unit.source, name))
    ]
    key = spec.sources[unit.source].key
    if not problems and key != unit.key:
        message = f"must be {unit.key!r}, the unit's key, or units could repeat"
        problems = [Problem(f"sources.{unit.source}.key", f"got {key!r}: {message}")]
    if not problems and unit.at and columns[unit.at].type not in TIME_TYPES:
        problems = [Problem("unit.at", f"{unit.at!r} must be a date or timestamp")]
    return problems


def _fault(spec: ModelSpec, source: str, name: str) -> str:
    """Why a source cannot give a column; empty when it can."""
    columns = spec.sources[source].columns
    if name not in columns:
        return f"has no column {name!r}{nearest(name, columns)}"
    if name in excluded_columns(spec, spec.sources[source]):
        return f"may not use {name!r}: it is protected or excluded by privacy"
    return ""


def _source_problems(spec: ModelSpec) -> list[Problem]:
    problems = []
    for source_name, source in spec.sources.items():
        for option in ("key", "at", "known_at"):
            name = getattr(source, option)
            if name is None:
                continue
            where = f"sources.{source_name}.{option}"
            if fault := _fault(spec, source_name, name):
                problems.append(Problem(where, f"{source_name} {fault}"))
            elif option != "key" and source.columns[name].type not in TIME_TYPES:
                problems.append(Problem(where, f"{name!r} must be a date or timestamp"))
    return problems


def _role_problems(spec: ModelSpec) -> list[Problem]:
    problems = []
    seen: set[tuple[str, str]] = set()
    for entity_name, entity in spec.entities.items():
        for number, role in enumerate(entity.roles):
            where = f"entities.{entity_name}.from[{number}]"
            if role.source not in spec.sources:
                hint = nearest(role.source, spec.sources)
                problems.append(Problem(where, f"unknown source {role.source!r}{hint}"))
                continue
            for key, column in (("id", role.id), *_match_keys(role)):
                if column is not None and (fault := _fault(spec, role.source, column)):
                    problems.append(Problem(f"{where}.{key}", f"{role.source} {fault}"))
            if (role.source, role.role) in seen:
                message = f"{role.source} has a role {role.role!r} already"
                problems.append(Problem(f"{where}.role", message))
            seen.add((role.source, role.role))
    return problems


def _match_keys(role: RoleSpec) -> list[tuple[str, str]]:
    return [(f"match.{name}", column) for name, column in role.match.items()]


def _unused(spec: ModelSpec, known: Vocabulary) -> list[Problem]:
    """Features that the detectors exclude but that do not exist."""
    features = {column.name for column in known.features}
    return [
        Problem(f"detectors.exclude[{i}]", f"no feature {n!r}{nearest(n, features)}")
        for i, n in enumerate(spec.detectors.exclude)
        if n not in features
    ]


def _rule_problems(rules: tuple[RuleSpec, ...], known: Vocabulary) -> list[Problem]:
    problems, codes = [], set()
    for number, rule in enumerate(rules):
        where = f"rules[{number}]"
        if rule.code in codes:
            problems.append(Problem(f"{where}.code", f"{rule.code} is used twice"))
        codes.add(rule.code)
        problems += _one_rule_problems(where, rule, known)
    return problems


def _one_rule_problems(where: str, rule: RuleSpec, known: Vocabulary) -> list[Problem]:
    problems = [
        Problem(f"{where}.params.{name}", f"{name!r} is a column already")
        for name in rule.params
        if name in known.columns
    ]
    kinds = known.kinds | {n: _param_kind(v) for n, v in rule.params.items()}
    try:
        node = parse(rule.when)
        hidden = next((n for n in names(node) if n in known.excluded), None)
        if hidden is not None:
            raise ExpressionError(known.unknown(hidden))
        kind = kind_of(node, kinds)  # type: ignore[arg-type]
        if kind != "boolean":
            problems.append(Problem(f"{where}.when", f"must be boolean, got a {kind}"))
    except ExpressionError as error:
        problems.append(Problem(f"{where}.when", f"rule {rule.code}: {error}"))
    for language in ("en", "zh"):
        try:
            used = placeholders(getattr(rule.reason, language))
        except TemplateError as error:
            problems.append(Problem(f"{where}.reason.{language}", str(error)))
            continue
        for name in used:
            if name not in kinds:
                message = f"unknown name {name!r}{nearest(name, kinds)}"
                problems.append(Problem(f"{where}.reason.{language}", message))
    return [*problems, *lawful_problems(where, rule, known)]


def _param_kind(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"
