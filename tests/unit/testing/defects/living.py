"""Defects of the plugin of docs/providers.md: how it declares itself, starts and stops."""

from defects.passages import CALL, LOGS, POST, PROVIDER, QUERIES, START, STOPPING, SUBMIT_FAILED, TYPE, defect

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
        time_limit_s=20.0,  # every other case is slow now too
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
