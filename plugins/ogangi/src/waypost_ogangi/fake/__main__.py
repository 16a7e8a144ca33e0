"""Run the fake: `python -m waypost_ogangi.fake`. It prints where it listens and how to configure the broker for it."""

import argparse
import sys
import threading

from broker.testing.upstream import Upstream
from waypost_ogangi.fake.service import FakeOgangi
from waypost_ogangi.settings import OgangiSettings

TABLE = """\
[providers.ogangi]
type = "ogangi"
base_url = "{url}"
instance_id = "1234"
user_name = "demo"
public_key = "public-demo-key"
private_key = "private-demo-key"
"""


def main() -> None:
    """Serve until the end of the process."""
    parser = argparse.ArgumentParser(prog="python -m waypost_ogangi.fake")
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0: a free one")
    port = parser.parse_args().port
    settings = OgangiSettings.model_validate({
        "base_url": "http://127.0.0.1",
        "instance_id": "1234",
        "user_name": "demo",
        "public_key": "public-demo-key",
        "private_key": "private-demo-key",
    })
    with Upstream(FakeOgangi(settings), port=port) as upstream:
        sys.stdout.write(TABLE.format(url=upstream.url))
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
