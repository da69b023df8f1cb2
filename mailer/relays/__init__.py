"""Relays, and how fast and when we send.

A relay is a mail server that takes our mail; the one of the settings is number 1 and always there.
Each may have limits: messages a second, an hour, a day, and a warm-up plan while servers get to
know it. Domains that asked us to slow down have a pace of their own, which rises again by itself.
The sending rules, one row, hold the quiet hours and the brakes that stop a campaign by themselves.

All of it is rows, so every worker keeps to it together, and a change acts within about a second.
The engine's side is `deliveries.pacing`.
"""
