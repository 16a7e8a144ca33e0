"""What callers attached to their messages → protobuf."""

from broker.domain.submission import Campaign
from waypost.v1 import send_pb2


def campaign_message(campaign: Campaign | None) -> send_pb2.Campaign | None:
    """A campaign, absent where there is none."""
    return None if campaign is None else send_pb2.Campaign(id=campaign.id, name=campaign.name)
