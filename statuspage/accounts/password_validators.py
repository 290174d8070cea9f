"""Rules for new passwords, in addition to Django's."""

from typing import Any

from django.core.exceptions import ValidationError

from incidents.models import Page

MAX_LENGTH = 128
# On zxcvbn's scale of 0 to 4. 3 means more than 10**8 guesses.
MIN_SCORE = 3
# zxcvbn refuses longer texts, and takes longer the longer they are.
EXAMINED = 72


class MaximumLengthValidator:
    """Bounds what has to be hashed and examined."""

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) > MAX_LENGTH:
            raise ValidationError(f"This password is too long. Use at most {MAX_LENGTH} characters.")

    def get_help_text(self) -> str:
        return f"Use at most {MAX_LENGTH} characters."


class GuessableValidator:
    """Rejects repetitions, sequences, keyboard patterns, dates, and variations of names and common passwords."""

    def validate(self, password: str, user: Any = None) -> None:
        # It reads lists of words, and most processes never check a password.
        from zxcvbn import zxcvbn

        result = zxcvbn(password[:EXAMINED], user_inputs=_known_words(user))
        if result["score"] < MIN_SCORE:
            reason = result["feedback"]["warning"] or "Add another word or two."
            raise ValidationError(f"This password is easy to guess. {reason}")

    def get_help_text(self) -> str:
        return "Avoid repetitions, sequences and names."


def _known_words(user: Any) -> list[str]:
    """Return what an attacker tries first: the names of the person, of their organization and of the pages."""
    texts = [*Page.objects.values_list("name", flat=True)[:20], "candor", "status"]
    if user is not None:
        texts += [user.name, user.email.replace("@", " ").replace(".", " ")]
    return [word for text in texts for word in {text, *text.split()} if word]
