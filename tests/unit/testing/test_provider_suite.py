"""The provider suite finds what it claims to find: each case is made to fail by a plugin with one small defect.

The plugin is that of docs/providers.md; `defects` says what is wrong with each copy, and which cases must
say so. Cases of receipts that are pushed and of inbound messages, which that plugin has none of, are in
test_pushing_provider, those of opt-ins in test_keeping_provider, those of keywords in test_renting_provider.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from defects import DEFECTS, Defect

from broker.testing.provider_suite import ProviderSuite
from broker.testing.provider_suite.accounting import AccountingCases
from broker.testing.provider_suite.broadcasting import BroadcastingCases

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "providers.md"
CASES = {name for name in dir(ProviderSuite) if name.startswith("test_")}
PROVED_ELSEWHERE = {
    "test_a_free_keyword_is_rented_once",
    "test_a_rented_keyword_is_set_up",
    "test_a_renting_at_a_closed_port_was_none",
    "test_a_renting_that_nobody_answers_is_unknown",
    "test_a_renting_without_an_answer_is_unknown",
    "test_a_wrong_field_of_a_set_up_is_named",
    "test_kept_addresses_are_addresses",
    "test_other_questions_about_keywords_that_failed_say_nothing",
    "test_a_closed_port_has_not_answered",
    "test_a_wish_is_told",
    "test_an_upstream_that_failed_has_not_answered",
    "test_no_wishes_are_told_to_nobody",
    "test_silence_is_no_answer",
    "test_what_is_kept_is_answered_for_each",
    "test_a_message_that_somebody_wrote_is_told",
    "test_an_answer_names_the_message_that_it_answers",
    "test_an_answer_outlives_the_callback_that_waited_for_it",
    "test_a_report_that_was_not_taken_is_repeated",
    "test_the_end_of_a_message_is_reported",
    *(name for name in vars(BroadcastingCases) if name.startswith("test_")),
    *(name for name in vars(AccountingCases) if name.startswith("test_")),
}
PASSED_MIN = 140


def verdicts_of(directory: Path, *options: str) -> dict[str, Any]:
    """What failed and how much passed, by defect."""
    command = [sys.executable, str(HERE / "verdicts.py"), str(PAGE), str(directory), *options]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    return json.loads((directory / "verdicts.json").read_text())


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run over all copies."""
    return verdicts_of(tmp_path_factory.mktemp("defects"))


def test_the_plugin_of_the_page_passes_every_case(verdicts: dict[str, Any]) -> None:
    """Without any plugin of pytest."""
    assert [] == verdicts["whole"]["failed"]
    assert verdicts["whole"]["passed"] >= PASSED_MIN


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda each: each.name)
def test_a_defect_is_found_by_the_cases_that_are_about_it(defect: Defect, verdicts: dict[str, Any]) -> None:
    """By all of those, and none of the others that ran."""
    assert sorted(defect.fails) == sorted({*verdicts[defect.name]["failed"]} - defect.may_fail)


def test_every_case_can_fail() -> None:
    """There is a defect for each."""
    assert set() == CASES - PROVED_ELSEWHERE - {name for each in DEFECTS for name in each.fails}


def test_every_case_says_what_it_claims() -> None:
    """An author reads it beside a failure."""
    assert [] == [name for name in CASES if not getattr(ProviderSuite, name).__doc__]


@pytest.mark.soak
@pytest.mark.timeout(1_200)
def test_a_defect_is_found_by_no_other_case_at_all(tmp_path: Path) -> None:
    """All cases on all copies."""
    told = verdicts_of(tmp_path, "--thorough")
    assert {each.name: sorted(each.fails) for each in DEFECTS} == {
        each.name: sorted({*told[each.name]["failed"]} - each.may_fail) for each in DEFECTS
    }
