"""The plugin of docs/providers.md with one small defect each, and the cases of the suite that must find it.

A defect replaces one passage of one file. `fails` names every case that fails then, and no other may.
"""

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


DECLARING = [
    defect("name_with_capitals", TYPE, '"acme"', '"Acme SMS"', "test_the_type_has_a_plain_name_and_channels"),
    defect(
        "capabilities_change",
        PROVIDER,
        START,
        START + "        import dataclasses\n\n"
        "        self.capabilities = dataclasses.replace(self.capabilities, batch_max=49)\n",
        "test_capabilities_never_change",
    ),
    defect(
        "batch_max_is_no_number",
        PROVIDER,
        "batch_max=50",
        "batch_max=50.0",
        "test_capabilities_are_of_their_types",
        "test_a_full_batch_has_its_outcomes_in_order",
    ),
    defect(
        "more_channels_than_the_type",
        PROVIDER,
        "channels=frozenset({spi.Channel.SMS})",
        "channels=frozenset({spi.Channel.SMS, spi.Channel.MMS})",
        "test_an_instance_serves_channels_of_its_type",
    ),
    defect(
        "misspelt_content",
        PROVIDER,
        'frozenset({"sms.text"})',
        'frozenset({"sms.text", "sms.body"})',
        "test_content_names_fields_of_the_protos",
    ),
    defect(
        "query_is_declared_and_missing",
        PROVIDER,
        "    async def query(",
        "    async def ask(",
        "test_what_is_declared_is_there",
        *QUERIES,
        "test_a_query_of_nothing_answers_nothing",
        "test_a_query_never_sends",
        "test_a_question_that_failed_tells_nothing",
        "test_a_question_to_a_closed_port_tells_nothing",
        "test_a_question_without_an_answer_tells_nothing",
        *LOGS,
    ),
    defect(
        "polled_without_query",
        PROVIDER,
        "receipts=spi.ReceiptMode.PUSH,\n        batch_max=50,\n        idempotency=spi.Idempotency.KEY,\n        query=True,",
        "receipts=spi.ReceiptMode.POLL,\n        batch_max=50,\n        idempotency=spi.Idempotency.KEY,",
        "test_what_is_declared_is_there",
        "test_a_callback_cut_short_is_refused",
        "test_a_forged_callback_is_refused",
        "test_a_malformed_callback_is_refused",
        "test_an_answer_outlives_the_callback_that_waited_for_it",
        *LOGS,
    ),
    defect(
        "unknown_settings_are_ignored",
        PROVIDER,
        'extra="forbid"',
        'extra="ignore"',
        "test_an_unknown_setting_is_refused_by_name",
    ),
    defect(
        "a_setting_of_any_type",
        PROVIDER,
        "    timeout_s: float = Field(default=20.0, gt=0, le=60)",
        "    timeout_s: object = 20.0",
        "test_a_setting_of_the_wrong_type_is_refused_by_name",
    ),
    defect(
        "a_missing_setting_is_another_error",
        PROVIDER,
        "class Acme(spi.Provider)",
        "from pydantic import model_validator  # noqa: E402\n\n\n"
        "class AcmeSettings(AcmeSettings):\n"
        '    """With a rule that names no field."""\n\n'
        '    @model_validator(mode="before")\n'
        "    @classmethod\n"
        "    def _whole(cls, table):\n"
        '        if "token" not in table:\n'
        '            raise ValueError("something is missing")\n'
        "        return table\n\n\n"
        "class Acme(spi.Provider)",
        "test_a_missing_setting_is_refused_by_name",
    ),
    defect(
        "a_token_that_is_shown",
        PROVIDER,
        "    token: SecretStr\n",
        '    token: SecretStr\n    api_key: str = ""\n',
        "test_secrets_are_secret",
    ),
    defect(
        "a_refusal_that_quotes_the_token",
        PROVIDER,
        "class Acme(spi.Provider)",
        "from pydantic import model_validator  # noqa: E402\n\n\n"
        "class AcmeSettings(AcmeSettings):\n"
        '    """With a rule that says too much."""\n\n'
        '    @model_validator(mode="before")\n'
        "    @classmethod\n"
        "    def _known(cls, table):\n"
        '        if "misspelt_setting" in table:\n'
        '            raise ValueError(f"misspelt_setting is unknown: {table}")\n'
        "        return table\n\n\n"
        "class Acme(spi.Provider)",
        "test_an_unknown_setting_is_refused_by_name",
        "test_a_refused_setting_does_not_show_secrets",
    ),
]

