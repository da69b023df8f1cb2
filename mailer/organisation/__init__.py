"""The organisation: one database is one.

It has a name, a postal address (which the law of most countries wants in every mail), a colour and
a language, and the name and address that its mail is from. There is one row; until somebody has
filled it in, nothing can be sent. What only the server's administrator may choose is a setting.
"""
