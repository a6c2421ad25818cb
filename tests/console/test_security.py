"""What somebody from outside, or with a prepared photo, could try."""

import asyncio
import base64
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from packshot.console.listener import listen
from packshot.console.seals import LINK_SECONDS, Seals
from packshot.console.shield import POLICY
from packshot.console.visitor import local_path
from packshot.contract import Image, Job, Step
from packshot.errors import ForbiddenAddress
from packshot.store.people_tables import SessionRow
from packshot.store.persons import Role
from packshot.store.review_items import CorrectedLine, Correction, Decision, Restart, Ruling
from tests.console.conftest import Console
from tests.support.review_bench import PASSWORD

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def _csrf(page: bytes) -> str:
    found = re.search(rb'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1].decode()


def test_signing_in_gives_a_new_session_and_ends_the_old_one(console: Console) -> None:
    people = console.bench.people
    planted = people.sign_in("ray", PASSWORD, address="attacker").token
    visit = console.visit()
    visit.cookies["packshot_session"] = planted
    form = {"login": "vera", "password": PASSWORD, "csrf": _csrf(visit("GET", "/sign-in").data)}
    answer = visit("POST", "/sign-in", form=form)
    assert answer.status == 303
    assert visit.cookies["packshot_session"] != planted
    assert people.session(planted) is None
    header = next(c for c in answer.headers.getlist("set-cookie") if "packshot_session" in c)
    assert "HttpOnly" in header
    assert "SameSite=lax" in header


def test_cookies_are_secure_away_from_this_machine(console: Console) -> None:
    answer = console.visit()("GET", "/sign-in", headers={"host": "review.example.com"})
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("csrf", ["", "x" * 43], ids=["none", "wrong"])
def test_nobody_can_be_signed_in_by_another_site(console: Console, csrf: str) -> None:
    visit = console.visit()
    visit("GET", "/sign-in")
    form = {"login": "ray", "password": PASSWORD, "csrf": csrf}
    assert visit("POST", "/sign-in", form=form).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_other_sites_are_refused(console: Console, headers: dict[str, str]) -> None:
    visit = console.visit(console.bench.people.get("lea"))
    answer = visit("POST", f"/api/v1/reviews/{console.review}/claim", headers=headers)
    assert answer.status == 403


def test_guessing_is_throttled(console: Console) -> None:
    visit = console.visit()
    csrf = _csrf(visit("GET", "/sign-in").data)
    form = {"login": "ray", "password": "wrong", "csrf": csrf}
    statuses = [visit("POST", "/sign-in", form=form).status for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    form["password"] = PASSWORD
    assert visit("POST", "/sign-in", form=form).status == 429


def test_a_link_signs_in_once(console: Console) -> None:
    secret = console.bench.people.one_time("lea")
    visit = console.visit()
    csrf = _csrf(visit("GET", "/welcome").data)
    assert visit("POST", "/welcome", form={"secret": secret, "csrf": csrf}).status == 303
    other = console.visit()
    csrf = _csrf(other("GET", "/welcome").data)
    assert other("POST", "/welcome", form={"secret": secret, "csrf": csrf}).status == 401


def test_signing_out_ends_the_session(console: Console) -> None:
    visit = console.visit(console.bench.people.get("ray"))
    token = visit.cookies["packshot_session"]
    assert visit("POST", "/sign-out").status == 303
    assert console.bench.people.session(token) is None


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "",
        "/\tx",
        "/%\n",
    ],
)
def test_no_way_out_after_signing_in(path: str) -> None:
    assert local_path(path) == "/queue"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/pictures/../../etc/passwd",
        "/pictures/%2e%2e%2fetc%2fpasswd",
    ],
)
def test_no_file_beside_ours(console: Console, path: str) -> None:
    answer = console.visit(console.bench.people.get("lea"))("GET", path)
    assert answer.status in {303, 404}
    assert b"create_app" not in answer.data


def test_a_picture_is_for_whom_its_link_was_made(console: Console) -> None:
    lea, ray = (console.bench.people.get(name) for name in ("lea", "ray"))
    found = re.search(rb'/pictures/thumb/[^"]+', console.visit(lea)("GET", "/queue").data)
    assert found
    path = found[0].decode()
    answer = console.visit(lea)("GET", path)
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert console.visit(ray)("GET", path).status == 404
    assert console.visit()("GET", path).status == 303


@pytest.mark.parametrize("part", range(4), ids=["view", "until", "seal", "key"])
def test_no_part_of_a_link_can_be_changed(part: int) -> None:
    seals = Seals(b"s" * 32)
    parts = seals.link("ann", "work/1.png", "thumb").split("/")
    other = base64.urlsafe_b64encode(b"../../etc/passwd").decode().rstrip("=")
    parts[part] = ["file", str(int(parts[1]) + 1), "A" * 43, other][part]
    with pytest.raises(ForbiddenAddress):
        seals.opened("ann", "/".join(parts))


def test_a_link_ends() -> None:
    now = [1_000_000.0]
    seals = Seals(b"s" * 32, clock=lambda: now[0])
    path = seals.link("ann", "work/1.png", "thumb")
    assert seals.opened("ann", path) == ("work/1.png", "thumb")
    now[0] += LINK_SECONDS + 1
    with pytest.raises(ForbiddenAddress):
        seals.opened("ann", path)


