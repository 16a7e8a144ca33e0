"""What is asked of Groupcall: the documents of its three operations, in both forms, and what is refused before."""

import pytest

from broker.spi import Channel, NotAccepted, Reason, Rejected
from waypost_groupcall.documents import callback_address, refusal, requests, split
from waypost_groupcall.fake.messenger import CUSTOMER_ID, PARTNER_KEY, PASSWORD, USER_NAME
from waypost_groupcall.words import Endpoint

CALLBACK = "https://waypost.example/callbacks/groupcall/secret"
ATTACHMENT = {"file_name": "a.txt", "content_type": "text/plain", "data": "YQ=="}


def one(message, settings, callback_url=""):
    """The one request for a message: where it goes, and its document."""
    (request,) = requests({0: message}, settings, callback_url)
    return request.endpoint, request.document


def entry(message, settings):
    """The one element of messageData for a message."""
    (found,) = one(message, settings)[1]["messageData"]
    return found


class TestSms:
    """Send SMS."""

    @pytest.mark.covers(
        *(
            "auth.UserName",
            "auth.CustomerId",
            "auth.Password",
            "sms.UserName",
            "sms.CustomerId",
            "sms.Password",
        ),
        *("sms.SMSMessage", "sms.SMSSender", "sms.recipients", "sendTo.0", "numbers.international"),
    )
    def test_a_customers_sms_has_its_fields_at_the_root(self, message, customer):
        """As the document prints them; the recipient is the one that the broker found."""
        expected = {
            "UserName": USER_NAME,
            "CustomerId": CUSTOMER_ID,
            "Password": PASSWORD,
            "SMSMessage": "Hello",
            "SMSSender": "School",
            "Recipients": [{"MobileNumber": "+447700900123", "SendTo": 0}],
            "ClientRef": "01KAB3XQ00001",
        }
        assert (Endpoint.SMS, expected) == one(message(sender="School"), customer())

    @pytest.mark.covers("sms.CallbackUrl", "callback.all")
    def test_the_callback_address_goes_along(self, message, customer):
        """Without parameters, so that all come back."""
        _, document = one(message(), customer(callback_parameters="all"), CALLBACK)
        assert CALLBACK == document["CallbackUrl"]

    @pytest.mark.covers("sms.SMSSender", "numbers.tollFree")
    @pytest.mark.parametrize(
        ("sender", "recipient", "default", "expected"),
        [
            ("", "+447700900123", "Waypost", "Waypost"),
            ("School", "+447700900123", "Waypost", "School"),
            ("", "+12025550123", "", None),
            ("+18005550100", "+12025550123", "Waypost", None),
        ],
    )
    def test_who_it_is_from(self, message, customer, sender, recipient, default, expected):
        """The message's own sender, the instance's, or the account's number where that reaches."""
        settings = customer(sms_sender=default, own_numbers=["+18005550100"])
        plain = message(sender=sender, recipient=recipient)
        assert refusal(plain, settings) is None
        assert expected == one(plain, settings)[1].get("SMSSender")

    @pytest.mark.covers("sms.SMSSender", "numbers.tollFree")
    @pytest.mark.parametrize(
        ("sender", "code"),
        [
            ("ab", "sms_sender"),
            ("twelveLetter", "sms_sender"),
            ("+447700900999", "sms_sender"),
            ("+18005550100", "sms_sender_required"),
            ("", "sms_sender_required"),
        ],
    )
    def test_a_sender_that_cannot_send_there_is_refused(self, message, customer, sender, code):
        """3 to 11 letters and digits, and one of them is required outside region 1."""
        settings = customer(sms_sender="", own_numbers=["+18005550100"])
        found = refusal(message(sender=sender), settings)
        assert isinstance(found, Rejected)
        assert (Reason.INVALID_SENDER, code) == (found.reason, found.code)

    @pytest.mark.covers("units.max")
    def test_eleven_units_are_refused(self, message, customer):
        """Ten are taken; the limit is a setting."""
        assert refusal(message(units=10), customer()) is None
        found = refusal(message(units=11), customer())
        assert Rejected(Reason.CONTENT_UNSUPPORTED, "too_many_units", found.text) == found
        assert "11" in found.text
        assert refusal(message(units=11), customer(units_max=11)) is None

    @pytest.mark.covers("tokens")
    def test_what_looks_like_a_token_stands_for_itself(self, message, customer):
        """The broker has filled in its own; a dollar may end one and begin another."""
        text = "Pay $5, $Name$ or $a$b$ $not this$"
        _, document = one(message(content={"text": text}), customer())
        expected = {"Name": "$Name$", "a": "$a$", "b": "$b$"}
        assert (text, expected) == (document["SMSMessage"], document["DynamicTokens"])

    def test_a_text_without_tokens_brings_none(self, message, customer):
        """The field is optional."""
        assert "DynamicTokens" not in one(message(), customer())[1]

    def test_numbers_can_do_without_their_plus(self, message, customer):
        """A setting, since the document prints no recipient."""
        _, document = one(message(), customer(mobile_numbers="digits"))
        assert [{"MobileNumber": "447700900123", "SendTo": 0}] == document["Recipients"]

    def test_names_are_settings(self, message, customer):
        """Those that the document does not print."""
        settings = customer(names={"recipients": "to", "mobile_number": "msisdn", "send_to": "route"})
        assert [{"msisdn": "+447700900123", "route": 0}] == one(message(), settings)[1]["to"]


