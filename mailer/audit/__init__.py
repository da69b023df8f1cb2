"""The audit: what accounts did.

Every act of an account that changes something, or looks at or takes away many people, leaves a line
here that no page can change. It names things by number and never holds an address.
"""
