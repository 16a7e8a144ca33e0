"""The parts that act: intake, dispatch, questions, receipts, and the feed of events."""
