"""The public test kit: suites that every engine must pass, and the values that tests start from.

The broker itself imports nothing of this.
"""

import pytest

# Before they are imported, so that a failed assert of a suite shows its values wherever it runs.
pytest.register_assert_rewrite("broker.testing.store_suite")
