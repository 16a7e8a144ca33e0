"""`python -m waypost_groupcall.fake`: run the fake Messenger until it is interrupted."""

import argparse
import signal
import threading

from waypost_groupcall.fake.messenger import CUSTOMER_ID, PARTNER_KEY, PASSWORD, USER_NAME, FakeGroupcall
from waypost_groupcall.fake.server import Server

CUSTOMER = """
[providers.groupcall]
type = "groupcall"
url = "{url}"
user_name = "{user_name}"
customer_id = "{customer_id}"
password = "{password}"
sms_sender = "Waypost"
style_class = "Plain"
short_code = "{short_code}"
"""
PARTNER = """
# as a partner:
[providers.groupcall-partner]
type = "groupcall"
url = "{url}"
partner_key = "{partner_key}"
customer_id = "{customer_id}"
sms_sender = "Waypost"
style_class = "Plain"
"""


def configuration(url: str, fake: FakeGroupcall) -> str:
    """How a broker is set to the fake, as TOML."""
    return (CUSTOMER + PARTNER).format(
        url=url,
        user_name=USER_NAME,
        customer_id=CUSTOMER_ID,
        password=PASSWORD,
        partner_key=PARTNER_KEY,
        short_code=fake.own_number,
    )


def main() -> None:
    """Serve, say where, and wait."""
    parser = argparse.ArgumentParser(prog="waypost_groupcall.fake", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; 0 for a free one")
    arguments = parser.parse_args()
    stopped = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stopped.set())
    fake = FakeGroupcall()
    with Server(fake, port=arguments.port) as server:
        print(f"The fake Messenger listens on {server.url}. Settings of a broker for it:")  # noqa: T201
        print(configuration(server.url, fake), flush=True)  # noqa: T201
        stopped.wait()


if __name__ == "__main__":
    main()
