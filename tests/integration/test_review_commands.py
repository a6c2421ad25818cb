"""`packshot user`, `policy` and `export`, as a person at a terminal uses them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from packshot.errors import ConfigurationError, NotFound, PackshotError, Refused
from packshot.store.engine import open_engine
from packshot.store.people import People
from packshot.store.persons import Role
from tests.support.review_bench import PASSWORD
from workers.commands.export import export
from workers.commands.policy import policy
from workers.commands.user import user
from workers.database import upgrade


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> People:
    """The ledger that the commands find through the environment."""
    monkeypatch.setenv("PACKSHOT_DATA", str(tmp_path))
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    upgrade(engine)
    return People(engine)


def call(command: object, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(command, words, input=typed)  # type: ignore[arg-type] # a group


def refused(result: Result) -> PackshotError:
    assert isinstance(result.exception, PackshotError), result.output
    return result.exception


def test_a_password_is_typed_twice_and_never_shown(people: People) -> None:
    done = call(user, "add", "ann", "--role", "lead", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert "ann is a lead." in done.output
    assert PASSWORD not in done.output
    assert people.sign_in("ann", PASSWORD, address="local").person.role is Role.LEAD


def test_a_password_comes_through_standard_input(people: People) -> None:
    assert call(user, "add", "ann", "--password-stdin", typed=f"{PASSWORD}\n").exit_code == 0
    other = "another long password"
    assert call(user, "passwd", "ann", "--password-stdin", typed=f"{other}\n").exit_code == 0
    assert people.sign_in("ann", other, address="local")


def test_a_password_is_no_argument(people: People) -> None:
    assert call(user, "add", "ann", PASSWORD).exit_code == 2
    assert call(user, "add", "ann", "--password", PASSWORD).exit_code == 2
    assert people.list() == ()


def test_the_list_shows_role_and_state(people: People) -> None:
    for login in ("ann", "bob"):
        call(user, "add", login, "--password-stdin", typed=f"{PASSWORD}\n")
    call(user, "role", "ann", "viewer")
    call(user, "disable", "bob")
    ann, bob = call(user, "list").output.splitlines()
    assert ann.split() == ["ann", "viewer", "en", "ann"]
    assert bob.endswith("bob (disabled)")
    assert call(user, "disable", "bob", "--enable").output == "bob is enabled.\n"
    assert not people.get("bob").disabled


def test_a_token_opens_the_api(people: People) -> None:
    call(user, "add", "ann", "--password-stdin", typed=f"{PASSWORD}\n")
    token = call(user, "token", "ann", "--days", "1").output.strip()
    found = people.session(token)
    assert found is not None
    assert found.person.login == "ann"


def test_what_cannot_be_done_is_said(people: People) -> None:
    assert isinstance(refused(call(user, "passwd", "nobody")), NotFound)
    short = call(user, "add", "ann", "--password-stdin", typed="short\n")
    assert isinstance(refused(short), Refused)
    assert call(user, "role", "ann", "king").exit_code == 2
    assert people.list() == ()


def test_the_policy_in_force_is_the_files(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del people
    assert "default-1+" in call(policy, "show").output
    file = tmp_path / "policy.toml"
    file.write_text(
        'version = "7"\n[thresholds]\ntext = 0.9\n[producer]\nnever = []\n'
        '[[special]]\nsource = "live"\naudit_rate = 0.5\nreasons = { blurred = false }\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("PACKSHOT_POLICY", str(file))
    shown = call(policy, "show").output
    assert shown == call(policy, "check", str(file)).output
    for line in (
        "version      7+",
        "text 90%, category 50%, matte 85%",
        "never from   nobody",
        "special      source live: audit 50.00%, blurred off",
    ):
        assert line in shown


def test_a_wrong_policy_is_named(people: People, tmp_path: Path) -> None:
    del people
    file = tmp_path / "policy.toml"
    file.write_text('version = "7"\n[audit]\nrate = 7\n', encoding="utf-8")
    error = refused(call(policy, "check", str(file)))
    assert isinstance(error, ConfigurationError)
    assert "audit.rate" in str(error)


@pytest.mark.parametrize(
    ("since", "code"),
    [
        pytest.param("7d", 0, id="days ago"),
        pytest.param("2026-11-01", 0, id="a date"),
        pytest.param("2026-11-01T10:00:00+08:00", 0, id="a time with its zone"),
        pytest.param("soon", 2, id="a word"),
        pytest.param("7y", 2, id="a unit that there is not"),
    ],
)
def test_an_export_of_nothing_writes_whole_files(
    people: People, tmp_path: Path, since: str, code: int
) -> None:
    del people
    out = tmp_path / "out"
    done = call(export, "--format", "jsonl", "-o", str(out), "--since", since)
    assert done.exit_code == code, done.output
    if code == 0:
        assert done.output == f"0 items written to {out}.\n"
        assert (out / "items.jsonl").read_bytes() == b""
