"""Who goes quiet: how many were asked whether they are still with us, and how many do nothing.

Quiet is who has done nothing by their own hand, by an email or on a page. Opens are not collected.
"""