LIVING = [
    defect(
        "start_needs_the_upstream",
        PROVIDER,
        START,
        START + "        import socket, urllib.parse\n\n"
        "        address = urllib.parse.urlsplit(self._settings.url)\n"
        "        socket.create_connection((address.hostname, address.port)).close()\n",
        "test_the_broker_starts_while_the_upstream_is_down",
        "test_a_refused_connection_is_not_accepted",
        "test_a_question_to_a_closed_port_tells_nothing",
        *LOGS,
    ),
    defect(
        "a_task_outlives_the_stop",
        PROVIDER,
        START,
        START
        + "        import asyncio\n\n        self._looking = asyncio.create_task(asyncio.sleep(3_600))\n",
        *STOPPING,
    ),
    defect(
        "a_session_of_its_own_stays_open",
        PROVIDER,
        CALL,
        "        if not hasattr(self, '_session'):\n"
        "            self._session = aiohttp.ClientSession()\n"
        "        async with self._session.request(",
        "test_an_answer_without_an_end_is_not_read_to_its_end",
        *STOPPING,
    ),
    defect(
        "a_second_stop_raises",
        PROVIDER,
        "    async def submit(",
        "    _stops = 0\n\n"
        "    async def stop(self) -> None:\n        self._stops += 1\n"
        "        if self._stops > 1:\n            raise RuntimeError\n\n"
        "    async def submit(",
        "test_stopping_twice_is_nothing_special",
    ),
    defect(
        "a_stop_needs_a_start",
        PROVIDER,
        "    async def submit(",
        "    async def stop(self) -> None:\n        self._context.log.info('acme.stopped')\n\n    async def submit(",
        "test_stopping_what_never_started_is_nothing_special",
    ),
    defect(
        "a_start_that_is_repeated_forgets_its_task",
        PROVIDER,
        START,
        START
        + "        import asyncio\n\n        self._looking = asyncio.create_task(asyncio.sleep(3_600))\n\n"
        "    async def stop(self) -> None:\n"
        "        if hasattr(self, '_looking'):\n            self._looking.cancel()\n",
        "test_starting_twice_leaves_nothing_double",
    ),
    defect(
        "submit_resists_being_cancelled",
        PROVIDER,
        SUBMIT_FAILED,
        SUBMIT_FAILED.replace("TimeoutError)", "TimeoutError, __import__('asyncio').CancelledError)"),
        "test_a_cancelled_submit_leaves_nothing_behind",
    ),
    defect(
        "requests_in_tasks_of_their_own",
        PROVIDER,
        POST,
        POST.replace(
            'await self._call("POST", json=document)',
            "await (asyncio := __import__('asyncio')).shield("
            'asyncio.create_task(self._call("POST", json=document)))',
        ),
        "test_a_cancelled_submit_leaves_nothing_behind",
    ),
    defect(
        "the_loop_is_blocked",
        PROVIDER,
        CALL,
        "        if method == 'POST':\n"
        "            import asyncio, time\n\n"
        "            asyncio.get_running_loop().call_later(0.05, time.sleep, 1.0)\n" + CALL,
        "test_other_work_goes_on_while_the_upstream_is_slow",
    ),
    defect(
        "instances_share_an_address",
        PROVIDER,
        START,
        START + "        type(self)._shared = self.__dict__['_settings']\n\n"
        "    def __getattribute__(self, name):\n"
        "        shared = name == '_settings' and type(self).__dict__.get('_shared')\n"
        "        return shared or super().__getattribute__(name)\n",
        "test_two_instances_share_nothing",
    ),
    defect(
        "a_restart_that_trips_over_the_last",
        PROVIDER,
        START,
        START + "        if await context.keepsakes.get('running'):\n            raise RuntimeError\n"
        "        await context.keepsakes.put('running', b'1')\n",
        "test_an_instance_can_be_made_again",
        "test_starting_twice_leaves_nothing_double",
    ),
    defect(
        "proxies_of_the_environment",
        PROVIDER,
        CALL,
        "        import os\n\n        what |= {'proxy': os.environ.get('http_proxy')}\n" + CALL,
        "test_proxies_of_the_environment_are_not_used",
    ),
    defect(
        "redirects_are_followed",
        PROVIDER,
        "allow_redirects=False",
        "allow_redirects=True",
        "test_a_redirect_is_not_followed",
    ),
]

