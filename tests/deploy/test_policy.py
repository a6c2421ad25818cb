"""The policy that the manifests ship says what holds without one."""

import dataclasses

from packshot.policy import parse
from packshot.routing import Policy
from packshot.settings import Settings
from tests.deploy.manifests import K8S
from workers.services import base_policy


def test_the_shipped_policy_changes_nothing() -> None:
    shipped = parse((K8S / "base" / "policy" / "policy.toml").read_text("utf-8"), Policy())
    default = Policy()
    assert shipped.version.startswith(f"{default.version}+")
    assert dataclasses.replace(shipped, version=default.version) == default


def test_the_settings_say_the_same() -> None:
    assert base_policy(Settings.load()) == Policy()
