"""The console's application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import resources

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool

from packshot import __version__
from packshot.console import answers
from packshot.console.routes.admin import router as admin
from packshot.console.routes.api import router as api
from packshot.console.routes.items import router as items
from packshot.console.routes.jobs import router as jobs
from packshot.console.routes.matte import router as matte
from packshot.console.routes.pictures import router as pictures
from packshot.console.routes.queue import router as queue
from packshot.console.routes.sign_in import router as sign_in
from packshot.console.shield import Shield
from packshot.console.site import Site
from packshot.errors import Transient

#: Where the description of the API lies. It needs a session like everything else.
OPENAPI = "/api/v1/openapi.json"


def create_app(site: Site) -> FastAPI:
    """Build the application on what a site works with."""
    app = FastAPI(
        title="Packshot review",
        version=__version__,
        # The description is served by a route of ours, which asks who is there.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # Paths and queries may be hostile text: they are not repeated in redirects.
        redirect_slashes=False,
        lifespan=_tidy,
    )
    app.state.site = site
    app.add_middleware(Shield)
    answers.install(app)
    for part in (sign_in, queue, items, jobs, admin, pictures, api, matte):
        app.include_router(part)
    folder = resources.files("packshot.console") / "static"
    app.mount("/static", StaticFiles(directory=str(folder)), name="static")
    return app


@asynccontextmanager
async def _tidy(app: FastAPI) -> AsyncIterator[None]:
    """Begin without the sessions and failed sign-ins that are over; nobody else deletes them."""
    with suppress(Transient):  # pages say what is down, and the next start tidies too
        await run_in_threadpool(app.state.site.people.forget)
    yield