SUBMITTING = [
    defect(
        "ids_of_its_own",
        WIRE,
        "        return spi.Accepted((identity,))",
        "        return spi.Accepted((identity.removeprefix('acme-'),))",
        "test_a_message_is_accepted_under_its_id",
        "test_a_full_batch_has_its_outcomes_in_order",
        "test_a_refused_message_harms_no_other",
        "test_concurrent_submits_get_their_own_answers",
        "test_every_channel_is_served",
        "test_two_instances_share_nothing",
        "test_a_receipt_may_come_before_the_submit_answer",
    ),
    defect(
        "outcomes_in_another_order",
        WIRE,
        "[_outcome(each) for each in results]",
        "[_outcome(each) for each in reversed(results)]",
        "test_a_full_batch_has_its_outcomes_in_order",
        "test_a_refused_message_harms_no_other",
    ),
    defect(
        "a_refusal_is_swallowed",
        WIRE,
        "[_outcome(each) for each in results]",
        "[o for each in results if not isinstance(o := _outcome(each), spi.Rejected)]",
        "test_a_refused_message_harms_no_other",
        "test_a_message_refused_for_good_is_rejected",
    ),
    defect(
        "a_refusal_stands_for_all",
        WIRE,
        "            return [_outcome(each) for each in results]",
        "            found = [_outcome(each) for each in results]\n"
        "            wrong = [each for each in found if isinstance(each, spi.Rejected)]\n"
        "            return wrong * count if wrong else found",
        "test_a_refused_message_harms_no_other",
    ),
    defect(
        "a_refusal_is_not_for_good",
        WIRE,
        "        return spi.Rejected(REFUSED[word], word)",
        "        return spi.NotAccepted(code=word)",
        "test_a_refused_message_harms_no_other",
        "test_a_message_refused_for_good_is_rejected",
    ),
    defect(
        "nothing_is_asked_about",
        PROVIDER,
        SUBMIT,
        "        document =",
        "test_an_empty_batch_asks_nobody",
    ),
    defect(
        "only_half_of_a_failed_batch_is_told",
        PROVIDER,
        SUBMIT_FAILED,
        SUBMIT_FAILED.replace(" * len(messages)", ""),
        "test_a_failed_request_harms_no_other_message",
    ),
    defect(
        "calls_overwrite_each_other",
        PROVIDER,
        POST,
        "            import asyncio\n\n            self._document = document\n            await asyncio.sleep(0)\n"
        + POST.replace("json=document", "json=self._document"),
        "test_concurrent_submits_get_their_own_answers",
    ),
    defect(
        "messages_are_changed",
        WIRE,
        '    document = {"to"',
        '    message.content.setdefault("subject", "")  # type: ignore[attr-defined]\n    document = {"to"',
        "test_messages_are_left_as_they_were",
    ),
    defect(
        "errors_without_a_bound",
        WIRE,
        LAST,
        "    return [spi.Unknown(code, body.decode(errors='replace'))] * count\n",
        "test_what_an_upstream_says_of_a_failure_is_bounded",
        "test_outcomes_hold_no_secrets_texts_or_addresses",
    ),
    defect(
        "another_key_for_another_attempt",
        WIRE,
        '"key": message.idempotency_key}',
        '"key": message.idempotency_key + "again" * (message.attempt == 2)}',
        "test_a_repeated_message_keeps_its_key",
    ),
    defect(
        "no_sender_no_message",
        WIRE,
        "    if message.sender:\n",
        "    if message.sender[0] != ' ':\n",
        "test_optional_fields_may_be_empty",
    ),
    defect(
        "few_tags_only",
        PROVIDER,
        SUBMIT,
        "        if len(messages[:1]) and len(messages[0].tags) > 5:\n"
        "            return [spi.Rejected(code='tags')]\n" + SUBMIT,
        "test_optional_fields_may_be_full",
    ),
    defect(
        "a_channel_that_is_not_served",
        PROVIDER,
        "    async def submit(",
        "    capabilities = __import__('dataclasses').replace(\n"
        "        capabilities, channels=frozenset({spi.Channel.SMS, spi.Channel.IN_APP})\n    )\n\n"
        "    def __getattribute__(self, name):\n"
        "        return super().__getattribute__('texts_only' if name == 'submit' else name)\n\n"
        "    async def texts_only(self, messages):\n"
        "        if any(each.channel is not spi.Channel.SMS for each in messages):\n"
        "            return [spi.Rejected(spi.Reason.CONTENT_UNSUPPORTED)] * len(messages)\n"
        "        return await type(self).submit(self, messages)\n\n"
        "    async def submit(",
        "test_every_channel_is_served",
        "test_an_instance_serves_channels_of_its_type",
    ),
]

