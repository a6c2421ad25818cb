"""`packshot console`."""

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8321, show_default=True)
@click.option(
    "--trust-proxy",
    metavar="ADDRESSES",
    default="127.0.0.1",
    show_default=True,
    help="Proxies whose X-Forwarded-* headers are believed, separated by commas.",
)
def console(host: str, port: int, trust_proxy: str) -> None:
    """Serve the review console: the pages and the REST API.

    Make the first account with `packshot user add`. Put a proxy with TLS in front of it: over plain
    HTTP, browsers keep its cookies on this machine only.
    """
    import uvicorn

    from packshot.console.app import create_app
    from packshot.settings import Settings
    from packshot.store.engine import open_engine
    from packshot.telemetry import configure
    from tasks.app import create_app as create_celery
    from tasks.workflow import restarter
    from workers.site import build_site

    settings = Settings.load()
    configure(settings.log_level, settings.log_style)
    # A thread per request at work, as many as the server's pool has.
    engine = open_engine(settings.ledger_url, pool_size=20)
    site = build_site(settings, engine, restarter(create_celery(settings)))
    uvicorn.run(
        create_app(site),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=trust_proxy,
    )
