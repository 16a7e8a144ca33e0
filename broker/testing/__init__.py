"""The public test kit: suites that every engine and every provider must pass, and what tests start from.

The broker itself imports nothing of this.
"""

import pytest

# Before they are imported, so that a failed assert of a suite shows its values wherever it runs.
pytest.register_assert_rewrite("broker.testing.provider_suite", "broker.testing.store_suite")
