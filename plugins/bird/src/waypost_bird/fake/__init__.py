"""A Bird to develop against: it refuses what the document says is refused, keeps what it took, and reports by webhooks.

python -m waypost_bird.fake --port 8099
"""

from waypost_bird.fake.example import example_bird, example_settings
from waypost_bird.fake.server import FakeServer
from waypost_bird.fake.service import Answered, FakeBird, FakeChannel, Webhook

__all__ = ["Answered", "FakeBird", "FakeChannel", "FakeServer", "Webhook", "example_bird", "example_settings"]
