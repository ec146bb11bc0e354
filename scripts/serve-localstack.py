"""Serves LocalStack on 127.0.0.1, without Docker: serve-localstack.py PORT FOLDER.

FOLDER takes what it writes. It serves once http://127.0.0.1:PORT/_localstack/health answers, and ends with SIGTERM.
"""

import os
import pathlib
import sys


def main() -> None:
    if len(sys.argv) != 3 or not sys.argv[1].isdigit():
        sys.exit("serve-localstack.py: PORT FOLDER was expected")
    port, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        GATEWAY_LISTEN=f"127.0.0.1:{port}",
        LOCALSTACK_HOST=f"127.0.0.1:{port}",
        # Queues' URLs without a name that only the internet's DNS knows.
        SQS_ENDPOINT_STRATEGY="off",
        EAGER_SERVICE_LOADING="0",
        # Neither a DNS server of its own, nor anything that it would fetch or tell.
        DNS_ADDRESS="0",
        DISABLE_EVENTS="1",
        SKIP_SSL_CERT_DOWNLOAD="1",
        # Its data, and the cache of its plugins.
        FILESYSTEM_ROOT=str(folder),
        XDG_CACHE_HOME=str(folder / "cache"),
    )

    from twisted.internet import endpoints

    class Loopback(endpoints.TCP4ServerEndpoint):
        """LocalStack drops the address of GATEWAY_LISTEN, and would listen to the whole network."""

        def __init__(self, reactor, port, backlog=50, interface="127.0.0.1"):
            super().__init__(reactor, port, backlog, interface)

    endpoints.TCP4ServerEndpoint = Loopback

    from localstack.runtime.main import main as serve

    serve()


main()
