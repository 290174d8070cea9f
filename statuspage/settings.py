"""Django settings. Each option is an environment variable with a working default, listed in docs/settings.md."""

import contextlib
import importlib.util
import os
import re
import secrets
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from statuspage.common.data_folder import DataFolderError, prepare

BASE_DIR = Path(__file__).resolve().parent.parent


class Env(environ.Env):  # type: ignore[misc]  # environ ships no types
    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, *args, **kwargs)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} is not valid: {error}. See docs/settings.md.") from error


env = Env()
Env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))


def retention_days(name: str, days: int) -> int:
    """Check a number of days. 0 means that nothing is removed; fewer than 30 could remove data that is still needed."""
    if days != 0 and not 30 <= days <= 36_500:
        raise ImproperlyConfigured(f"{name} must be 0 (keep everything) or between 30 and 36500 days.")
    return days


def generated_secret(path: Path) -> str:
    """Return the secret key in `path`, after generating it on the first start."""
    if not path.exists():
        draft = path.with_name(f".secret_key.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50), encoding="ascii")
        # Creating a hard link is atomic: two processes that start at once read the same key.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    key = path.read_text(encoding="ascii").strip()
    if len(key) < 40:
        raise ImproperlyConfigured(f"{path} is empty or damaged: delete it, or set SECRET_KEY.")
    return key


DATA_DIR = Path(env.str("DATA_DIR", default="var"))
if not DATA_DIR.is_absolute():
    DATA_DIR = BASE_DIR / DATA_DIR
# The layout is described in statuspage/common/data_folder.py.
PRIVATE_DIR = DATA_DIR / "private"
PUBLIC_DIR = DATA_DIR / "public"
RUN_DIR = PRIVATE_DIR / "run"
DATABASE_URL = env.str("DATABASE_URL", default="")
try:
    prepare(DATA_DIR, moves_database=not DATABASE_URL.startswith("sqlite"))
except DataFolderError as error:
    raise ImproperlyConfigured(str(error)) from error

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY_FALLBACKS = [key for key in env.list("SECRET_KEY_FALLBACKS", default=[]) if key]
SECRET_KEY = env.str("SECRET_KEY", default="") or generated_secret(PRIVATE_DIR / "secret_key")
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
PAGE_NAME = env.str("PAGE_NAME", default="")
PAGE_TIME_ZONE = env.str("PAGE_TIME_ZONE", default="Etc/UTC")
REDIS_URL = env.str("REDIS_URL", default="")
WEB_WORKERS = env.int("WEB_WORKERS", default=1)
# The front door reads these itself (statuspage/frontdoor/config.py), because it runs without Django.
APP_THREADS = env.int("APP_THREADS", default=4)
FORM_LIMIT = env.int("FORM_LIMIT", default=64 * 1024)
UPLOAD_LIMIT = env.int("UPLOAD_LIMIT", default=3 * 1024 * 1024)
CELERY_WORKERS = env.int("CELERY_WORKERS", default=2)
SMTP_CONNECTIONS = env.int("SMTP_CONNECTIONS", default=16)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
if METRICS_TOKEN and not re.fullmatch(r"[!-~]{16,}", METRICS_TOKEN):
    raise ImproperlyConfigured("METRICS_TOKEN must have at least 16 characters: ASCII without spaces.")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
OUTBOUND_ALLOW = [entry.strip() for entry in env.list("OUTBOUND_ALLOW", default=[]) if entry.strip()]
SMS_GATEWAY_URL = env.str("SMS_GATEWAY_URL", default="")
SMS_GATEWAY_USER = env.str("SMS_GATEWAY_USER", default="")
SMS_GATEWAY_PASSWORD = env.str("SMS_GATEWAY_PASSWORD", default="")
SMS_FROM = env.str("SMS_FROM", default="")
TELEGRAM_API_URL = env.str("TELEGRAM_API_URL", default="https://api.telegram.org").rstrip("/")
API_LIMIT_PER_MINUTE = env.int("API_LIMIT_PER_MINUTE", default=600)
SUBSCRIBE_LIMIT_PER_IP = env.int("SUBSCRIBE_LIMIT_PER_IP", default=20)
SUBSCRIBE_LIMIT_PER_DOMAIN = env.int("SUBSCRIBE_LIMIT_PER_DOMAIN", default=100)
SUBSCRIBE_LIMIT_GLOBAL = env.int("SUBSCRIBE_LIMIT_GLOBAL", default=1000)

# How long rows are kept that are not part of the record (docs/settings.md#data-retention).
KEEP_DELIVERIES_DAYS = retention_days("KEEP_DELIVERIES_DAYS", env.int("KEEP_DELIVERIES_DAYS", default=180))
KEEP_EVENTS_DAYS = retention_days("KEEP_EVENTS_DAYS", env.int("KEEP_EVENTS_DAYS", default=365))
KEEP_EMAIL_FILES_DAYS = retention_days("KEEP_EMAIL_FILES_DAYS", env.int("KEEP_EMAIL_FILES_DAYS", default=90))
KEEP_STAFF_NOTICES_DAYS = retention_days("KEEP_STAFF_NOTICES_DAYS", env.int("KEEP_STAFF_NOTICES_DAYS", default=365))

# The host name selects the page, so any is allowed. Links are built only from SITE_URL or Page.domain.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"])
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CSRF_FAILURE_VIEW = "statuspage.console.access.csrf_failure"

INSTALLED_APPS = [
    "statuspage.dispatcher",
    "statuspage.console",
    "statuspage.api",
    "statuspage.public",
    "statuspage.databases",
    "statuspage.retention",
    "statuspage.publishing",
    "statuspage.importers",
    "statuspage.notifications",
    "statuspage.subscribers",
    "statuspage.accounts",
    "incidents",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "template_partials",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "statuspage.common.uploads.UploadMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "statuspage.common.database_middleware.DatabaseMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "statuspage.accounts.middleware.HashingLimitMiddleware",
]

ROOT_URLCONF = "statuspage.urls"
WSGI_APPLICATION = "statuspage.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "statuspage.console.context_processors.permissions",
            ],
        },
    }
]

