"""A fake Group Texting to develop against: `python -m waypost_grouptexting.fake --port 8090`."""

import argparse
import asyncio
import contextlib
import time

from waypost_grouptexting.fake.server import serve
from waypost_grouptexting.fake.service import Service

TOLD = """\
Group Texting, as far as its document goes, at {url}

[providers.grouptexting]
type = "grouptexting"
url = "{url}"
username = "{user}"
password = "{password}"
long_code = "+12125550100"

curl -d phone=2125550101 --data-urlencode "text=Hello" {base}/say      somebody texts to the long code
curl {base}/texted                                                     what phones got
"""


async def run(port: int, forwarding_url: str) -> None:
    """Serve until interrupted."""
    service = Service(now_s=time.monotonic, forwarding_url=forwarding_url)
    async with serve(service, port=port) as fake:
        base = fake.url.removesuffix("/api")
        told = TOLD.format(url=fake.url, base=base, user=service.user, password=service.password)
        print(told, flush=True)  # noqa: T201 - where it is and how to use it
        await asyncio.Event().wait()


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument(
        "--forwarding-url",
        default="",
        help="the instance's callback address, as `waypost providers --json` shows",
    )
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(arguments.port, arguments.forwarding_url))


if __name__ == "__main__":
    main()