class TestEmail:
    """Send Email."""

    @pytest.mark.covers(
        *("email.messages", "email.clientRef", "email.customerId", "email.emailBody"),
        *("email.emailReplyToAddress", "email.emailSentFromAddress", "email.emailSentFromName"),
        *("email.emailSubject", "email.password", "email.recipients", "email.attachments"),
        *("email.styleClass", "email.userName", "email.callbackUrl"),
    )
    def test_every_field_of_an_email(self, message, customer):
        """An element of an array, as the document prints it."""
        content = {
            "subject": "News",
            "html": "<p>Hello</p>",
            "from_address": "school@example.org",
            "from_name": "The school",
            "reply_to": "office@example.org",
            "style_class": "Special",
            "attachments": [ATTACHMENT],
        }
        expected = {
            "userName": USER_NAME,
            "customerId": CUSTOMER_ID,
            "password": PASSWORD,
            "emailSubject": "News",
            "emailBody": "<p>Hello</p>",
            "emailSentFromAddress": "school@example.org",
            "emailSentFromName": "The school",
            "emailReplyToAddress": "office@example.org",
            "Attachments": [{"FileName": "a.txt", "FileData": "YQ=="}],
            "Recipients": [{"EmailAddress": "ada@example.org", "SendTo": 0}],
            "clientRef": "01KAB3XQ00001",
            "callbackUrl": CALLBACK,
            "styleClass": "Special",
        }
        plain = message(channel=Channel.EMAIL, content=content)
        settings = customer(callback_parameters="all")
        assert (Endpoint.EMAIL, {"messageData": [expected]}) == one(plain, settings, CALLBACK)

    @pytest.mark.covers("email.styleClass")
    def test_a_style_class_is_required(self, message, customer):
        """Of the message, or else of the settings; the refusal names both."""
        plain = message(channel=Channel.EMAIL)
        assert "Plain" == entry(plain, customer())["styleClass"]
        found = refusal(plain, customer(style_class=""))
        assert isinstance(found, Rejected)
        assert (Reason.CONTENT_UNSUPPORTED, "style_class_required") == (found.reason, found.code)
        assert "email.style_class" in found.text
        assert (
            refusal(message(channel=Channel.EMAIL, content={"style_class": "x"}), customer(style_class=""))
            is None
        )

    @pytest.mark.covers("email.emailSentFromAddress")
    def test_the_sender_is_who_it_is_from(self, message, customer):
        """Where the content says nobody else."""
        plain = message(channel=Channel.EMAIL, sender="office@example.org")
        assert "office@example.org" == entry(plain, customer())["emailSentFromAddress"]

    @pytest.mark.covers("email.attachments")
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"inline": True}, "inline_attachment"),
            ({"data": "", "url": "https://example.org/a"}, "attachment_url"),
        ],
    )
    def test_an_attachment_that_cannot_be_carried_is_refused(self, message, customer, change, code):
        """By the name of the field."""
        plain = message(channel=Channel.EMAIL, content={"attachments": [ATTACHMENT | change]})
        found = refusal(plain, customer())
        assert isinstance(found, Rejected)
        assert (Reason.CONTENT_UNSUPPORTED, code) == (found.reason, found.code)
        assert found.text.startswith("email.attachments.")

    def test_a_plain_text_can_be_made_html(self, message, customer):
        """A setting, since the document does not say what a body is."""
        plain = message(channel=Channel.EMAIL, content={"text": "a < b\r\nc"})
        assert "a < b\r\nc" == entry(plain, customer())["emailBody"]
        assert "a &lt; b<br>\nc" == entry(plain, customer(text_emails="html"))["emailBody"]

    @pytest.mark.covers("email.tokens")
    def test_tokens_of_subject_and_body_stand_for_themselves(self, message, customer):
        """Whichever field they are in."""
        content = {"subject": "$One$", "text": "$Two$"}
        found = entry(message(channel=Channel.EMAIL, content=content), customer())
        assert {"One": "$One$", "Two": "$Two$"} == found["DynamicTokens"]