DATABASE_URL = DATABASE_URL or f"sqlite:///{PRIVATE_DIR / 'candor.sqlite3'}"
DATABASES: dict[str, Any] = {"default": env.db_url_config(DATABASE_URL)}
if "ENGINE" not in DATABASES["default"]:
    raise ImproperlyConfigured("DATABASE_URL is not valid. Example: postgres://user:password@host/candor.")
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # Without a timeout, an unreachable host would block requests, and the outage would not be detected.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a writer waits its turn at BEGIN instead of failing with "database is locked" half-way through.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
# Seconds that the app waits for a lock (statuspage/common/database_limits.py).
DATABASE_TIMEOUT = env.int("DATABASE_TIMEOUT", default=5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sessions and rate limits are in the database: staff must be able to work during an incident without Redis.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
SESSION_ENGINE = "statuspage.accounts.session_store"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_URL.startswith("https://")
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if SESSION_COOKIE_SECURE:
    # Browsers accept these names only over HTTPS and from this host, so that no other host can set them.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=365 * 24 * 3600 if SESSION_COOKIE_SECURE else 0)
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "https:", "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["statuspage.accounts.hashing.LimitedHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "statuspage.accounts.password_validators.MaximumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "statuspage.accounts.password_validators.GuessableValidator"},
]
ACCOUNT_ADAPTER = "statuspage.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "statuspage.accounts.forms.LoginForm",
    "reset_password": "statuspage.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "statuspage.accounts.forms.ResetPasswordKeyForm",
    "change_password": "statuspage.accounts.forms.ChangePasswordForm",
}
# Django's own: allauth's keeps a second list of addresses beside the users.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"
PASSWORD_RESET_TIMEOUT = 4 * 3600
# Sign-in attempts are counted by the adapter.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None, "reset_password": "20/m/ip,3/h/key"}
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "console:home"

# Without a mail server, emails are written to .eml files, which the console lists.
MAIL_DIR = PRIVATE_DIR / "mail"
EMAIL_URL = env.str("EMAIL_URL", default="")
if EMAIL_URL:
    vars().update(env.email_url("EMAIL_URL"))
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "statuspage.notifications.transports.eml_files.EmlBackend"
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="status@localhost")

# Bounces arrive by mail to BOUNCE_ADDRESS (bin/manage receive_bounce) or by webhook (docs/email.md).
BOUNCE_ADDRESS = env.str("BOUNCE_ADDRESS", default="")
if BOUNCE_ADDRESS and not re.fullmatch(r"[\w.-]{1,38}@[\w.-]+", BOUNCE_ADDRESS, re.ASCII):
    raise ImproperlyConfigured(
        "BOUNCE_ADDRESS must be like bounce@status.example.com, with at most 38 characters before @."
    )
EMAIL_PROVIDER = env.str("EMAIL_PROVIDER", default="").lower()
EMAIL_PROVIDERS = ("brevo", "mailgun", "mailjet", "postmark", "sparkpost")
if EMAIL_PROVIDER not in ("", *EMAIL_PROVIDERS):
    raise ImproperlyConfigured(f"EMAIL_PROVIDER must be one of {', '.join(EMAIL_PROVIDERS)}. See docs/email.md.")
ANYMAIL_WEBHOOK_SECRET = env.str("ANYMAIL_WEBHOOK_SECRET", default="")
ANYMAIL_SIGNING_KEY = env.str("ANYMAIL_SIGNING_KEY", default="")
if ANYMAIL_WEBHOOK_SECRET and ":" not in ANYMAIL_WEBHOOK_SECRET:
    raise ImproperlyConfigured("ANYMAIL_WEBHOOK_SECRET must be a user name and a password separated by a colon.")
if ANYMAIL_WEBHOOK_SECRET and importlib.util.find_spec("anymail") is None:
    raise ImproperlyConfigured("ANYMAIL_WEBHOOK_SECRET requires django-anymail: pip install 'django-anymail>=13'.")

STATIC_URL = "static/"
STATIC_ROOT = PUBLIC_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "statuspage.public.stylesheets.JoinedFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# The published files. The front door serves this folder, and another web server may (docs/deploy.md).
PUBLISHED_DIR = Path(env.str("PUBLISHED_DIR", default="") or PUBLIC_DIR / "published")
PUBLISH_TO = env.str("PUBLISH_TO", default="").replace(",", " ").split()

LANGUAGE_CODE = "en"
# What mails can be written in: templates/notifications/email/<language>/ and Django's translations are looked for.
LANGUAGES = [("en", "English")]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH: list[str] = []
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# A past incident is added with a field for each component and update: 200 times 20, and some.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"rejected": {"()": "statuspage.common.log_filters.WithoutRejectedRequests"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["rejected"]}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {"django": {"handlers": [], "level": LOG_LEVEL, "propagate": True}},
}
