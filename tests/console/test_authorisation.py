"""Every route for every role and for nobody. A route without a row fails."""

import json
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from tests.console.conftest import Answer, Console, Visit

#: The least role of every route; "open" is for everybody, also for nobody.
LEAST = {
    "GET /healthz": "open",
    "GET /sign-in": "open",
    "POST /sign-in": "open",
    "GET /welcome": "open",
    "POST /welcome": "open",
    "POST /language": "open",
    "GET /": "viewer",
    "POST /sign-out": "viewer",
    "GET /queue": "viewer",
    "GET /queue/next": "reviewer",
    "GET /queue/ahead": "reviewer",
    "GET /reviews/{review}": "viewer",
    "GET /reviews/{review}/matte": "reviewer",
    "GET /jobs": "viewer",
    "GET /jobs/{job}": "viewer",
    "POST /jobs/{job}/retry": "reviewer",
    "POST /jobs/{job}/cancel": "reviewer",
    "GET /insight": "viewer",
    "GET /audit": "lead",
    "GET /export": "lead",
    "GET /export/download": "lead",
    "GET /pictures/{path:path}": "viewer",
    "GET /api/v1/openapi.json": "viewer",
    "GET /api/v1/me": "viewer",
    "GET /api/v1/reviews": "viewer",
    "POST /api/v1/reviews/claim-next": "reviewer",
    "POST /api/v1/reviews/accept": "reviewer",
    "GET /api/v1/reviews/{review}": "viewer",
    "GET /api/v1/reviews/{review}/alike": "reviewer",
    "POST /api/v1/reviews/{review}/claim": "reviewer",
    "POST /api/v1/reviews/{review}/renew": "reviewer",
    "POST /api/v1/reviews/{review}/release": "reviewer",
    "POST /api/v1/reviews/{review}/skip": "reviewer",
    "POST /api/v1/reviews/{review}/decide": "reviewer",
    "POST /api/v1/reviews/{review}/reassign": "lead",
    "POST /api/v1/reviews/{review}/matte": "reviewer",
    "POST /api/v1/reviews/{review}/matte/recompute": "reviewer",
    "POST /api/v1/reviews/{review}/matte/faults": "reviewer",
    "GET /api/v1/categories": "viewer",
    "GET /api/v1/brands": "viewer",
    "GET /api/v1/jobs": "viewer",
    "GET /api/v1/jobs/{job}": "viewer",
}
ORDER = ("open", "viewer", "reviewer", "lead")
WHO = {"nobody": "open", "vera": "viewer", "ray": "reviewer", "lea": "lead"}

#: Bodies that pass validation, so that an answer is about rights and not about a missing field.
_HOLD = {"token": str(uuid4()), "version": 1}
BODIES = {
    "renew": _HOLD,
    "skip": _HOLD,
    "decide": {**_HOLD, "ruling": {"decision": "approved"}},
    "reassign": {"login": None},
    "accept": {"items": [{"id": str(uuid4()), "version": 1}]},
}


def _asked(visit: Visit, console: Console, route: str) -> Answer:
    method, path = route.split(" ")
    filled = path.replace("{review}", str(console.review)).replace("{job}", str(console.job))
    filled = filled.replace("{path:path}", "thumb/1/x/x")
    last = path.rsplit("/", 1)[-1]
    if last == "release":
        return visit(method, filled, form=_HOLD)
    if last in BODIES:
        return visit(method, filled, json=BODIES[last])
    if last == "matte" and method == "POST":
        filled += f"?token={uuid4()}&version=1"
    if last == "download":
        filled += "?format=jsonl"
    return visit(method, filled)


def _refused(answer: Answer, who: str) -> bool:
    """Whether this is the answer to somebody who may not."""
    if who == "nobody":
        led_away = answer.status == 303 and answer.headers["location"].startswith("/sign-in")
        return led_away or answer.status == 401
    return answer.status == 403 and b"not_allowed" in answer.data


def test_every_route_has_a_row(console: Console) -> None:
    routes = {
        f"{method} {route.path}"
        for route in console.app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    # Newer FastAPI keeps included routers apart; their routes must be seen too.
    for part in console.app.routes:
        for route in getattr(getattr(part, "original_router", None), "routes", ()):
            if isinstance(route, APIRoute):
                routes |= {f"{method} {route.path}" for method in route.methods or ()}
    assert routes == set(LEAST)


@pytest.mark.parametrize("who", WHO)
def test_who_may_what(console: Console, who: str) -> None:
    wrong = []
    for route, least in LEAST.items():
        if least == "open":
            continue
        person = None if who == "nobody" else console.bench.people.get(who)
        may = ORDER.index(WHO[who]) >= ORDER.index(least)
        answer = _asked(console.visit(person), console, route)
        if _refused(answer, who) == may:
            wrong.append((route, least, answer.status, answer.data[:120]))
        assert answer.status < 500, (route, answer.data[:300])
    assert not wrong


def test_nothing_changes_without_the_form_token(console: Console) -> None:
    lea = console.bench.people.get("lea")
    for route, least in LEAST.items():
        if least == "open" or route.startswith("GET"):
            continue
        visit = console.visit(lea)
        visit.csrf = ""
        answer = _asked(visit, console, route)
        assert answer.status == 403, (route, answer.status)
        visit.csrf = console.visit(lea).csrf  # of another session of the same person
        answer = _asked(visit, console, route)
        assert answer.status == 403, (route, answer.status)


def test_a_token_needs_no_form(console: Console) -> None:
    token = console.bench.people.issue_token("ray", "robot", 1)
    answer = Visit(console.base, bearer=token)("POST", "/api/v1/reviews/claim-next")
    assert answer.status == 200
    assert json.loads(answer.data)["item"]["id"] == str(console.review)