def test_what_a_producer_or_a_photo_says_is_only_text(console: Console, tmp_path: Path) -> None:
    bench = console.bench
    photo = tmp_path / "<img src=x onerror=alert(2)>.png"
    photo.write_bytes((tmp_path / "photo.png").read_bytes())
    job = Job(
        version=1,
        source="tests",
        job_id=EVIL,
        sku=EVIL,
        image=Image(uri=str(photo)),
        metadata={"note": EVIL},
        review="always",
    )
    row = bench.ledger.submit(job).id
    bench.run(Restart(row, job, Step.PREPARE))
    eve = bench.people.add("eve", EVIL, Role.LEAD, PASSWORD)
    corner = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    line = CorrectedLine(polygon=corner, text=EVIL)
    ruling = Ruling(
        decision=Decision.CORRECTED,
        correction=Correction(text=(line,), brand=EVIL, model=EVIL),
        note=EVIL,
    )
    decided = bench.reviews.decide(bench.held(eve, row), ruling, eve)
    assert decided.restart
    bench.run(decided.restart)
    visit = console.visit(eve)
    for path in (
        "/queue?held=all",
        f"/reviews/{bench.review_of(row)}",
        f"/jobs/{row}",
        "/jobs",
        "/audit",
        "/insight",
        "/queue?sku=%3Cscript%3Ealert(1)%3C/script%3E",
    ):
        answer = visit("GET", path)
        assert answer.status == 200, path
        assert b"alert(" in answer.data or path == "/insight", path
        assert b"<script>alert" not in answer.data, path
        assert b"<img src=x" not in answer.data, path
        assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_text_on_a_photo_cannot_end_the_data_block(console: Console) -> None:
    from packshot.console.pages import script_data

    told = script_data({"text": "</script><script>alert(1)</script>"})
    assert "<" not in told
    assert ">" not in told


def test_nothing_is_cached_but_our_own_files(console: Console) -> None:
    visit = console.visit(console.bench.people.get("lea"))
    assert visit("GET", "/queue").headers["cache-control"] == "no-store"
    assert "cache-control" not in visit("GET", "/static/base.js").headers


def test_a_body_has_a_limit(console: Console) -> None:
    visit = console.visit(console.bench.people.get("ray"))
    answer = visit(
        "POST",
        f"/api/v1/reviews/{console.review}/matte/faults",
        headers={"content-length": str(65 * 1024 * 1024)},
        body=b"x",
    )
    assert answer.status == 413


@pytest.mark.parametrize(
    ("path", "told"),
    [("/reviews/{}", b"This is our mistake"), ("/api/v1/reviews/{}", b'"code":"internal_error"')],
    ids=["page", "program"],
)
def test_a_mistake_of_ours_shows_a_way_on_and_nothing_of_the_inside(
    console: Console, monkeypatch: pytest.MonkeyPatch, path: str, told: bytes
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(type(console.bench.reviews), "get", broken)
    answer = console.visit(console.bench.people.get("lea"))("GET", path.format(console.review))
    assert (answer.status, answer.headers["content-security-policy"]) == (500, POLICY)
    assert told in answer.data
    assert b"secret of the inside" not in answer.data


def test_an_error_leaves_the_navigation_to_whoever_is_signed_in(console: Console) -> None:
    lea = console.visit(console.bench.people.get("lea"))
    assert b'href="/insight"' in lea("GET", f"/reviews/{uuid4()}").data
    answer = console.visit()("GET", "/nothing-here")
    assert (answer.status, b'href="/insight"' in answer.data) == (404, False)


def test_errors_speak_the_readers_language(console: Console) -> None:
    lea = console.visit(console.bench.people.get("lea"))
    lea.cookies["packshot_language"] = "zh"
    for path in (f"/reviews/{uuid4()}", f"/api/v1/reviews/{uuid4()}"):
        assert "没有这个项目、任务或页面" in lea("GET", path).data.decode()
    console.bench.held(console.bench.people.get("ray"), console.job)
    taken = lea("POST", f"/api/v1/reviews/{console.review}/claim")
    assert taken.json() == {"code": "item_taken", "message": "Ray 正在处理此项目。"}


def test_answers_do_not_wait_for_an_ack() -> None:
    """asyncio sets TCP_NODELAY where a socket says that it is TCP, which most listeners do not."""
    with listen() as listener, socket.create_connection(listener.getsockname()):
        taken, _ = listener.accept()
        with taken:
            assert taken.proto == socket.IPPROTO_TCP


def test_a_start_deletes_the_sessions_that_are_over(console: Console) -> None:
    console.visit(console.bench.people.get("ray"))
    engine = console.bench.engine
    past = datetime.now(UTC) - timedelta(minutes=1)
    with engine.begin() as db:
        db.execute(update(SessionRow).values(expires_at=past))

    async def start() -> None:
        async with console.app.router.lifespan_context(console.app):
            pass

    asyncio.run(start())
    with engine.begin() as db:
        assert db.scalar(select(func.count()).select_from(SessionRow)) == 0
