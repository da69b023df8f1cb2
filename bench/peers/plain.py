"""Plain aiosmtplib: an EmailMessage for each person, `send_message` on connections that stay."""

import asyncio
import sys
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib


async def main() -> None:
    host, port, count, connections, folder = sys.argv[1:]
    subject, text, html = (
        (Path(folder) / name).read_text() for name in ("subject.txt", "body.txt", "body.html")
    )
    numbers = iter(range(int(count)))

    async def send() -> None:
        async with aiosmtplib.SMTP(hostname=host, port=int(port), start_tls=False) as client:
            for number in numbers:
                named, token = f"Member {number}", f"{number:032x}"

                def fill(words: str) -> str:
                    return words.replace("{{ first_name }}", named).replace("{{ token }}", token)

                message = EmailMessage()
                message["From"] = "news@roll.example.org"
                message["To"] = f"member{number}@example.org"
                message["Subject"] = fill(subject)
                message.set_content(fill(text))
                message.add_alternative(fill(html), subtype="html")
                await client.send_message(message)

    await asyncio.gather(*[send() for _ in range(int(connections))])


if __name__ == "__main__":
    asyncio.run(main())
