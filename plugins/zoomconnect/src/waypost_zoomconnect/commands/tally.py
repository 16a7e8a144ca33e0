"""What a command did, counted by kind, and which records it could not bring over."""

import json
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts by kind and deed, refusals as (kind, id, why), and remarks that concern many records alike."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)

    def count(self, kind: str, deed: str, number: int = 1) -> None:
        """Something was done to a record."""
        self.counts.setdefault(kind, Counter())[deed] += number

    def refuse(self, kind: str, record_id: str, why: str) -> None:
        """A record could not be brought over."""
        self.count(kind, "refused")
        self.refused.append((kind, record_id, why))

    def remark(self, about: str, number: int = 1) -> None:
        """Something that was left out of so many records."""
        self.remarks[about] += number

    def lines(self) -> list[str]:
        """For people: refusals, then remarks, then the counts of each kind."""
        refusals = [f"{kind} {record_id}: {why}" for kind, record_id, why in self.refused]
        remarks = [f"{number:,} {about}" for about, number in sorted(self.remarks.items())]
        return [*refusals, *remarks, *(self._line(kind) for kind in self.counts)]

    def _line(self, kind: str) -> str:
        deeds = ", ".join(f"{number:,} {deed}" for deed, number in self.counts[kind].items() if number)
        return f"{kind}: {deeds or 'none'}"

    def json(self) -> str:
        """The same for programs, on one line."""
        refused = [{"kind": kind, "id": found, "error": why} for kind, found, why in self.refused]
        return json.dumps({"counts": self.counts, "remarks": self.remarks, "refused": refused})
