"""Serves ministack over TLS on one address until standard input closes or SIGTERM arrives.

`ministack` itself also binds port 443, which only one instance per machine could have, and it outlives a parent that
crashes. Everything else here is as its own `main` does it.
"""

import asyncio
import os
import signal
import sys
import threading

from hypercorn.asyncio import serve
from hypercorn.config import Config

from ministack.app import app


def stop_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    config = Config()
    config.bind = [f"{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"]
    config.certfile = os.environ["MINISTACK_SSL_CERT"]
    config.keyfile = os.environ["MINISTACK_SSL_KEY"]
    config.keep_alive_timeout = 75
    config.loglevel = os.environ.get("LOG_LEVEL", "INFO")
    threading.Thread(target=stop_with_parent, daemon=True).start()
    asyncio.run(serve(app, config))


if __name__ == "__main__":
    sys.exit(main())
