"""The outbox: letters, which the system sends by itself.

A letter (confirm, receipt, reminder, sign-in notice) is a row that a verb posts in its own
transaction: when the fact is committed the letter is owed, and when it is not there is none. A
*dedupe key* makes posting twice posting once. Letters go out through the same gate as campaigns,
and never wait behind one: that is their *lane*.
"""
