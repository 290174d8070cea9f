"""Sessions and the question for the password in a real browser, with and without scripts."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import Page as Tab

from statuspage.accounts.models import ApiToken, StaffSession
from statuspage.accounts.sessions import RECENT
from tests.factories import PASSWORD, make_page, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def tab(request: Any, browser: Browser, live_server: Any) -> Iterator[Tab]:
    make_page()
    email = make_user("owner", name="Erin").email
    contexts: list[BrowserContext] = []
    for _ in range(2):
        context = browser.new_context(base_url=live_server.url, java_script_enabled=request.param)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(15_000)
        tab.goto("/accounts/login/")
        tab.get_by_label("Email").fill(email)
        tab.get_by_label("Password", exact=True).fill(PASSWORD)
        tab.get_by_role("button", name="Sign in").click()
        expect(tab.get_by_role("heading", level=1)).not_to_have_text("Sign in")
    yield tab
    for context in contexts:
        context.close()


def test_a_token_is_created_after_the_password_with_what_was_typed(tab: Tab) -> None:
    StaffSession.objects.update(created_at=timezone.now() - RECENT)
    tab.goto("/console/p/acme/tokens")
    tab.get_by_label("Name").fill('deploy "script"')
    tab.get_by_label("Write incidents").check()
    tab.get_by_role("button", name="Create token").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Confirm your password")
    tab.get_by_label("Your password").fill("wrong")
    tab.get_by_role("button", name="Continue").click()
    expect(tab.locator("p.error")).to_contain_text("Incorrect password")
    tab.get_by_label("Your password").fill(PASSWORD)
    tab.get_by_role("button", name="Continue").click()
    expect(tab.get_by_text("candor_").first).to_be_visible()
    token = ApiToken.objects.get()
    assert (token.name, token.scopes) == ('deploy "script"', ["incidents:write"])


def test_other_sessions_are_ended_from_the_account_page(tab: Tab) -> None:
    tab.goto("/console/p/acme/account")
    expect(tab.get_by_text("(this device)")).to_have_count(1)
    tab.get_by_role("button", name="End session").click()
    expect(tab.get_by_text("1 session ended.")).to_be_visible()
    expect(tab.get_by_role("button", name="End session")).to_have_count(0)
    assert StaffSession.objects.count() == 1
