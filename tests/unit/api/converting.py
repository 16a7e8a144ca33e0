"""What becomes of a SendRequest that breaks a rule."""

import pytest

from broker.api.convert.requests import submission_of
from broker.errors import BrokerError, ErrorReason

NOW_US = 1_790_000_000_000_000
NOW_S = NOW_US // 1_000_000
DAY_S = 86_400


def refused(request):
    """The reason and the fields' rules."""
    with pytest.raises(BrokerError) as refusal:
        submission_of(request, 1, NOW_US)
    return refusal.value.reason, {each.field: each.rule for each in refusal.value.violations}


def broken(request):
    """The fields that broke a rule."""
    reason, rules = refused(request)
    assert ErrorReason.INVALID_REQUEST is reason
    return rules.keys()
