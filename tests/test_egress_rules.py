"""What the operator says of tenants' connections, and what becomes of it."""

from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from cronny.egress import EgressPolicy
from cronny.settings import Settings

INSIDE, SUBNET = ip_network("10.0.0.0/8"), ip_network("10.1.0.0/16")


def test_nothing_is_open_that_nobody_named() -> None:
    assert Settings().egress.of("acme") == EgressPolicy()


def test_a_setting_that_is_empty_closes_nothing_and_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALLOW", "DENY", "HOSTS", "TENANTS"):
        monkeypatch.setenv(f"CRONNY_EGRESS_{name}", "")
    assert Settings().egress.of("acme") == EgressPolicy()


def test_rules_are_read_from_the_environment_and_a_tenants_come_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CRONNY_EGRESS_ALLOW", "10.0.0.0/8")
    monkeypatch.setenv("CRONNY_EGRESS_DENY", "10.1.0.0/16")
    monkeypatch.setenv("CRONNY_EGRESS_HOSTS", "api.example.com, *.Example.org.")
    monkeypatch.setenv(
        "CRONNY_EGRESS_TENANTS", '{"acme": {"allow": [], "hosts": null}, "open": {"deny": []}}'
    )
    egress, hosts = Settings().egress, ("api.example.com", "*.example.org")
    assert egress.of("other") == EgressPolicy((INSIDE,), (SUBNET,), hosts)
    assert egress.of("acme") == EgressPolicy((), (SUBNET,), None)
    assert egress.of("open") == EgressPolicy((INSIDE,), (), hosts)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("egress_deny", "10.0.0.0/33"),
        ("egress_deny", "example.com"),
        ("egress_hosts", "https://example.com"),
        ("egress_hosts", "*"),
        ("egress_hosts", "a.*.com"),
        ("egress_hosts", "example.com:443"),
        ("egress_tenants", "{"),
        ("egress_tenants", '{"acme": {"allowed": []}}'),
        ("egress_tenants", '{"acme": {"allow": ["10.0.0.1/8"]}}'),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({name: value})
