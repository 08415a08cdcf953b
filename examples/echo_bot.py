"""A bot that says what it hears.

Beside `make run`:  IMD_PASSWORD="a secret of its own" .venv/bin/python examples/echo_bot.py
"""

from imd_client import Bot

bot = Bot("echo")


@bot.hears
def echo(message):
    return f"You said: {message.content}"


if __name__ == "__main__":
    bot.run()
