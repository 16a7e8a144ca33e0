"""Callbacks: events of messages, sent to the URLs of accounts and of single messages.

`follower` turns the logs of accounts that want callbacks into rows, one for each event and endpoint;
`sender` makes the calls; `outbound` is the only place that opens a connection to a caller's URL.
"""
