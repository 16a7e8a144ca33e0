"""Run the fake Bird: `python -m waypost_bird.fake --port 8099`, and it tells how to point a broker at it."""

import argparse
import asyncio

from waypost_bird.fake import example
from waypost_bird.fake.server import FakeServer

HOW = """\
# A fake Bird listens on {url}. Point a broker at it:

[server]
http_listen = "127.0.0.1:8080"

[providers.bird]
type = "bird"
{table}

# A phone writes to it, and it tells the address that it was started with (`--webhook`; `waypost providers --json`
# shows the broker's):
#
# curl {url}/phone --data-urlencode from=+15005550123 --data-urlencode to={number} -d "text=Is it on its way?"
"""


async def serve(port: int, webhook: str) -> None:
    """Serve until interrupted."""
    async with FakeServer(example.example_bird(subscription=webhook), port=port) as server:
        print(how(server.url), flush=True)  # noqa: T201 - its purpose
        await asyncio.Event().wait()


def how(url: str) -> str:
    """Settings for a broker that is to use it."""
    table = example.example_settings(url)
    senders = table.pop("senders")
    lines = [f"{name} = {_toml(each)}" for name, each in table.items()]
    pairs = ", ".join(f'"{sender}" = "{channel}"' for sender, channel in senders.items())
    return HOW.format(url=url, number=example.NUMBER, table="\n".join([*lines, f"senders = {{ {pairs} }}"]))


def _toml(given: str | list[str]) -> str:
    return f'"{given}"' if isinstance(given, str) else f"[{', '.join(map(_toml, given))}]"


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="A fake Bird to develop against.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--webhook", default="", help="where it reports what names no address of its own")
    given = parser.parse_args()
    try:
        asyncio.run(serve(given.port, given.webhook))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
