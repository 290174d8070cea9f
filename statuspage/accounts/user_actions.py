"""Actions on users and their roles. Each is one transaction that includes an audit log entry."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.accounts.models import Role, StaffSession, User, generated_password

LAST_OWNER = "A page needs at least one owner. Make another person an owner first."


def add(page: Page, *, email: str, name: str, role: str, by: User) -> tuple[User, str]:
    """Create a user. Return it with the generated password, which is not stored in plain text."""
    password = generated_password()
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password=password, role=Role(role), name=name)
            _note(page, "person.added", user, by=by, role=role)
    except IntegrityError:
        raise ValidationError({"email": "A user with this email address already exists."}) from None
    return user, password


@transaction.atomic
def change_role(page: Page, user: User, role: str, *, by: User) -> None:
    if role not in Role.values:
        raise ValidationError({"role": f"“{role}” is not a role."})
    if role != Role.OWNER:
        _check_another_owner(user)
    old, user.role = user.role, role
    user.save(update_fields=["role"])
    _note(page, "person.role", user, by=by, old=old, new=role)


@transaction.atomic
def set_active(page: Page, user: User, *, active: bool, by: User) -> None:
    """Activate or deactivate `user`. Deactivating ends all of their sessions."""
    if not active:
        _check_another_owner(user)
        user.sessions.all().delete()
    user.is_active = active
    user.save(update_fields=["is_active"])
    _note(page, "person.active", user, by=by, active=active)


@transaction.atomic
def replace_password(page: Page, user: User, *, by: User) -> str:
    """Set and return a generated password, which is not stored in plain text. Ends all sessions of `user`."""
    password = generated_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    user.sessions.all().delete()
    _note(page, "person.password", user, by=by)
    return password


@transaction.atomic
def set_own_password(page: Page | None, user: User, password: str, *, keep: str, address: str) -> None:
    """Store a password that the person chose. Ends their sessions, except the one with the digest `keep`.

    `keep` is empty for a password that was set with an emailed link. `page` is None before set-up.
    """
    user.set_password(password)
    user.save(update_fields=["password"])
    user.sessions.exclude(session_key=keep).delete()
    if page:
        _note(page, "person.password_changed" if keep else "person.password_reset", user, by=user, address=address)


@transaction.atomic
def end_sessions(page: Page, sessions: QuerySet[StaffSession], *, by: User) -> int:
    """End sessions of `by` and return their number. Who uses one of them has to sign in again."""
    count, _ = sessions.filter(user=by).delete()
    if count:
        _note(page, "person.session_ended", by, by=by, sessions=count)
    return count


@transaction.atomic
def set_email_preferences(page: Page, user: User, *, wants_reminders: bool, wants_overdue: bool) -> None:
    """Set which staff emails `user` receives. Users change only their own preferences."""
    if (user.wants_reminders, user.wants_overdue) == (wants_reminders, wants_overdue):
        return
    user.wants_reminders, user.wants_overdue = wants_reminders, wants_overdue
    user.save(update_fields=["wants_reminders", "wants_overdue"])
    _note(page, "person.mails", user, by=user, wants_reminders=wants_reminders, wants_overdue=wants_overdue)


def _check_another_owner(user: User) -> None:
    """Lock the owners and check, so that two owners who demote each other at the same time cannot both succeed."""
    owners = list(User.objects.select_for_update().filter(role=Role.OWNER, is_active=True).order_by("pk"))
    if owners == [user]:
        raise ValidationError(LAST_OWNER)


def _note(page: Page, verb: str, user: User, *, by: User, **details: str | bool | int) -> None:
    note(page, verb, actor=by.actor, object_type="user", object_ref=str(user.pk), **details)