class TestMulti:
    """Send Multi Content."""

    @pytest.mark.covers(
        *(
            "multi.sendXpression",
            "multi.XpressionsBody",
            "multi.emailBody",
            "multi.recipients",
            "recipient.IdaasId",
        ),
        *("multi.messages", "multi.customerId", "multi.password", "multi.userName", "multi.clientRef"),
        *("multi.styleClass", "multi.callbackUrl"),
    )
    def test_in_app_content_is_an_xpression(self, message, customer):
        """To a person, by the id that Groupcall knows."""
        expected = {
            "userName": USER_NAME,
            "customerId": CUSTOMER_ID,
            "password": PASSWORD,
            "emailBody": "Hello",
            "sendXpression": True,
            "XpressionsBody": "Hello",
            "Recipients": [{"IdaasId": "PL-12345", "SendTo": 0}],
            "clientRef": "01KAB3XQ00001",
            "styleClass": "Plain",
            "callbackUrl": CALLBACK,
        }
        found = one(message(channel=Channel.IN_APP), customer(callback_parameters="all"), CALLBACK)
        assert (Endpoint.MULTI, {"messageData": [expected]}) == found

    @pytest.mark.covers("multi.NotificationMessage")
    def test_push_content_is_a_notification(self, message, customer):
        """And no Xpression."""
        found = entry(message(channel=Channel.PUSH), customer())
        assert "Hello" == found["NotificationMessage"]
        assert "sendXpression" not in found

    @pytest.mark.covers("recipient.PL", "recipient.PC", "recipient.PWT", "recipient.IdaasId")
    @pytest.mark.parametrize("person", ["PL-1", "PC-1", "PWT-1", "of another system"])
    def test_a_person_is_told_by_its_id(self, message, customer, person):
        """Whatever its prefix: who is meant is Groupcall's to know."""
        found = entry(message(channel=Channel.IN_APP, recipient=person), customer())
        assert [{"IdaasId": person, "SendTo": 0}] == found["Recipients"]

    @pytest.mark.parametrize(
        ("address", "name"), [("ada@example.org", "EmailAddress"), ("+447700900123", "MobileNumber")]
    )
    def test_an_xpression_reaches_people_by_any_address(self, message, customer, address, name):
        """In-app messages may go to whoever has no id."""
        found = entry(message(channel=Channel.IN_APP, recipient=address), customer())
        assert [{name: address, "SendTo": 0}] == found["Recipients"]

    @pytest.mark.covers("multi.smsMessage", "multi.emailBody")
    @pytest.mark.parametrize(("wish", "expected"), [("text", "Hello"), ("empty", ""), ("omit", None)])
    def test_an_sms_may_go_by_it_too(self, message, customer, wish, expected):
        """Groupcall's own routing picks then, so emailBody, which is required, says the same."""
        settings = customer(multi_content=True, multi_email_body=wish)
        found = entry(message(), settings)
        assert ("Hello", expected, "Waypost") == (
            found["smsMessage"],
            found.get("emailBody"),
            found["SMSSender"],
        )

    @pytest.mark.covers(
        *(
            "multi.emailSubject",
            "multi.emailSentFromAddress",
            "multi.emailSentFromName",
            "multi.emailReplyToAddress",
        ),
        *("multi.attachments", "multi.tokens"),
    )
    def test_an_email_may_go_by_it_too(self, message, customer):
        """With all of its fields."""
        content = {
            "text": "$a$",
            "from_address": "school@example.org",
            "from_name": "The school",
            "reply_to": "office@example.org",
            "attachments": [ATTACHMENT],
        }
        plain = message(channel=Channel.EMAIL, content=content)
        by_email, by_multi = entry(plain, customer()), entry(plain, customer(multi_content=True))
        assert by_email == by_multi
        assert Endpoint.MULTI is one(plain, customer(multi_content=True))[0]


