"""What an account has decided about its own messages, besides what each request says."""

from broker.domain.address import PHONE_CHANNELS
from broker.domain.country import COUNTRIES, country_of
from broker.domain.frequency import FrequencyCap, cap_problems
from broker.domain.link_policy import link_problems
from broker.domain.quiet_hours import QuietHours, quiet_problems
from broker.domain.text_profile import restricted_refusal
from broker.domain.value import value
from broker.domain.vocabulary import Channel

COUNTRIES_MAX = 300
_CHANNELS = frozenset(Channel)
LOW_BALANCE_MICROS_MAX = 1_000_000_000_000_000


@value
class AccountPolicy:
    """Every field has a default that changes nothing, so that an account without a policy has this one.

    `default_region` is the ISO 3166 alpha-2 code of the country whose national numbers are taken; "": numbers
    need a country code. `allowed_countries` are the countries that phone numbers may be of; empty: all.
    `channels` come first, in this order, where neither the request nor the contact says which to use.
    `inbound_waits`: what the callback of a message that came in answers is sent back to its writer. The `_answer`s are
    what HELP, STOP and START are answered; "": HELP the broker's own text, the others nothing. With `confirm_opt_ins` the
    others have the broker's own text, too.
    `enforce_credit`: messages are paid for from the account's credit, and refused when it does not suffice.
    `low_balance_micros`: an event tells when what it can spend falls below this; 0: none does.
    `sandbox_only`: its messages go to sandbox providers and to no other. `passcode_ignores_opt_out`: passcodes also
    go to those who opted out of the account's senders, though never to those who opted out for every account.
    `quiet_hours` are when promotional messages do not go; None: never. `frequency_cap` is how many of them a contact
    of the directory gets, where a request asks for it; None: any number, and they are not counted.
    `senders_registered_only`: a message may name none but the senders that the account has registered.
    `link_domains` are the hosts that its short links may have, the first by default; `track_links` whether links
    are shortened where a request does not say. `web_parameters` ("utm_source=sms") are added to where the short
    links of test and campaign messages lead.
    """

    default_region: str = ""
    allowed_countries: tuple[str, ...] = ()
    inbound_waits: bool = False
    help_answer: str = ""
    stop_answer: str = ""
    start_answer: str = ""
    confirm_opt_ins: bool = False
    enforce_credit: bool = False
    low_balance_micros: int = 0
    sandbox_only: bool = False
    channels: tuple[Channel, ...] = ()
    passcode_ignores_opt_out: bool = False
    quiet_hours: QuietHours | None = None
    senders_registered_only: bool = False
    link_domains: tuple[str, ...] = ()
    track_links: bool = False
    web_parameters: tuple[str, ...] = ()
    frequency_cap: FrequencyCap | None = None

    def allows(self, address: str, channel: Channel) -> bool:
        """Whether a normal address may be written to, by its country."""
        return (
            not self.allowed_countries
            or channel not in PHONE_CHANNELS
            or country_of(address) in self.allowed_countries
        )


NO_POLICY = AccountPolicy()


def policy_problems(policy: AccountPolicy) -> list[tuple[str, str]]:
    """The rules that a policy breaks, each with its field; none when it may be used."""
    problems = []
    if policy.default_region and policy.default_region not in COUNTRIES:
        problems.append((
            "default_region",
            f"must be an ISO 3166 alpha-2 code; got {policy.default_region!r}",
        ))
    if len(policy.allowed_countries) > COUNTRIES_MAX:
        problems.append(("allowed_countries", f"has at most {COUNTRIES_MAX} countries"))
    if not 0 <= policy.low_balance_micros <= LOW_BALANCE_MICROS_MAX:
        problems.append(("low_balance_micros", f"must be from 0 to {LOW_BALANCE_MICROS_MAX:,}"))
    problems += [
        (name, problem)
        for name in ("help_answer", "stop_answer", "start_answer")
        if getattr(policy, name) and (problem := restricted_refusal({"text": getattr(policy, name)}))
    ]
    problems += [
        (f"allowed_countries[{index}]", f"must be an ISO 3166 alpha-2 code; got {country!r}")
        for index, country in enumerate(policy.allowed_countries)
        if country not in COUNTRIES
    ]
    if policy.quiet_hours is not None:
        problems += [(f"quiet_hours.{field}", rule) for field, rule in quiet_problems(policy.quiet_hours)]
    if policy.frequency_cap is not None:
        problems += [(f"frequency_cap.{field}", rule) for field, rule in cap_problems(policy.frequency_cap)]
    if len(set(policy.channels)) < len(policy.channels):
        problems.append(("channels", "must name each channel once"))
    problems += [
        (f"channels[{index}]", f"must be a known channel; got {int(channel)}")
        for index, channel in enumerate(policy.channels)
        if channel not in _CHANNELS
    ]
    problems += link_problems(policy.link_domains, policy.web_parameters, track_links=policy.track_links)
    return problems
