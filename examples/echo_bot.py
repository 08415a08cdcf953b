"""A bot that repeats what it is told.

While `make run` is running:  IMD_PASSWORD="a secret of its own" .venv/bin/python examples/echo_bot.py
"""

from imd_client import Bot

bot = Bot("echo")


@bot.hears
def echo(message):
    return f"You said: {message.content}"


if __name__ == "__main__":
    bot.run()
