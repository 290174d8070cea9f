import secrets

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from statuspage.accounts.models import User, generated_password
from tests.factories import make_page

pytestmark = pytest.mark.django_db

ANN = User(email="ann.keller@example.org", name="Ann Keller")


@pytest.fixture(autouse=True)
def page() -> None:
    make_page(name="Nordwind Cloud")


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("elevenchars", "too short"),
        ("aaaaaaaaaaaa", "easy to guess"),
        ("abababababab", "easy to guess"),
        ("abcdefghijklmn", "easy to guess"),
        ("qwertyuiopas", "easy to guess"),
        ("111122223333", "easy to guess"),
        ("Password123!!", "easy to guess"),
        ("P@ssw0rd2026", "easy to guess"),
        ("iloveyou1234", "easy to guess"),
        ("ann.keller@example.org", "too similar to the email"),
        ("AnnKeller2026", "too similar to the name"),
        ("NordwindCloud", "easy to guess"),
        ("nordwindcloud1", "easy to guess"),
        ("x" * 129, "at most 128 characters"),
        pytest.param(secrets.token_urlsafe(200), "at most 128 characters", id="long and random"),
    ],
)
def test_passwords_that_are_guessed_first_are_refused(password: str, complaint: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_password(password, ANN)
    assert complaint in " ".join(refused.value.messages)


@pytest.mark.parametrize(
    "password",
    [
        "four words to remember",
        "korrekt pferd batterie",
        "Grüße aus dem Süden 7",
        "кот сидит на окне",
        pytest.param(secrets.token_urlsafe(96), id="random"),
    ],
)
def test_long_passphrases_in_any_script_are_accepted(password: str) -> None:
    validate_password(password, ANN)


def test_generated_passwords_satisfy_the_rules() -> None:
    for _ in range(50):
        validate_password(generated_password(), ANN)
