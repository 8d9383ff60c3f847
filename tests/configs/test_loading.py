"""Errors of a declaration: file, line, key path, what was got, what is allowed."""

import copy
from pathlib import Path

import pytest
import yaml

from configs.errors import DeclarationError
from configs.loading import load_model, model_names
from configs.settings import PACKAGE_MODELS
from tests.factories import declaration, rule


def written(models: Path, spec=None, rules=None, text: str | None = None) -> Path:
    """A model's folder with this declaration, one key a line."""
    folder = models / "tiny"
    folder.mkdir(parents=True, exist_ok=True)

    def dump(content):
        return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)

    body = text if text is not None else dump(copy.deepcopy(spec or declaration()))
    (folder / "model.yaml").write_text(body, encoding="utf-8")
    default = [rule("amount > 1")]
    (folder / "rules.yaml").write_text(
        dump(copy.deepcopy(rules or default)), encoding="utf-8"
    )
    return folder


def complaint(models: Path) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        load_model("tiny", models)
    return str(caught.value).splitlines()


def line_of(path: Path, fragment: str) -> int:
    rows = path.read_text(encoding="utf-8").splitlines()
    return 1 + next(i for i, row in enumerate(rows) if fragment in row)


def test_shipped_models_load_and_say_what_each_feature_means_in_both_languages():
    for name in model_names(PACKAGE_MODELS):
        loaded = load_model(name, PACKAGE_MODELS)
        assert loaded.known.features
        for column in loaded.known.features:
            assert column.meaning.en.strip(), column.name
            assert column.meaning.zh.strip(), column.name


def test_hash_follows_the_content_alone(tmp_path):
    written(tmp_path)
    first = load_model("tiny", tmp_path).config_hash
    written(tmp_path, text="# a remark\n" + (tmp_path / "tiny/model.yaml").read_text())
    assert load_model("tiny", tmp_path).config_hash == first
    written(tmp_path, rules=[rule("amount > 2")])
    assert load_model("tiny", tmp_path).config_hash != first


def test_unknown_model_is_answered_with_the_nearest(tmp_path):
    written(tmp_path)
    with pytest.raises(
        DeclarationError, match=r"no supervision model 'tinny' in .*did you mean 'tiny'"
    ):
        load_model("tinny", tmp_path)


