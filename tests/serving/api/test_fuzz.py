"""Requests made up from the API's own description: answered as it says, never by a 5xx.

The same requests in every run. LEADLINE_FUZZ=1000 makes so many for each operation, from
another start each time.
"""

import os
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from serving.api.auth import PerUser
from serving.audit import chain
from serving.leads.models import Group, Lead, Run
from tests.serving.api.conftest import service

FEW = 20
EXAMPLES = int(os.environ.get("LEADLINE_FUZZ", FEW))
CHECKED = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
    checks.unsupported_method,
    checks.ignored_auth,
]


@pytest.fixture
def token(run: Run, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The header of a service with the rights of an analyst, which may ask on and on."""
    monkeypatch.setattr(PerUser, "allow_request", lambda *_: True)
    return {
        "Authorization": service("fuzzer", ("analyst",)).defaults["HTTP_AUTHORIZATION"]
    }


def described(token: dict[str, str]) -> Any:
    """The API as it describes itself."""
    app = get_wsgi_application()

    def over_tls(environ: dict[str, Any], start: Any) -> Any:
        return app({**environ, "wsgi.url_scheme": "https"}, start)

    return schemathesis.openapi.from_wsgi("/api/openapi.json", over_tls, headers=token)


def ask_for_what_exists(schema: Any, run: Run) -> None:
    """Let half of the requests ask for runs, leads and groups that there are."""
    known = {
        "run_id": [run.id],
        "lead_id": list(Lead.objects.values_list("id", flat=True)),
        "group_id": list(Group.objects.values_list("id", flat=True)),
        "model": [run.model_id],
    }

    def existing(_: Any, asked: Any) -> Any:
        for name, there in known.items():
            if asked and name in asked and len(repr(asked)) % 2:
                asked[name] = there[len(repr(asked)) // 2 % len(there)]
        return asked

    schema.hook("map_path_parameters")(existing)
    schema.hook("map_query")(existing)


def ask_all(schema: Any, kind: GenerationMode, token: dict[str, str]) -> None:
    """Make up requests for every operation, and check the answers."""
    found = [result.ok() for result in schema.get_all_operations()]
    assert len(found) >= 9
    for operation in found:
        if kind == GenerationMode.POSITIVE or any(operation.iter_parameters()):
            _ask(operation, kind, token)


def _ask(operation: Any, kind: GenerationMode, token: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=EXAMPLES <= FEW,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(kind))
    def asked(case: Any) -> None:
        case.call_and_validate(headers=token, checks=CHECKED)

    asked()


def test_what_fits_the_description_is_answered_as_described(token, run):
    schema = described(token)
    ask_for_what_exists(schema, run)
    ask_all(schema, GenerationMode.POSITIVE, token)
    assert chain.findings() == []


def test_what_does_not_fit_the_description_is_refused(token):
    ask_all(described(token), GenerationMode.NEGATIVE, token)
    assert chain.findings() == []
