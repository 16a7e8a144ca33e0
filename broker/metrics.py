"""What an operator's dashboards and alarms read: Prometheus metrics of every queue, latency and outcome.

Labels hold names from the settings and from the protos, never an address, an id or a text.
"""

from collections.abc import Callable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000)

CONTENT_TYPE = CONTENT_TYPE_LATEST

# A series beside each counter that says when it was made doubles what is scraped and tells nobody anything.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """One set for a process; `render` is what `/metrics` answers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter, histogram, gauge = self._counter, self._histogram, self._gauge
        self.calls = counter("rpc_calls", "Calls answered, by method and gRPC code", "method", "code")
        self.call_seconds = histogram("rpc_seconds", "Time to answer a unary call", SECONDS, "method")
        self.facts = counter("message_facts", "What happened to messages, as in MessageFact", "fact")
        self.commits = counter("store_commits", "Committed transactions")
        self.commit_seconds = histogram(
            "store_commit_seconds", "Time of a transaction with its fsync", SECONDS
        )
        self.commit_calls = histogram("store_commit_calls", "Writes that shared a transaction", SIZES)
        self.outcomes = counter("attempt_outcomes", "Outcomes of attempts", "provider", "outcome")
        self.submit_seconds = histogram("submit_seconds", "Time of a provider's submit", SECONDS, "provider")
        self.submit_messages = histogram("submit_messages", "Messages in a submit", SIZES, "provider")
        self.receipts = counter(
            "receipts", "Receipts by whether they matched a message", "provider", "matched"
        )
        self.parked_receipts = gauge("parked_receipts", "Receipts that match nothing yet")
        self.parked_receipts_dropped = counter(
            "parked_receipts_dropped", "The oldest parked receipts, past store.parked_receipts_max"
        )
        self.callbacks = counter(
            "callbacks",
            "Callbacks by instance and HTTP status; no instance: a wrong address",
            "provider",
            "code",
        )
        self.link_requests = counter("link_requests", "Requests for short links by HTTP status", "code")
        self.questions = counter("questions", "Messages that a provider was asked about", "provider")
        self.inbound = counter(
            "inbound", "Messages that came in, and those reported again", "provider", "outcome"
        )
        self.auto_replies = counter(
            "auto_replies", "Answers that the broker gave by itself, by who made them", "by", "outcome"
        )
        self.webhook_calls = counter("webhook_calls", "Calls of callers' URLs, by how they went", "outcome")
        self.webhook_call_seconds = histogram("webhook_call_seconds", "Time of such a call", SECONDS)
        self.webhook_given_up = counter("webhook_events_given_up", "Events that no URL took in time", "why")
        self.webhook_waiting = gauge("webhook_events_waiting", "Events that a URL did not take yet")
        self.webhook_endpoints = gauge("webhook_endpoints_waiting", "Endpoints that events wait for")
        self.webhook_oldest = gauge("webhook_oldest_seconds", "How long the oldest of them has waited")
        self.due = gauge("due_messages", "Messages that have not ended, by what is due for them", "work")
        self.dispatch_lag = gauge("dispatch_lag_seconds", "How long the most overdue dispatch has waited")
        self.in_flight = gauge("provider_in_flight", "Attempts without an outcome", "provider")
        self.circuit_state = gauge(
            "provider_circuit_state",
            "1: closed, it works; 2: half open; 3: open, it is left alone",
            "provider",
        )
        self.throttle_limit = gauge(
            "provider_throttle_limit",
            "Segments a second that it is given at most; infinite without a limit",
            "provider",
        )
        self.circuit_transitions = counter(
            "provider_circuit_transitions", "Moves of a circuit, by the state it came to", "provider", "state"
        )
        self.rerouted = counter(
            "rerouted_messages", "Messages that left an instance's lane for another's", "provider"
        )

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when somebody looks."""
        self._gauge(name, text).set_function(read)

    def count_commit(self, seconds: float, calls: int, facts: Mapping[str, int]) -> None:
        """A transaction with its fsync: how long, for how many writes, and what happened in it."""
        self.commits.inc()
        self.commit_seconds.observe(seconds)
        self.commit_calls.observe(calls)
        for fact, count in facts.items():
            self.facts.labels(fact).inc(count)

    def render(self) -> bytes:
        """The text form of Prometheus."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"waypost_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"waypost_{name}", text, labels, registry=self.registry, buckets=buckets)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"waypost_{name}", text, labels, registry=self.registry)
