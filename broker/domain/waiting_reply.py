"""The reply that a callback gives: what of its answer is sent back to whoever wrote to us.

Only the answer to the first call counts, and only within WAIT_S: a person waits. It is status 200, plain text, and
fits one SMS of the restricted profile. An empty one says that there is nothing to say.
"""

from broker.domain.text_profile import restricted_refusal
from broker.domain.value import value

WAIT_S = 60.0
ANSWER_BYTES_MAX = 4_096
_PLAIN = "text/plain"


@value
class SpokenAnswer:
    """What a URL answered: its status, the content type as written, and as much of the body as may count."""

    status: int
    content_type: str
    body: bytes
    whole: bool = True


@value
class ReplyText:
    """To be sent back."""

    text: str


@value
class Abandoned:
    """Nothing is sent back; `why`, for people."""

    why: str


NOTHING_SAID = None


def reply_of(answer: SpokenAnswer | None) -> ReplyText | Abandoned | None:
    """What an answer comes to; None where it says nothing. No answer at all (in time) is None given."""
    if answer is None:
        return Abandoned(f"no answer within {WAIT_S:.0f} s")
    if answer.status != 200:
        return Abandoned(f"the answer's status is {answer.status}, not 200")
    if not answer.body.strip():
        return NOTHING_SAID
    if answer.content_type.partition(";")[0].strip().lower() != _PLAIN:
        return Abandoned("the answer is not text/plain")
    text = answer.body.decode("utf-8", errors="replace").strip()
    if not answer.whole:
        return Abandoned(f"the answer has more than {ANSWER_BYTES_MAX:,} bytes")
    problem = restricted_refusal({"text": text})
    return ReplyText(text) if problem is None else Abandoned(f"the answer cannot be sent: {problem}")
