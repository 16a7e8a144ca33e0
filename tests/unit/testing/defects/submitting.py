"""Defects of the plugin of docs/providers.md: how it submits, and what it makes of contents."""

from defects.passages import LAST, POST, PROVIDER, SUBMIT, SUBMIT_FAILED, WIRE, defect

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
