"""Accounts: people who sign in to the admin area.

An account has a role and a scope: everybody on the roll, or the people of some groups. It enters by
password *and* a code from an authenticator app; without a confirmed app it reaches only the page
where one is set up. Each code counts once, ever. Sessions are rows of ours that can be revoked at
once, and what matters most (a send, an export) asks for a fresh code.
"""
