import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from incidents.models import Page
from tests.api.programs import Program, make_program
from tests.factories import make_page
from tests.live import Candor


@dataclass(frozen=True)
class Served:
    """The product as an operator runs it, with one empty page and a token that may do everything."""

    url: str
    page: str
    token: str


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    product = Candor(tmp_path_factory.mktemp("served"), env={"PAGE_NAME": "Acme"})
    product.serve()
    token = product.manage("create_token", "client", "--scope", "admin").split()[-1]
    request = urllib.request.Request(f"{product.url}/v1/pages", headers={"Authorization": f"OAuth {token}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        (page,) = json.load(response)
    yield Served(product.url, page["id"], token)
    product.stop()


@pytest.fixture
def page(db: None) -> Page:
    return make_page()


@pytest.fixture
def program(page: Page) -> Program:
    return make_program(page)
