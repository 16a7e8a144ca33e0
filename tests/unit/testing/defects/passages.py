"""What a defect is, and the passages of the plugin of docs/providers.md that defects replace."""

from collections.abc import Iterable
from dataclasses import dataclass

WIRE = "src/waypost_acme/wire.py"
PROVIDER = "src/waypost_acme/provider.py"
TYPE = "src/waypost_acme/__init__.py"

SUBMIT = "        if not messages:\n            return []\n        document ="
CALL = "        async with self._context.http().request("
START = "        self._context = context\n"
POST = '            status, headers, body = await self._call("POST", json=document)\n'
CALLBACK_JUDGED = "        receipt = wire.receipt(wire.read_json(request.body))\n"
ANSWERED = "        return wire.answers(status, body, messages)\n"
LAST = "    return [spi.Unknown(code)] * count\n"
FAILED = "        except (aiohttp.ClientError, TimeoutError) as error:\n"
NOT_CONNECTED = (
    "        except NO_CONNECTION as error:  # no byte of a message has left\n"
    "            return [spi.NotAccepted(code=type(error).__name__)] * len(messages)\n"
)
UNKNOWN = "            return [spi.Unknown(type(error).__name__)] * len(messages)\n"
SUBMIT_FAILED = FAILED + UNKNOWN + "        return wire.outcomes"
QUERY_FAILED = FAILED + UNKNOWN + "        return wire.answers"
STOPPING = {
    "test_stopping_leaves_nothing_behind",
    "test_starting_twice_leaves_nothing_double",
    "test_stopping_while_busy_comes_to_an_end",
}
LOGS = {"test_logs_hold_no_secrets", "test_logs_hold_no_texts", "test_logs_hold_no_full_addresses"}
QUERIES = {
    "test_a_query_answers_each_message_in_order",
    "test_a_query_knows_the_ids_or_finds_them",
    "test_a_restarted_provider_answers_the_same",
}


@dataclass(frozen=True)
class Defect:
    """One passage of one file that became another, and the cases that fail for it.

    `may_fail` names cases whose fault looks one way or another, by the moment at which it strikes.
    """

    name: str
    file: str
    old: str
    new: str
    fails: frozenset[str]
    may_fail: frozenset[str]
    time_limit_s: float


def defect(
    name: str,
    file: str,
    old: str,
    new: str,
    *fails: str,
    may_fail: Iterable[str] = (),
    time_limit_s: float = 5.0,
) -> Defect:
    """A defect, and the names of the failing cases."""
    return Defect(name, file, old, new, frozenset(fails), frozenset(may_fail), time_limit_s)
