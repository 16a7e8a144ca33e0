"""The plugin of docs/providers.md with one small defect each, and the cases of the suite that must find it.

A defect replaces one passage of one file. `fails` names every case that fails then, and no other may.
"""

from defects.judging import JUDGING
from defects.living import DECLARING, LIVING
from defects.passages import Defect, defect
from defects.submitting import SAYING, SUBMITTING
from defects.telling import ASKING, HIDING, REPORTING

__all__ = ["DEFECTS", "Defect", "defect"]

DEFECTS = [*DECLARING, *LIVING, *SUBMITTING, *SAYING, *JUDGING, *ASKING, *REPORTING, *HIDING]