SAYING = [
    defect(
        "texts_are_trimmed",
        WIRE,
        '"text": message.text,',
        '"text": message.text.strip(),',
        "test_a_text_arrives_as_it_was_given",
    ),
    defect(
        "a_field_is_dropped",
        PROVIDER,
        'frozenset({"sms.text"})',
        'frozenset({"sms.text", "sms.subject"})',
        "test_no_declared_content_is_dropped",
    ),
    defect(
        "an_undeclared_field_is_dropped",
        PROVIDER,
        '        content=frozenset({"sms.text"}),\n',
        "",
        "test_no_declared_content_is_dropped",
    ),
]

JUDGING = [
    defect(
        "refused_is_unknown",
        PROVIDER,
        NOT_CONNECTED,
        NOT_CONNECTED.replace("spi.NotAccepted(code=", "spi.Unknown("),
        "test_a_refused_connection_is_not_accepted",
    ),
    defect(
        "a_reset_is_raised",
        PROVIDER,
        SUBMIT_FAILED,
        "        except aiohttp.ClientConnectionError:\n            raise\n" + SUBMIT_FAILED,
        "test_a_reset_within_the_request_is_unknown",
        "test_a_reset_after_the_request_is_unknown",
        "test_a_connection_closed_without_an_answer_is_unknown",
        "test_a_message_is_sent_once_however_it_ends",
        "test_the_next_message_goes_out_after_each_failure",
        *LOGS,
        "test_outcomes_hold_no_secrets_texts_or_addresses",
        may_fail=["test_a_reset_before_the_request_is_read_is_never_taken"],
    ),
    defect(
        "an_error_is_a_refusal",
        PROVIDER,
        NOT_CONNECTED + SUBMIT_FAILED,
        SUBMIT_FAILED.replace("spi.Unknown(", "spi.Rejected(code="),
        "test_a_refused_connection_is_not_accepted",
        "test_a_reset_before_the_request_is_read_is_never_taken",
        "test_a_reset_within_the_request_is_unknown",
        "test_a_reset_after_the_request_is_unknown",
        "test_a_connection_closed_without_an_answer_is_unknown",
        "test_no_answer_at_all_is_unknown",
        "test_a_connection_that_is_accepted_and_never_read_is_unknown",
        "test_an_answer_that_never_ends_its_dripping_is_unknown",
        "test_an_answer_that_is_no_http_is_unknown",
        "test_an_answer_cut_short_is_unknown",
        "test_an_answer_without_an_end_is_not_read_to_its_end",
        "test_a_failed_request_harms_no_other_message",
    ),
    defect(
        "a_reset_is_not_accepted",
        PROVIDER,
        "NO_CONNECTION = (aiohttp.ClientConnectorError,",
        "NO_CONNECTION = (aiohttp.ClientConnectionError,",
        "test_a_reset_within_the_request_is_unknown",
        "test_a_reset_after_the_request_is_unknown",
        "test_a_connection_closed_without_an_answer_is_unknown",
    ),
    defect(
        "a_time_out_is_not_accepted",
        PROVIDER,
        "NO_CONNECTION = (aiohttp.ClientConnectorError,",
        "NO_CONNECTION = (aiohttp.ClientConnectorError, TimeoutError,",
        "test_no_answer_at_all_is_unknown",
        "test_a_connection_that_is_accepted_and_never_read_is_unknown",
        "test_an_answer_that_never_ends_its_dripping_is_unknown",
    ),
    defect(
        "no_time_limit",
        PROVIDER,
        "total=self._settings.timeout_s",
        "total=None",
        "test_no_answer_at_all_is_unknown",
        "test_a_connection_that_is_accepted_and_never_read_is_unknown",
        "test_an_answer_that_never_ends_its_dripping_is_unknown",
        "test_a_question_without_an_answer_tells_nothing",
        time_limit_s=0.5,
    ),
    defect(
        "a_time_limit_for_each_piece",
        PROVIDER,
        "total=self._settings.timeout_s",
        "total=None, sock_read=self._settings.timeout_s",
        "test_an_answer_that_never_ends_its_dripping_is_unknown",
        time_limit_s=0.5,
    ),
    defect(
        "garbage_is_not_accepted",
        PROVIDER,
        "NO_CONNECTION = (aiohttp.ClientConnectorError,",
        "NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ClientResponseError,",
        "test_an_answer_that_is_no_http_is_unknown",
        "test_a_failed_request_harms_no_other_message",
    ),
    defect(
        "a_piece_of_an_answer_is_not_accepted",
        PROVIDER,
        "NO_CONNECTION = (aiohttp.ClientConnectorError,",
        "NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ClientPayloadError,",
        "test_an_answer_cut_short_is_unknown",
        "test_an_answer_without_an_end_is_not_read_to_its_end",
    ),
    defect(
        "answers_without_a_bound",
        PROVIDER,
        "await response.read()",
        "b''.join([piece async for piece in response.content.iter_any()])",
        "test_an_answer_without_an_end_is_not_read_to_its_end",
    ),
    defect(
        "status_200_is_enough",
        WIRE,
        '        return [spi.Unknown("unreadable")] * count',
        "        return [spi.Accepted()] * count",
        "test_a_senseless_answer_is_unknown",
    ),
    defect(
        "nested_answers_are_raised",
        WIRE,
        "(ValueError, RecursionError)",
        "ValueError",
        "test_a_senseless_answer_is_unknown",
        "test_a_malformed_callback_is_refused",
    ),
    defect(
        "server_errors_are_not_accepted",
        WIRE,
        LAST,
        "    return [spi.NotAccepted(code=code)] * count\n",
        "test_a_server_error_is_unknown",
    ),
    defect(
        "503_is_not_accepted",
        WIRE,
        "    if status == 429:",
        "    if status in {429, 503}:",
        "test_a_server_error_is_unknown",
    ),
    defect(
        "throttled_is_unknown",
        WIRE,
        "[spi.NotAccepted(pause_s, code)]",
        "[spi.Unknown(code)]",
        "test_a_throttled_message_is_not_accepted",
        "test_retry_after_in_seconds_is_passed_on",
        "test_retry_after_as_a_date_is_passed_on",
        "test_retry_after_in_the_past_asks_for_no_pause",
        "test_an_absurd_retry_after_is_bounded_or_ignored",
    ),
    defect(
        "retry_after_is_not_read",
        WIRE,
        "[spi.NotAccepted(pause_s, code)]",
        "[spi.NotAccepted(None, code)]",
        "test_retry_after_in_seconds_is_passed_on",
        "test_retry_after_as_a_date_is_passed_on",
    ),
    defect(
        "retry_after_is_seconds_only",
        WIRE,
        'spi.retry_after_s(headers.get("Retry-After"), now_us)',
        'spi.retry_after_s(h if (h := headers.get("Retry-After", "")).isdigit() else None, now_us)',
        "test_retry_after_as_a_date_is_passed_on",
    ),
    defect(
        "retry_after_counts_from_the_systems_clock",
        PROVIDER,
        "len(messages), self._context.clock.now_us())",
        "len(messages), __import__('time').time_ns() // 1_000)",
        "test_retry_after_as_a_date_is_passed_on",
    ),
    defect(
        "retry_after_in_the_past",
        WIRE,
        "        return [spi.NotAccepted(pause_s, code)]",
        "        pause_s = -1.0 if pause_s == 0 else pause_s\n        return [spi.NotAccepted(pause_s, code)]",
        "test_retry_after_in_the_past_asks_for_no_pause",
    ),
    defect(
        "retry_after_is_believed",
        WIRE,
        'spi.retry_after_s(headers.get("Retry-After"), now_us)',
        'float(h) if (h := headers.get("Retry-After", "")).isdigit() and h.isascii() else'
        " spi.retry_after_s(h, now_us)",
        "test_an_absurd_retry_after_is_bounded_or_ignored",
    ),
    defect(
        "wrong_credentials_burn_messages",
        WIRE,
        "[spi.NotAccepted(None, code,",
        "[spi.Rejected(spi.Reason.REFUSED_BY_PROVIDER, code,",
        "test_wrong_credentials_burn_no_messages",
    ),
    defect(
        "a_wrong_address_burns_messages",
        WIRE,
        LAST,
        "    return [spi.Rejected(code=code) if status == 404 else spi.Unknown(code)] * count\n",
        "test_a_wrong_address_burns_no_messages",
    ),
    defect(
        "a_lost_answer_is_repeated",
        PROVIDER,
        POST,
        "            try:\n    " + POST + "            except aiohttp.ClientConnectionError:\n    " + POST,
        "test_a_message_is_sent_once_however_it_ends",
        "test_stopping_while_busy_comes_to_an_end",
    ),
    defect(
        "once_broken_always_broken",
        PROVIDER,
        SUBMIT_FAILED,
        SUBMIT_FAILED.replace(
            UNKNOWN,
            "            self._settings = self._settings.model_copy(update={'url': 'http://127.0.0.1:9'})\n"
            + UNKNOWN,
        ),
        "test_the_next_message_goes_out_after_each_failure",
        "test_a_message_is_sent_once_however_it_ends",
    ),
]

