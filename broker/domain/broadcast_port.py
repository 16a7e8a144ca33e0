"""The calls about broadcasts that an upstream runs itself."""

from broker.domain.upstream_broadcast import BroadcastOrder, BroadcastQuestion, Controlled, Found, Taken


class BroadcastPort:
    """What a provider writes whose `Capabilities.broadcast` is true; all others leave it."""

    async def broadcast_create(self, order: BroadcastOrder) -> Taken:
        """Hand a whole broadcast over; called where `capabilities.broadcast`, as are the five that follow.

        UpstreamBroadcast: the upstream has it, under an `upstream_id`. Rejected, NotAccepted, Unknown: as in
        `submit`. After Unknown it is not handed over again: `broadcast_get` is asked. Raising, or taking longer than
        the broker's limit, is Unknown, here and below.
        """
        raise NotImplementedError

    async def broadcast_get(self, question: BroadcastQuestion) -> Found:
        """How a broadcast stands upstream; asked again and again while it runs.

        NotAccepted: the upstream surely has none, and it may be handed over again. Unknown: cannot tell now, as
        where the question names no `upstream_id` and the upstream knows no key.
        """
        raise NotImplementedError

    async def broadcast_suspend(self, upstream_id: str) -> Controlled:
        """Hold a broadcast that runs or waits for its time.

        BroadcastMoved: done. Rejected: it cannot be. NotAccepted: surely not done. Unknown: `broadcast_get` will tell.
        """
        raise NotImplementedError

    async def broadcast_resume(self, upstream_id: str) -> Controlled:
        """Let one that is held go on."""
        raise NotImplementedError

    async def broadcast_stop(self, upstream_id: str) -> Controlled:
        """End one for good."""
        raise NotImplementedError

    async def broadcast_delete(self, upstream_id: str) -> Controlled:
        """Remove one, in whatever state."""
        raise NotImplementedError
