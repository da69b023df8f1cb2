"""Groups: unions, branches, chapters and community organisations.

Groups are scope, not tenants: one installation is one network, a person may belong to several,
and a group organiser sees the people of their groups and nobody else.
"""