ASKING = [
    defect(
        "answers_in_another_order",
        PROVIDER,
        ANSWERED,
        "        return wire.answers(status, body, messages)[::-1]\n",
        "test_a_query_answers_each_message_in_order",
        "test_a_query_never_sends",
    ),
    defect(
        "a_query_leaves_out_what_is_not_known",
        PROVIDER,
        ANSWERED,
        "        found = wire.answers(status, body, messages)\n"
        "        return [each for each in found if not isinstance(each, spi.NotAccepted)]\n",
        "test_a_query_answers_each_message_in_order",
        "test_a_query_never_sends",
    ),
    defect(
        "a_query_of_nothing_is_made",
        PROVIDER,
        "        if not messages:\n            return []\n        keys =",
        "        keys =",
        "test_a_query_of_nothing_answers_nothing",
    ),
    defect(
        "a_query_needs_ids",
        PROVIDER,
        ANSWERED,
        "        found = wire.answers(status, body, messages)\n"
        "        return [a if m.provider_message_ids else spi.Unknown() for m, a in zip(messages, found)]\n",
        *QUERIES,
    ),
    defect(
        "a_query_sends",
        PROVIDER,
        "        keys = ",
        "        await self.submit([each for each in messages if not each.provider_message_ids])\n        keys = ",
        "test_a_query_answers_each_message_in_order",
        "test_a_query_never_sends",
    ),
    defect(
        "a_query_answers_from_memory",
        PROVIDER,
        "        keys = ",
        "        if not self._context.http().connector._conns:  # nothing was sent yet\n            return [spi.Unknown()] * len(messages)\n        keys = ",
        "test_a_restarted_provider_answers_the_same",
    ),
    defect(
        "a_failed_question_says_not_accepted",
        WIRE,
        '        return [spi.Unknown(f"http_{status}")] * len(messages)',
        '        return [spi.NotAccepted(code=f"http_{status}")] * len(messages)',
        "test_a_question_that_failed_tells_nothing",
    ),
    defect(
        "a_refused_question_says_not_accepted",
        PROVIDER,
        QUERY_FAILED,
        "        except NO_CONNECTION:\n            return [spi.NotAccepted()] * len(messages)\n"
        + QUERY_FAILED,
        "test_a_question_to_a_closed_port_tells_nothing",
    ),
    defect(
        "a_silent_question_is_raised",
        PROVIDER,
        QUERY_FAILED,
        QUERY_FAILED.replace("(aiohttp.ClientError, TimeoutError)", "aiohttp.ClientError"),
        "test_a_question_without_an_answer_tells_nothing",
    ),
]

