"""What becomes of requests to send: the one way from a caller's words to intake and back, for calls and for frames."""

from collections.abc import Sequence
from dataclasses import dataclass

from broker.api.auth import account_for
from broker.api.convert.requests import submission_of
from broker.delivery.intake import Answer, Intake
from broker.delivery.keys import Keys
from broker.domain.access import Principal
from broker.domain.submission import Submission
from broker.errors import BrokerError
from broker.spi import Clock
from waypost.v1 import send_pb2

Asked = tuple[Principal, send_pb2.SendRequest]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Converts requests, has all of them stored at once, and says of each what came of it."""

    keys: Keys
    intake: Intake
    clock: Clock

    async def of(self, asked: Sequence[Asked | BrokerError]) -> Sequence[Answer]:
        """One answer each, in order; what is a refusal already stays that. What refuses a request, or all, is one too."""
        now_us = self.clock.now_us()
        converted: list[Submission | BrokerError] = []
        for each in asked:
            if isinstance(each, BrokerError):
                converted.append(each)
                continue
            caller, request = each
            try:
                account_id = caller.account_id
                if request.account_id:
                    account_id = await account_for(self.keys, caller, request.account_id)
                converted.append(submission_of(request, account_id, now_us))
            except BrokerError as error:
                converted.append(error)
        submissions = [each for each in converted if isinstance(each, Submission)]
        if not submissions:
            return [each for each in converted if isinstance(each, BrokerError)]
        try:
            answers: Sequence[Answer] = await self.intake.accept(submissions)
        except BrokerError as error:
            answers = [error] * len(submissions)
        if len(submissions) == len(converted):
            return answers
        following = iter(answers)
        return [next(following) if isinstance(each, Submission) else each for each in converted]
