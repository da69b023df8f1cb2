"""`rollcall`: what is done from the server's shell. One file per noun."""

import typer

from mailer.cli import (
    account,
    backing_up,
    campaign,
    demonstrating,
    dkim,
    doctor,
    exporting,
    importing,
    person,
    serving,
)

app = typer.Typer(
    name="rollcall",
    help="The email list and newsletter campaign manager of activist networks and unions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its frames show local variables, and those hold addresses
)
app.command()(serving.serve)
app.command()(serving.web)
app.command()(serving.worker)
app.command()(serving.migrate)
app.command("env-example")(serving.env_example)
app.command()(doctor.doctor)
app.command()(demonstrating.demo)
app.command()(backing_up.backup)
app.command("export")(exporting.export_file)
app.add_typer(account.app, name="account")
app.add_typer(importing.app, name="import")
app.add_typer(campaign.app, name="campaign")
app.add_typer(dkim.app, name="dkim")
app.add_typer(person.app, name="person")


def main() -> None:
    """Run what the command line asks for."""
    app()