def change(path: str, value):
    """The tiny declaration with one value replaced, or removed where it is None."""
    spec = copy.deepcopy(declaration())
    *parents, last = path.split(".")
    place = spec
    for key in parents:
        place = place[int(key) if key.isdigit() else key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return spec


# What is changed, to what; the fragment of the line that is named; the rest of the message.
MODEL_ERRORS = {
    "unknown key": (
        ("detectors", {"sede": 7}),
        "sede: 7",
        "detectors.sede: unknown key sede; did you mean 'seed'?",
    ),
    "missing section": (("features", None), "id: tiny", "features: is missing"),
    "missing key": (("unit.key", None), "name: claim", "unit.key: is missing"),
    "wrong literal": (
        ("sources.claims.columns.amount.type", "mony"),
        "type: mony",
        "sources.claims.columns.amount.type: got 'mony': must be one of string, category, "
        "number, integer, money, band, boolean, date, timestamp, id, person_id, company_id, "
        "plate, phone, person_name, company_name, address, account, case_no, "
        "vin; did you mean 'money'?",
    ),
    "unknown unit source": (
        ("unit.source", "claim"),
        "source: claim",
        "unit.source: unknown source 'claim'; did you mean 'claims'?",
    ),
    "unknown unit column": (
        ("unit.money", "amuont"),
        "money: amuont",
        "unit.money: claims has no column 'amuont'; did you mean 'amount'?",
    ),
    "protected unit column": (
        ("unit.show", ["sex"]),
        "- sex",
        "unit.show[0]: claims may not use 'sex': it is protected or excluded by privacy",
    ),
    "unit that could repeat": (
        ("sources.claims.key", "person"),
        "key: person",
        "sources.claims.key: got 'person': must be 'claim_no', the unit's key, or units "
        "could repeat",
    ),
    "known_at that is no date": (
        ("sources.visits.known_at", "cost"),
        "known_at: cost",
        "sources.visits.known_at: 'cost' must be a date or timestamp",
    ),
    "source without the column": (
        ("sources.visits.at", "dya"),
        "at: dya",
        "sources.visits.at: visits has no column 'dya'; did you mean 'day'?",
    ),
    "role without the column": (
        ("entities.person.from", [{"source": "claims", "id": "persn", "role": "x"}]),
        "id: persn",
        "entities.person.from[0].id: claims has no column 'persn'; did you mean 'person'?",
    ),
    "role given twice": (
        (
            "entities.person.from",
            [
                {"source": "claims", "id": i, "role": "x"}
                for i in ("person", "claim_no")
            ],
        ),
        "role: x",
        "entities.person.from[1].role: claims has a role 'x' already",
    ),
    "bad window": (
        (
            "features",
            [
                {
                    "history": {
                        "of": "visits",
                        "by": "claimant",
                        "windows": ["180"],
                        "measures": {"n": "*"},
                    }
                }
            ],
        ),
        "'180'",
        "features[0].history.windows[0]: got '180': a window is a number of days (180d) or all",
    ),
    "empty family": (
        ("features", [{"columns": None}]),
        "columns: null",
        "features[0]: an entry names one of columns, levels, lookup, derive, history, "
        "peers, coverage, network, path, "
        "concentration, flows, rotation, text",
    ),
    "two families": (
        ("features", [{"columns": ["amount"], "levels": ["kind"]}]),
        "- columns",
        "features[0]: an entry names one of columns, levels, lookup, derive, history, "
        "peers, coverage, network, path, "
        "concentration, flows, rotation, text",
    ),
    "unknown aggregate": (
        (
            "features",
            [
                {
                    "history": {
                        "of": "visits",
                        "by": "claimant",
                        "measures": {"n": {"men": "cost"}},
                    }
                }
            ],
        ),
        "men: cost",
        "features[0].history.measures.n: a measure names one aggregate; did you mean 'mean'?",
    ),
    "no keys": (
        ("features", [{"history": {"of": "visits", "by": [], "measures": {"n": "*"}}}]),
        "by: []",
        "features[0].history.by: Tuple should have at least 1 item after validation, not 0",
    ),
    "expression": (
        ("features", [{"derive": {"x": "amount >"}}]),
        "x: amount >",
        "features[0].derive.x.expression: got 'amount >': cannot read 'amount >': Required "
        "keyword: 'expression' missing for <class 'sqlglot.expressions.core.GT'>. Line 1, Col: 8.",
    ),
    "unknown name in derive": (
        ("features", [{"derive": {"x": "amuont / 2"}}]),
        "x: amuont",
        "features[0].derive.x: unknown name 'amuont'; did you mean 'amount'?",
    ),
    "protected in derive": (
        ("features", [{"derive": {"x": "length(sex)"}}]),
        "x: length(sex)",
        "features[0].derive.x: 'sex' is protected or excluded by privacy and never scored",
    ),
    "bad name": (
        ("features", [{"derive": {"Total": "amount"}}]),
        "Total: amount",
        "features[0].derive.Total.[key]: got 'Total': a name starts with a small letter and "
        "holds small letters, digits and _ (and is not 'self')",
    ),
    "bounds of text": (
        ("sources.visits.columns.place.min", 1),
        "type: string",
        "sources.visits.columns.place: min and max go with numbers only",
    ),
    "money in another unit": (
        ("sources.claims.columns.amount.unit", "euro"),
        "type: money",
        "sources.claims.columns.amount: the unit of money is yuan or wan",
    ),
    "unknown office": (
        ("unit.office", "kidn"),
        "office: kidn",
        "unit.office: unknown name 'kidn'; did you mean 'kind'?",
    ),
    "protected spot": (
        ("unit.spots", ["kind", "sex"]),
        "- sex",
        "unit.spots[1]: 'sex' is protected or excluded by privacy and never scored",
    ),
    "peers by a number": (
        ("unit.peers", "amount"),
        "peers: amount",
        "unit.peers[0]: 'amount' is a number; use a text or category",
    ),
    "too many peers": (
        ("unit.peers", ["kind", "person", "claim_no"]),
        "- kind",
        "unit.peers: Tuple should have at most 2 items after validation, not 3",
    ),
    "unknown verdict": (
        ("review", {"second_review": ["confirmd"]}),
        "- confirmd",
        "review.second_review[0]: got 'confirmd': must be one of confirmed, excluded, "
        "transferred; did you mean 'confirmed'?",
    ),
    "fewer listed than explained": (
        ("review", {"listed": 100}),
        "listed: 100",
        "review: listed: got 100, but explain is 300; list at least as many",
    ),
    "unknown excluded feature": (
        ("detectors", {"exclude": ["amuont"]}),
        "- amuont",
        "detectors.exclude[0]: no feature 'amuont'; did you mean 'amount'?",
    ),
}


@pytest.mark.parametrize(
    ("changed", "fragment", "message"), MODEL_ERRORS.values(), ids=MODEL_ERRORS
)
def test_model_error_names_file_line_and_path(tmp_path, changed, fragment, message):
    spec = change(*changed)
    path = written(tmp_path, spec) / "model.yaml"
    found = complaint(tmp_path)
    assert [row.split(": ", 1)[1] for row in found if message in row] == [message], (
        found
    )
    named = {int(row.split(":")[1]) for row in found if message in row}
    assert named <= {
        line_of(path, fragment),
        line_of(path, fragment) - 1,
        *same(path, fragment),
    }


def same(path: Path, fragment: str) -> set[int]:
    rows = path.read_text(encoding="utf-8").splitlines()
    return {1 + i for i, row in enumerate(rows) if fragment in row}


RULE_ERRORS = {
    "typo": (
        rule("amuont > 1"),
        "rules[0].when: rule T1: unknown name 'amuont'; did you mean 'amount'?",
    ),
    "protected": (
        rule("sex = '女'"),
        "rules[0].when: rule T1: 'sex' is protected or excluded by privacy and never scored",
    ),
    "no condition": (
        rule("amount + 1"),
        "rules[0].when: must be boolean, got a number",
    ),
    "null": (
        rule("amount = null"),
        "rules[0].when: rule T1: eq of null is never known; say 'is null'",
    ),
    "reason": (
        rule("amount > 1", reason={"en": "{amuont}", "zh": "x"}),
        "rules[0].reason.en: unknown name 'amuont'; did you mean 'amount'?",
    ),
    "form": (
        rule("amount > 1", reason={"en": "x", "zh": "{amount:,}"}),
        "rules[0].reason.zh: cannot read {amount:,}: allowed are {name}, {name:.1f}, {name:.0%}",
    ),
    "brace": (
        rule("amount > 1", reason={"en": "x", "zh": "{amount"}),
        "rules[0].reason.zh: a brace without its pair in '{amount'",
    ),
    "parameter": (
        rule("amount > 1", params={"amount": 3}),
        "rules[0].params.amount: 'amount' is a column already",
    ),
    "shown column": (
        rule("amount > 1", lawful={"en": "x", "zh": "x", "shows": ["amuont"]}),
        "rules[0].lawful.shows[0]: unknown name 'amuont'; did you mean 'amount'?",
    ),
    "protected shown column": (
        rule("amount > 1", lawful={"en": "x", "zh": "x", "shows": ["amount", "sex"]}),
        "rules[0].lawful.shows[1]: 'sex' is protected or excluded by privacy and never "
        "scored",
    ),
    "layer": (
        rule("amount > 1", layer=5),
        "rules[0].layer: got 5: must be one of 1, 2, 3, 4",
    ),
    "code": (
        rule("amount > 1", code="t1"),
        "rules[0].code: got 't1': String should match pattern '^[A-Z][A-Z0-9]{0,7}$'",
    ),
    "key": (
        rule("amount > 1", lawfull="x"),
        "rules[0].lawfull: unknown key lawfull; did you mean 'lawful'?",
    ),
}


@pytest.mark.parametrize(("declared", "message"), RULE_ERRORS.values(), ids=RULE_ERRORS)
def test_rule_error_names_file_line_and_path(tmp_path, declared, message):
    path = written(tmp_path, rules=[declared]) / "rules.yaml"
    found = [row for row in complaint(tmp_path) if message in row]
    file, line, rest = found[0].split(":", 2)
    assert (file, rest.strip()) == (str(path), message)
    key = message.split(":")[0].split(".")[1]
    assert int(line) in range(line_of(path, key), line_of(path, key) + 6)


def test_rule_code_used_twice_is_refused(tmp_path):
    written(tmp_path, rules=[rule("amount > 1"), rule("amount > 2")])
    assert "rules[1].code: T1 is used twice" in complaint(tmp_path)[0]


def test_all_problems_of_a_file_come_at_once(tmp_path):
    spec = declaration(features=[{"columns": ["amuont"]}, {"levels": ["kidn"]}])
    written(tmp_path, spec)
    assert len(complaint(tmp_path)) == 2


BROKEN_FILES = {
    "key given twice": ("id: tiny\nid: other\n", "key 'id' is given twice"),
    "no YAML": ("id: [tiny\n", "not valid YAML"),
    "empty": ("", "Input should be a valid dictionary"),
    "python object": ("id: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_file_that_cannot_be_read_is_named(tmp_path, text, message):
    path = written(tmp_path, text=text) / "model.yaml"
    found = "\n".join(complaint(tmp_path))
    assert str(path) in found
    assert message in found


def test_file_in_another_encoding_is_named(tmp_path):
    path = written(tmp_path) / "model.yaml"
    path.write_bytes("id: 监督".encode("gb18030"))
    assert complaint(tmp_path)[0].startswith(f"{path}: not valid YAML: 'utf-8' codec")


def test_missing_rules_file_is_named(tmp_path):
    folder = written(tmp_path)
    (folder / "rules.yaml").unlink()
    assert complaint(tmp_path) == [
        f"{folder / 'rules.yaml'}: the file is missing; the model names it"
    ]


def test_words_for_yes_and_no_stay_words(tmp_path):
    spec = change("sources.claims.columns.kind.values", ["on", "off", "yes", "no"])
    path = written(tmp_path, spec) / "model.yaml"
    path.write_text(path.read_text().replace("'on'", "on").replace("'no'", "no"))
    kind = load_model("tiny", tmp_path).spec.sources["claims"].columns["kind"]
    assert kind.levels == ("on", "off", "yes", "no")
