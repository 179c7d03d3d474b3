"""The server asked for all that its own description allows: nothing ends in a fault of ours."""

from typing import Any

import pytest

pytest.importorskip("schemathesis", reason="needs schemathesis")

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

EXAMPLES = 25  # of each request
SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@pytest.mark.slow
def test_no_request_ends_in_a_fault_of_the_server(url: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    begun = requests.post(f"{url}/api/sessions", json={"model": "gate"}, timeout=60)
    there = {"model": "gate", "session": begun.json()["id"]}  # half of the requests name what is
    asked = 0
    for operation in (result.ok() for result in schema.get_all_operations()):

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=SLOW_IS_FINE,
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            nonlocal asked
            if asked % 2 and case.method != "DELETE":
                known = {name: there.get(name, one) for name, one in case.path_parameters.items()}
                case.path_parameters.update(known)
            answer = case.call(base_url=url)
            asked += 1
            assert answer.status_code < 500 or case.operation.path == "/ready"

        ask()
    assert asked > 27