REPORTING = [
    defect(
        "a_status_is_another",
        WIRE,
        '"undelivered": spi.ReceiptStatus.DELIVERY_FAILED}',
        '"undelivered": spi.ReceiptStatus.DELIVERED}',
        "test_a_receipt_says_its_status",
        "test_a_receipt_may_come_twice_and_in_any_order",
    ),
    defect(
        "an_id_is_spelt_otherwise",
        WIRE,
        "    return spi.Receipt(identity,",
        "    return spi.Receipt(identity.upper(),",
        "test_a_receipt_says_its_status",
        "test_every_part_has_its_receipt",
        "test_a_receipt_may_come_before_the_submit_answer",
        "test_a_receipt_may_come_twice_and_in_any_order",
        "test_a_receipt_of_another_instance_is_reported_all_the_same",
        *QUERIES,
    ),
    defect(
        "receipts_of_strangers_are_dropped",
        PROVIDER,
        CALLBACK_JUDGED,
        CALLBACK_JUDGED + "        if not self._context.http().connector._conns:  # nothing was sent yet\n"
        "            return spi.CallbackAnswer()\n",
        "test_a_receipt_may_come_before_the_submit_answer",
        "test_a_receipt_of_another_instance_is_reported_all_the_same",
        "test_a_forged_callback_is_refused",
        "test_a_malformed_callback_is_refused",
        "test_a_callback_cut_short_is_refused",
    ),
    defect(
        "a_second_receipt_is_dropped",
        PROVIDER,
        CALLBACK_JUDGED,
        CALLBACK_JUDGED + "        seen = self.__dict__.setdefault('_seen', set())\n"
        "        if receipt in seen:\n            return spi.CallbackAnswer()\n"
        "        seen.add(receipt)\n",
        "test_a_receipt_may_come_twice_and_in_any_order",
    ),
    defect(
        "an_unknown_status_is_guessed",
        WIRE,
        "STATUSES.get(word, spi.ReceiptStatus.UNKNOWN)",
        "STATUSES.get(word, spi.ReceiptStatus.DELIVERY_FAILED)",
        "test_a_status_that_nobody_documented_is_unknown",
    ),
    defect(
        "an_unknown_status_is_lost",
        WIRE,
        "code=word[:CODE_CHARACTERS_MAX]",
        "code=word if word in STATUSES else ''",
        "test_a_status_that_nobody_documented_is_unknown",
    ),
    defect(
        "a_malformed_callback_is_acknowledged",
        PROVIDER,
        "else spi.CallbackAnswer(status=400)",
        "else spi.CallbackAnswer()",
        "test_a_malformed_callback_is_refused",
        "test_a_callback_cut_short_is_refused",
    ),
    defect(
        "half_a_callback_is_raised",
        PROVIDER,
        CALLBACK_JUDGED,
        "        if request.body.startswith(b'{') and not request.body.endswith(b'}'):\n"
        "            raise ValueError\n" + CALLBACK_JUDGED,
        "test_a_callback_cut_short_is_refused",
        *LOGS,
    ),
    defect(
        "signatures_are_not_looked_at",
        PROVIDER,
        "            return spi.CallbackAnswer(status=401)",
        "            pass",
        "test_a_forged_callback_is_refused",
    ),
    defect(
        "acknowledged_before_it_is_kept",
        PROVIDER,
        "        return spi.CallbackAnswer([receipt]) if receipt else spi.CallbackAnswer(status=400)",
        "        if receipt is None:\n            return spi.CallbackAnswer(status=400)\n"
        "        try:\n            await self._context.report([receipt])\n"
        "        except OSError:\n            self._context.log.warning('acme.lost')\n"
        "        return spi.CallbackAnswer()",
        "test_nothing_is_acknowledged_before_it_is_kept",
        "test_a_forged_callback_is_refused",
    ),
]

