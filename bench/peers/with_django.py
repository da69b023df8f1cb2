"""Django: its templates, EmailMultiAlternatives, and one connection that is used again."""

import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template import engines


def main() -> None:
    host, port, count, _connections, folder = sys.argv[1:]
    settings.configure(
        EMAIL_HOST=host,
        EMAIL_PORT=int(port),
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    )
    django.setup()
    subject, text, html = (
        engines["django"].from_string((Path(folder) / name).read_text())
        for name in ("subject.txt", "body.txt", "body.html")
    )
    connection = get_connection()
    connection.open()
    for number in range(int(count)):
        facts = {"first_name": f"Member {number}", "token": f"{number:032x}"}
        message = EmailMultiAlternatives(
            subject.render(facts).strip(),
            text.render(facts),
            "news@roll.example.org",
            [f"member{number}@example.org"],
            connection=connection,
        )
        message.attach_alternative(html.render(facts), "text/html")
        message.send()
    connection.close()


if __name__ == "__main__":
    main()
