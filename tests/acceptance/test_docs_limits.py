"""The limits of the pages of docs/ are those that are enforced."""

import re

import pytest

from broker.api import (
    send_stream,
)
from broker.api.convert import (
    content,
    directory,
    filters,
    findings,
    listing,
    paging,
    requests,
    senders,
    webhooks,
)
from broker.api.convert import templates as template_rules
from broker.domain import directory as directory_rules
from broker.domain import reaching, saying, sender, style, template, tokens
from broker.domain.routes import ROUTES_MAX
from broker.settings import ContentSettings, DirectorySettings, IntakeSettings
from broker.storage.webhooks import WEBHOOKS_MAX
from tests.acceptance.pages import API, CONTENT, DIRECTORY, SENDERS, TEMPLATES, rows, section

LIMITS = {
    "recipients of a request": requests.RECIPIENTS_MAX,
    "requests in a frame of SendStream": send_stream.REQUESTS_MAX,
    "units of a text (`intake.units_max`)": IntakeSettings().units_max,
    "text of an SMS, MMS or in-app message": content.TEXT_CHARACTERS_MAX,
    "subject of an SMS": saying.SMS_SUBJECT_CHARACTERS_MAX,
    "subject of an MMS": content.MMS_SUBJECT_CHARACTERS_MAX,
    "media of an MMS": content.MEDIA_MAX,
    "subject of an email": content.EMAIL_SUBJECT_CHARACTERS_MAX,
    "attachments of an email": content.ATTACHMENTS_MAX,
    "title of a push message": content.PUSH_TITLE_CHARACTERS_MAX,
    "body of a push message": content.PUSH_BODY_CHARACTERS_MAX,
    "data of a push message": content.PUSH_DATA_BYTES_MAX,
    "URL, also `callback_url`": findings.URL_CHARACTERS_MAX,
    "webhooks of an account": WEBHOOKS_MAX,
    "description of a webhook": webhooks.DESCRIPTION_CHARACTERS_MAX,
    "`request_id`": requests.REQUEST_ID_CHARACTERS_MAX,
    "`client_reference`": requests.CLIENT_REFERENCE_CHARACTERS_MAX,
    "`data`": requests.DATA_CHARACTERS_MAX,
    "`campaign.id`": requests.CAMPAIGN_ID_CHARACTERS_MAX,
    "`campaign.name`": requests.CAMPAIGN_NAME_CHARACTERS_MAX,
    "`tags`": requests.TAGS_MAX,
    "a tag": requests.TAG_CHARACTERS_MAX,
    "`origin`": requests.ORIGIN_CHARACTERS_MAX,
    "`schedule_time`": requests.SCHEDULE_AHEAD_DAYS_MAX,
    "`validity`": requests.VALIDITY_S_MAX,
    "values in an event filter": filters.FILTER_VALUES_MAX,
    "values in a message filter": listing.VALUES_MAX,
    "`heartbeat_interval`": filters.HEARTBEAT_S_MAX,
    "`page_size`": paging.PAGE_SIZE_MAX,
    "routes of a table": ROUTES_MAX,
    "bytes of a request (`intake.message_bytes_max`)": IntakeSettings().message_bytes_max,
}

DIRECTORY_LIMITS = {
    "contacts of an account (`directory.contacts_max`)": DirectorySettings().contacts_max,
    "groups of an account (`directory.groups_max`)": DirectorySettings().groups_max,
    "groups of a contact": directory_rules.GROUPS_OF_CONTACT_MAX,
    "contacts in one `AddGroupMembers` or `RemoveGroupMembers`": directory_rules.MEMBERS_OF_CALL_MAX,
    "`external_ids`": directory.EXTERNAL_IDS_MAX,
    "an external id": directory.EXTERNAL_ID_CHARACTERS_MAX,
    "`title`, `first_name`, `last_name`, `organisation`, name of a group": directory.NAME_CHARACTERS_MAX,
    "addresses of a kind": directory.ADDRESSES_MAX,
    "a device token": directory.DEVICE_TOKEN_CHARACTERS_MAX,
    "`locale`": directory.LOCALE_CHARACTERS_MAX,
    "`time_zone`": directory.TIME_ZONE_CHARACTERS_MAX,
    "`properties`": directory.PROPERTIES_MAX,
    "name of a property": directory.PROPERTY_NAME_CHARACTERS_MAX,
    "value of a property": directory.PROPERTY_VALUE_CHARACTERS_MAX,
    "`delegates`": directory_rules.DELEGATES_MAX,
    "contacts with the same delegate": directory_rules.DELEGATORS_MAX,
    "people whom a request reaches": reaching.PEOPLE_OF_CALL_MAX,
    "people whom the requests of a frame reach together": reaching.PEOPLE_OF_FRAME_MAX,
    "`relation` of a delegate": directory.RELATION_CHARACTERS_MAX,
    "description of a group": directory.DESCRIPTION_CHARACTERS_MAX,
}


TEMPLATE_LIMITS = {
    "templates of an account (`content.templates_max`)": ContentSettings().templates_max,
    "versions of a template": template.VERSIONS_MAX,
    "locales of a version": template_rules.LOCALES_MAX,
    "parameters of a version": template_rules.TOKENS_MAX,
    "choices of a parameter": template_rules.CHOICES_MAX,
    "style classes": style.STYLE_CLASSES_MAX,
    "characters of a style class": style.WRAPPER_CHARACTERS_MAX,
}

SENDER_LIMITS = {
    "senders of an account": sender.SENDERS_MAX,
    "senders of a pool": sender.POOL_SENDERS_MAX,
    "value of a sender": sender.VALUE_CHARACTERS_MAX,
    "name of a pool": sender.POOL_CHARACTERS_MAX,
    "`providers` of a sender": sender.PROVIDERS_MAX,
    "tags of a sender": sender.TAGS_MAX,
    "a tag of a sender": sender.TAG_CHARACTERS_MAX,
    "values in a filter of `ListSenders`": senders.VALUES_MAX,
}

CONTENT_LIMITS = {
    "values in `tokens` of a request, and of a recipient": tokens.TOKENS_MAX,
    "name of a token": tokens.NAME_CHARACTERS_MAX,
    "value of a token": tokens.VALUE_CHARACTERS_MAX,
    "a short text with a `$`, as written": content.WRITTEN_CHARACTERS_MAX,
    "text or HTML of an email with placeholders, as written and as filled in": (
        saying.FILLED_BODY_CHARACTERS_MAX
    ),
    "bytes of an email's attachments, together": content.ATTACHMENT_BYTES_MAX,
}


@pytest.mark.parametrize(
    ("page", "limits"),
    [
        (API, LIMITS),
        (DIRECTORY, DIRECTORY_LIMITS),
        (CONTENT, CONTENT_LIMITS),
        (TEMPLATES, TEMPLATE_LIMITS),
        (SENDERS, SENDER_LIMITS),
    ],
)
def test_the_limits_are_those_that_are_enforced(page: str, limits: dict[str, int]) -> None:
    """The last number of each row is the constant that the check uses."""
    listed = {
        row[0]: int(re.findall(r"[\d,]+", row[1])[-1].replace(",", ""))
        for row in rows(section(page, "Limits"))
    }
    assert listed == limits