HIDING = [
    defect(
        "secrets_are_logged",
        PROVIDER,
        CALL,
        "        import logging\n\n"
        "        logging.getLogger('acme').debug('as %s', self._settings.token.get_secret_value())\n" + CALL,
        "test_logs_hold_no_secrets",
    ),
    defect(
        "the_callback_address_is_logged",
        PROVIDER,
        START,
        START + "        context.log.info('acme.started', callback=context.callback_url)\n",
        "test_logs_hold_no_secrets",
    ),
    defect(
        "texts_are_logged",
        PROVIDER,
        SUBMIT,
        "        self._context.log.info('acme.sending', texts=[each.text for each in messages])\n" + SUBMIT,
        "test_logs_hold_no_texts",
    ),
    defect(
        "addresses_are_printed",
        PROVIDER,
        SUBMIT,
        "        print('sending to', *[each.recipient for each in messages])\n" + SUBMIT,
        "test_logs_hold_no_full_addresses",
    ),
    defect(
        "errors_quote_the_request",
        WIRE,
        LAST,
        "    return [spi.Unknown(code, body.decode(errors='replace')[:1_000])] * count\n",
        "test_outcomes_hold_no_secrets_texts_or_addresses",
    ),
    defect(
        "repr_shows_the_token",
        PROVIDER,
        "    async def start(",
        "    def __repr__(self) -> str:\n"
        "        return f'<Acme {self._settings.token.get_secret_value()}>'\n\n    async def start(",
        "test_repr_holds_no_secrets",
    ),
]

DEFECTS = [*DECLARING, *LIVING, *SUBMITTING, *SAYING, *JUDGING, *ASKING, *REPORTING, *HIDING]
