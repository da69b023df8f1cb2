"""`python -m mailer.cli`: the same as `rollcall`."""

from mailer.cli import main

main()
