"""`python -m local.codat_simulator --port N`: the Codat simulator in the foreground."""

import argparse

from local.codat_simulator.server import serve
from local.codat_simulator.state import CLIENT_ID, Codat


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.codat_simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--redirect-url", default="", help="the template to which hosted Link sends customers back")
    arguments = parser.parse_args()
    print(f"Codat simulator on http://{arguments.host}:{arguments.port}, client id {CLIENT_ID}", flush=True)
    serve(arguments.host, arguments.port, Codat(redirect_url=arguments.redirect_url))


if __name__ == "__main__":
    main()
