"""`python -m examples.shop_api --mongodb mongodb://127.0.0.1/shop --cache redis://127.0.0.1:6379`."""

from __future__ import annotations

import click

from examples.shop_api.server import Server


@click.command()
@click.option("--mongodb", required=True, metavar="URL", help="The shop's database, as `migrator apply` filled it.")
@click.option("--cache", metavar="URL", help="redis://host:6379/0 or memcached://host:11211; without, no cache.")
@click.option("--cache-seconds", default=300.0, show_default=True, help="How long a cached object lives at most.")
@click.option("--port", default=8080, show_default=True, help="0 takes a free one.")
def main(mongodb: str, cache: str | None, cache_seconds: float, port: int) -> None:
    """Serve the shop: GET /orders, /orders/ID and /customers/ID, PATCH the latter two."""
    server = Server(port, mongodb, cache, cache_seconds)
    click.echo(f"http://127.0.0.1:{server.server_address[1]}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
