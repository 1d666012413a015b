"""`python -m local.simulator --port N`: the Xero simulator in the foreground."""

import argparse

from local.simulator.server import serve
from local.simulator.state import DEFAULT_CLIENT_ID, Simulator


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--new-app", action="store_true", help="5 connections, and only registered redirect URIs")
    parser.add_argument("--redirect-uri", action="append", default=[], help="registers a redirect URI; repeatable")
    arguments = parser.parse_args()
    print(f"Xero simulator on http://{arguments.host}:{arguments.port}, client id {DEFAULT_CLIENT_ID}", flush=True)
    serve(
        arguments.host,
        arguments.port,
        Simulator(new_app=arguments.new_app, redirect_uris=tuple(arguments.redirect_uri)),
    )


if __name__ == "__main__":
    main()
