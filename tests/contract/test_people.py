"""Accounts, sessions, one-time links, throttling, over SQLite and Postgres."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from packshot.errors import NotAllowed, NotFound, Refused, SignInFailed, TooManyAttempts
from packshot.store.audit import Audit
from packshot.store.people import ADDRESS_FAILURES, IDLE, LOGIN_FAILURES, LONGEST, ONCE, WINDOW
from packshot.store.people_tables import AuditRow, PersonRow, SessionRow
from packshot.store.persons import Person, Role, SignedIn
from tests.support.review_bench import PASSWORD, ReviewBench

HOME = "192.0.2.1"


def sign_in(bench: ReviewBench, login: str = "ann", password: str = PASSWORD) -> SignedIn:
    return bench.people.sign_in(login, password, address=HOME)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        pytest.param(Role.VIEWER, {Role.VIEWER}, id="viewer"),
        pytest.param(Role.REVIEWER, {Role.VIEWER, Role.REVIEWER}, id="reviewer"),
        pytest.param(Role.LEAD, set(Role), id="lead"),
    ],
)
def test_a_role_may_do_what_the_ones_before_it_may(
    bench: ReviewBench, role: Role, allowed: set[Role]
) -> None:
    person = bench.person("ann", role)
    assert {one for one in Role if person.may(one)} == allowed
    for one in set(Role) - allowed:
        with pytest.raises(NotAllowed, match=f"'{one}'"):
            person.must(one)


def test_a_person_is_found_by_login_and_by_id(bench: ReviewBench) -> None:
    ann = bench.people.add("Ann", "Ann Li", Role.LEAD, PASSWORD, locale="zh")
    assert (ann.login, ann.name, ann.locale) == ("ann", "Ann Li", "zh")
    assert bench.people.get("ANN") == bench.people.by_id(ann.id) == ann
    assert bench.people.list() == (ann,)
    assert bench.people.names() == {ann.id: "Ann Li"}
    with pytest.raises(NotFound):
        bench.people.get("bob")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"login": "ann"}, "already", id="taken"),
        pytest.param({"login": "ANN"}, "already", id="taken in capitals"),
        pytest.param({"login": "a b"}, "A login has", id="space"),
        pytest.param({"login": ""}, "A login has", id="empty"),
        pytest.param({"login": "a" * 65}, "A login has", id="too long"),
        pytest.param({"password": "short"}, "A password has 10 to", id="short password"),
        pytest.param({"password": "x" * 1025}, "A password has 10 to", id="endless password"),
        pytest.param({"locale": "xx"}, "There is no locale", id="locale"),
    ],
)
def test_what_makes_no_account(bench: ReviewBench, changes: dict[str, Any], sentence: str) -> None:
    bench.person("ann")
    wish = {"login": "bob", "name": "", "role": Role.VIEWER, "password": PASSWORD, **changes}
    with pytest.raises(Refused, match=sentence):
        bench.people.add(**wish)
    assert len(bench.people.list()) == 1


def test_the_database_holds_neither_password_nor_token(bench: ReviewBench) -> None:
    bench.person()
    token = sign_in(bench).token
    with bench.engine.connect() as connection:
        rows = [
            str(connection.execute(select(table)).all())
            for table in (PersonRow, SessionRow, AuditRow)
        ]
    assert "$argon2id$" in rows[0]
    assert not any(PASSWORD in row or token in row for row in rows)


def test_a_session_is_new_at_every_sign_in(bench: ReviewBench) -> None:
    ann = bench.person()
    one, two = sign_in(bench), sign_in(bench, "ANN")
    assert one.token != two.token
    assert one.csrf != two.csrf
    found = bench.people.session(one.token)
    assert found is not None
    assert (found.person, found.csrf) == (ann, one.csrf)
    bench.people.sign_out(one.token)
    assert bench.people.session(one.token) is None
    assert bench.people.session(two.token) is not None
    assert bench.people.session("made up") is None


def test_a_session_slides_and_ends(bench: ReviewBench) -> None:
    bench.person()
    token = sign_in(bench).token
    began = bench.clock.now
    while bench.clock.now + IDLE / 2 < began + LONGEST:
        bench.clock.now += IDLE / 2
        assert bench.people.session(token) is not None
    bench.clock.now = began + LONGEST
    assert bench.people.session(token) is None
    other = sign_in(bench).token
    bench.clock.now += IDLE
    assert bench.people.session(other) is None
    assert bench.people.forget() == 2


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda p, a: p.disable(a.login), id="disabled"),
        pytest.param(lambda p, a: p.set_password(a.login, PASSWORD), id="new password"),
        pytest.param(lambda p, a: p.sign_out_everywhere(a), id="signed out everywhere"),
    ],
)
def test_what_ends_every_session(bench: ReviewBench, end: Any) -> None:
    ann = bench.person()
    tokens = [sign_in(bench).token, bench.people.issue_token("ann", "script", 30)]
    end(bench.people, ann)
    assert [bench.people.session(token) for token in tokens] == [None, None]


def test_a_disabled_person_cannot_sign_in_until_enabled(bench: ReviewBench) -> None:
    bench.person()
    bench.people.disable("ann")
    with pytest.raises(SignInFailed):
        sign_in(bench)
    bench.people.disable("ann", disabled=False)
    assert sign_in(bench)


def test_a_new_role_holds_for_open_sessions(bench: ReviewBench) -> None:
    bench.person()
    token = sign_in(bench).token
    bench.people.set_role("ann", Role.VIEWER)
    found = bench.people.session(token)
    assert found is not None
    assert found.person.role is Role.VIEWER
    bench.people.set_locale(found.person, "zh")
    assert bench.people.get("ann").locale == "zh"


@pytest.mark.parametrize(
    ("login", "password"),
    [
        pytest.param("ann", "wrong password", id="password"),
        pytest.param("bob", PASSWORD, id="login"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_wrong_sign_in_does_not_say_what_was_wrong(
    bench: ReviewBench, login: str, password: str
) -> None:
    bench.person()
    with pytest.raises(SignInFailed, match=r"^Login and password do not belong together\.$"):
        sign_in(bench, login, password)


def test_guessing_is_throttled_per_login_and_forgotten_after_a_while(bench: ReviewBench) -> None:
    bench.person()
    for _ in range(LOGIN_FAILURES):
        with pytest.raises(SignInFailed):
            sign_in(bench, password="wrong password")
    with pytest.raises(TooManyAttempts, match="15 minutes"):
        sign_in(bench)
    bench.clock.now += WINDOW + timedelta(seconds=1)
    assert sign_in(bench)
    for _ in range(LOGIN_FAILURES - 1):
        with pytest.raises(SignInFailed):
            sign_in(bench, password="wrong password")
    assert sign_in(bench), "success forgets the failures before it"


def test_guessing_many_logins_is_throttled_per_address(bench: ReviewBench) -> None:
    bench.person()
    for number in range(ADDRESS_FAILURES):
        with pytest.raises(SignInFailed):
            sign_in(bench, f"guess{number}", "wrong password")
    with pytest.raises(TooManyAttempts):
        sign_in(bench)
    assert bench.people.sign_in("ann", PASSWORD, address="192.0.2.2")


def test_guesses_at_the_same_moment_count(bench: ReviewBench) -> None:
    bench.person()
    start = threading.Barrier(20)

    def guess(_: int) -> type[Exception]:
        start.wait()
        try:
            sign_in(bench, password="wrong password")
        except (SignInFailed, TooManyAttempts) as error:
            return type(error)
        raise AssertionError

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(guess, range(20)))
    assert answers.count(SignInFailed) == LOGIN_FAILURES


def test_a_one_time_link_opens_once(bench: ReviewBench) -> None:
    ann = bench.person()
    secret = bench.people.one_time("ann")
    assert bench.people.session(secret) is None
    signed = bench.people.sign_in_once(secret, address=HOME)
    assert (signed.person, bool(signed.csrf)) == (ann, True)
    with pytest.raises(SignInFailed):
        bench.people.sign_in_once(secret, address=HOME)
    late = bench.people.one_time("ann")
    bench.clock.now += ONCE
    with pytest.raises(SignInFailed):
        bench.people.sign_in_once(late, address=HOME)


def test_a_token_of_the_api_lives_its_days(bench: ReviewBench) -> None:
    bench.person()
    token = bench.people.issue_token("ann", "export script", 30)
    bench.clock.now += timedelta(days=29)
    found = bench.people.session(token)
    assert found is not None
    assert found.csrf == ""
    bench.clock.now += timedelta(days=1)
    assert bench.people.session(token) is None


def test_the_log_tells_who_changed_whom(bench: ReviewBench) -> None:
    lead = bench.person("lea", Role.LEAD)
    bench.people.add("bob", "Bob", Role.VIEWER, PASSWORD, by=lead)
    bench.people.set_role("bob", Role.REVIEWER, by=lead)
    bench.people.disable("bob", by=lead)
    audit = Audit(bench.engine)
    entries, after = audit.page(subject="person:bob", limit=2)
    assert [(one.login, one.action, one.after) for one in entries] == [
        ("lea", "user_disable", {"disabled": True}),
        ("lea", "user_role", {"role": "reviewer"}),
    ]
    rest, end = audit.page(subject="person:bob", after=after)
    assert [one.action for one in rest] == ["user_add"]
    assert end is None
    assert len(audit.page(person=lead.id)[0]) == 3
    with pytest.raises(Refused, match="position"):
        audit.page(after="x")
    assert isinstance(lead, Person)