class TestPartner:
    """The partner form."""

    @pytest.mark.covers("auth.PartnerKey", "multi.PartnerKey", "multi.messageData", "multi.rootStyleClass")
    def test_key_and_style_class_are_at_the_root(self, message, partner):
        """And the messages in messageData, each for its customer; no password where the partner has none."""
        endpoint, document = one(message(), partner())
        assert Endpoint.MULTI is endpoint
        (found,) = document.pop("messageData")
        assert {"PartnerKey": PARTNER_KEY, "styleClass": "Plain"} == document
        assert CUSTOMER_ID == found["customerId"]
        assert not {"password", "userName", "styleClass"} & found.keys()

    @pytest.mark.covers("auth.PartnerKey", "sms.CustomerId", "send.messageData")
    def test_it_can_use_the_other_operations_as_well(self, message, partner):
        """A setting; the key is at the root there too."""
        endpoint, document = one(message(), partner(multi_content=False))
        assert Endpoint.SMS is endpoint
        assert PARTNER_KEY == document["PartnerKey"]
        assert ["Hello"] == [each["SMSMessage"] for each in document["messageData"]]

    @pytest.mark.covers("auth.onBehalf")
    def test_an_account_sends_for_its_own_customer(self, message, partner):
        """Who is charged; an account without a customer is nobody's, and its message is kept back."""
        settings = partner(customer_id="", customers={"ACC1": {"customer_id": "7", "password": "key-7"}})
        found = entry(message(account_id="ACC1"), settings)
        assert ("7", "key-7") == (found["customerId"], found["password"])
        refused = refusal(message(account_id="ACC2"), settings)
        assert isinstance(refused, NotAccepted)
        assert "no_customer" == refused.code

    @pytest.mark.covers("principles.batching")
    def test_messages_go_together_where_their_root_is_the_same(self, message, partner):
        """One request for each style class, each message an element of its own."""
        batch = {
            0: message(1),
            1: message(2, channel=Channel.EMAIL, content={"style_class": "Other"}),
            2: message(3),
        }
        found = requests(batch, partner(batch_max=10), "")
        assert [(0, 2), (1,)] == [each.places for each in found]
        assert [2, 1] == [len(each.document["messageData"]) for each in found]

    def test_a_request_can_be_split(self, message, partner):
        """Each message under the same root."""
        (request,) = requests({0: message(1), 5: message(2)}, partner(batch_max=10), "")
        halves = split(request, partner(batch_max=10))
        assert [(0,), (5,)] == [each.places for each in halves]
        assert request.document["messageData"] == [each.document["messageData"][0] for each in halves]
        assert {PARTNER_KEY} == {each.document["PartnerKey"] for each in halves}


class TestCallbackAddress:
    """Where Groupcall calls."""

    @pytest.mark.covers("callback.placeholders")
    def test_it_names_what_it_wants(self, customer):
        """The documented parameters, for Groupcall to fill in."""
        expected = (
            f"{CALLBACK}?sentid={{sentid}}&clientref={{clientref}}&recipient={{recipient}}"
            "&status={status}&err={err}&units={units}"
        )
        assert expected == callback_address(CALLBACK, customer())

    @pytest.mark.covers("callback.id", "callback.estab")
    def test_parameters_of_ones_own_are_kept(self, customer):
        """As the callback testing site wants two more."""
        found = callback_address(CALLBACK, customer(callback_extra={"id": "a b", "estab": "1362"}))
        assert found.startswith(f"{CALLBACK}?id=a%20b&estab=1362&sentid={{sentid}}&")

    def test_there_is_none_without_receipts(self, customer):
        """Nor where the broker serves no HTTP."""
        assert "" == callback_address(CALLBACK, customer(receipts="none"))
        assert "" == callback_address("", customer())
