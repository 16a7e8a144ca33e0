"""Defects of the plugin of docs/providers.md: how it queries and reports, and what it hides."""

from defects.passages import (
    ANSWERED,
    CALL,
    CALLBACK_JUDGED,
    LAST,
    LOGS,
    PROVIDER,
    QUERIES,
    QUERY_FAILED,
    START,
    SUBMIT,
    WIRE,
    defect,
)

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
