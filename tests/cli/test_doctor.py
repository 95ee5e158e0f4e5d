"""migrator doctor."""

from __future__ import annotations

import json

from tests.cli.conftest import Shop, migrator


def test_both_sides_are_looked_at(shop: Shop) -> None:
    result = shop.run("doctor")
    lines = result.stdout.splitlines()
    assert "source" in lines
    assert "target" in lines
    assert any(line.strip().startswith("ok") for line in lines[: lines.index("target")])
    assert any(line.strip().startswith("ok") for line in lines[lines.index("target") :])


def test_as_json(shop: Shop) -> None:
    checks = json.loads(shop.run("doctor", "--json").stdout)
    assert {each["side"] for each in checks} == {"source", "target"}
    assert all(set(each) == {"side", "status", "name", "text", "fix"} for each in checks)
    assert all(each["fix"] for each in checks if each["status"] == "blocked")


def test_a_side_that_does_not_answer_is_a_line(shop: Shop) -> None:
    result = shop.run("doctor", "--source", "mysql://root:s3cret@127.0.0.1:9/shop", "--json")
    assert result.exit_code == 10
    checks = json.loads(result.stdout)
    (source,) = [each for each in checks if each["side"] == "source"]
    assert (source["status"], source["name"]) == ("blocked", "reachable")
    assert any(each["side"] == "target" and each["status"] == "ok" for each in checks)
    assert "s3cret" not in result.output


def test_without_any_setting_it_says_what_is_missing() -> None:
    result = migrator("doctor")
    assert result.exit_code == 10
    assert "no source was given" in result.stdout
    assert "no target was given" in result.stdout
