"""Signing: our own signature on every email, for mail servers that do not sign for us.

A *signing key* belongs to the domain that emails come from. Its secret half is sealed in the
database, its public half stands in the domain's DNS, under the key's *selector*. It is made, then
published by hand, then *switched on*: only what can be found in DNS may sign, for a signature that
nobody can check is worse than none. A key that takes another's place retires it: its secret is
destroyed, its DNS record stays for a while, because mail that it has signed is still on its way.
What a signature is in bytes stands in `dkim`.
"""
