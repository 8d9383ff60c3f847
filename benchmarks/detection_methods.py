"""The methods that are measured: where each is found, in which modes, from which source."""

import ast
import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from benchmarks.detection_harness import Scorer

# Detection lives here; a change elsewhere cannot change a score and starts no new run.
OWN = ("training", "benchmarks")
LONG = 3_600


@dataclass(frozen=True, slots=True)
class Method:
    """One method: `where` is MODULE:NAME of a callable, or of a class made per task."""

    name: str
    title: str
    where: str
    modes: tuple[str, ...]
    packages: tuple[str, ...] = ()
    limit: int = LONG
    max_columns: int | None = None
    per: int = 10

    @property
    def missing(self) -> str | None:
        """What has to be there and is not: a package, or the callable."""
        for package in self.packages:
            if importlib.util.find_spec(package) is None:
                return f"package {package} is not installed"
        module, _, name = self.where.partition(":")
        known = importlib.import_module(module)
        return None if hasattr(known, name) else f"{self.where} is not there yet"

    def scorer(self) -> Scorer:
        """The callable; a class is made anew, so that no task sees another's state."""
        found = _resolved(self.where)
        made: Scorer = found() if isinstance(found, type) else found
        return made

    def code(self) -> str:
        """Hash of the source that decides the scores; comments and docstrings apart."""
        parts = [*_sources(_resolved(self.where)), *map(_version, self.packages)]
        parts += [str(self.max_columns), str(self.per)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


_BASE, _OURS = "benchmarks.detection_baselines", "benchmarks.adbench"
_UNSUPERVISED = ("split", "trans")
METHODS: dict[str, Method] = {
    m.name: m
    for m in (
        Method(
            "iforest",
            "PyOD isolation forest",
            f"{_BASE}:iforest",
            _UNSUPERVISED,
            ("pyod", "sklearn"),
        ),
        Method("knn", "PyOD KNN", f"{_BASE}:knn", _UNSUPERVISED, ("pyod", "sklearn")),
        Method(
            "mcd",
            "PyOD MCD",
            f"{_BASE}:mcd",
            _UNSUPERVISED,
            ("pyod", "sklearn"),
            limit=120,
            max_columns=300,
        ),
        Method(
            "adengine",
            "PyOD ADEngine",
            f"{_BASE}:adengine",
            _UNSUPERVISED,
            ("pyod", "sklearn"),
            limit=120,
        ),
        Method("leadline", "Leadline", f"{_OURS}:unsupervised", _UNSUPERVISED),
        Method(
            "leadline_population",
            "Leadline, whole population",
            f"{_OURS}:transductive",
            ("trans",),
        ),
        Method("leadline_ranker", "Leadline ranker", f"{_OURS}:few_labels", ("semi",)),
        Method(
            "static_iforest",
            "fixed order, PyOD isolation forest",
            f"{_BASE}:StaticForest",
            ("active",),
            ("pyod", "sklearn"),
        ),
        Method(
            "aadforest",
            "AADForest, refitted after every 10 answers",
            f"{_BASE}:ActiveForest",
            ("active",),
            ("coniferest",),
        ),
        Method(
            "aadforest_each",
            "AADForest, refitted after every answer",
            f"{_BASE}:ActiveForest",
            ("active",),
            ("coniferest",),
            per=1,
        ),
        Method(
            "lightgbm",
            "greedy LightGBM, features only",
            f"{_BASE}:GreedyLightGBM",
            ("active",),
            ("lightgbm", "pyod"),
        ),
        Method(
            "leadline_static",
            "fixed order, Leadline",
            f"{_BASE}:StaticLeadline",
            ("active",),
        ),
        Method(
            "leadline_feedback", "Leadline feedback", f"{_OURS}:feedback", ("active",)
        ),
        Method(
            "leadline_feedback_each",
            "Leadline feedback, asked after every answer",
            f"{_OURS}:feedback_each",
            ("active",),
            per=1,
        ),
    )
}


def _resolved(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(module), name)


def _version(package: str) -> str:
    name = {"sklearn": "scikit-learn"}.get(package, package)
    return f"{package} {importlib.metadata.version(name)}"


def _sources(found: Any) -> Iterator[str]:
    """Source of a callable and of all our own code that it leads to, in a fixed order."""
    texts: dict[str, str] = {}
    _follow(found, texts)
    yield from (texts[key] for key in sorted(texts))


def _follow(found: Any, texts: dict[str, str]) -> None:
    """Within its module only what the callable uses; other modules of ours as a whole."""
    key = f"{found.__module__}:{found.__qualname__}"
    if key in texts:
        return
    texts[key] = _plain(inspect.getsource(found))
    known = vars(importlib.import_module(found.__module__))
    constants = _constants(found.__module__)
    for name in _names(found):
        used = known.get(name)
        texts[f"{found.__module__}={name}"] = constants.get(name, "")
        home = getattr(used, "__module__", None) or getattr(used, "__name__", "")
        if home == found.__module__ and isinstance(used, FunctionType | type):
            _follow(used, texts)
        elif str(home).partition(".")[0] in OWN and home != found.__module__:
            texts.update({m: _module_source(m) for m in _reached(str(home))})
    for module in _imports(ast.parse(inspect.getsource(found))):
        texts.update({m: _module_source(m) for m in _reached(module)})


def _names(found: Any) -> set[str]:
    """Global names in the code of a function, or of the methods of a class."""
    own = vars(found).values() if isinstance(found, type) else (found,)
    todo = [f.__code__ for f in own if isinstance(f, FunctionType)]
    names: set[str] = set()
    while todo:
        code = todo.pop()
        names.update(code.co_names)
        todo += [c for c in code.co_consts if isinstance(c, CodeType)]
    return names


@cache
def _constants(module: str) -> dict[str, str]:
    """What a module assigns at its top, by name."""
    return {
        target.id: ast.dump(node.value)
        for node in ast.parse(_text(module)).body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in getattr(node, "targets", None) or [getattr(node, "target", None)]
        if isinstance(target, ast.Name)
    }


@cache
def _reached(module: str) -> frozenset[str]:
    """The module and all modules of ours that it imports, however far."""
    reached: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        if name not in reached and _file(name) is not None:
            reached.add(name)
            todo += _imports(ast.parse(_text(name)))
    return frozenset(reached)


def _imports(tree: ast.AST) -> list[str]:
    """Our own modules that a tree imports; names may be modules of a package."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return [name for name in found if name.partition(".")[0] in OWN]


@cache
def _module_source(name: str) -> str:
    return _plain(_text(name))


def _text(name: str) -> str:
    place = _file(name)
    return place.read_text("utf-8") if place else ""


def _file(name: str) -> Path | None:
    """File of a module of ours; None for a name that is no module."""
    base = Path(__file__).parent.parent.joinpath(*name.split("."))
    places = (base.with_suffix(".py"), base / "__init__.py")
    return next((place for place in places if place.is_file()), None)


def _plain(source: str) -> str:
    """The syntax tree as text, without docstrings: what can change a result."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            body[0] = ast.Pass()
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
