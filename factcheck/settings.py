"""Every setting, typed, in one file.

The defaults run the whole product on one machine without a variable. What differs between
places is an environment variable, documented in docs/configuration.md; a wrong one stops the
start with a message that names all wrong ones at once.
"""

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env(eager=False)

# --- place -----------------------------------------------------------------------------------

VAR: Path = Path(env.str("FACTCHECK_VAR", default=str(BASE_DIR / "var")))
VAR.mkdir(mode=0o700, parents=True, exist_ok=True)

# Which program made a page: with another, readers' pages are made again.
RELEASE = "0.1.0"

DEBUG: bool = env.bool("DEBUG", default=False)
DEMO: bool = env.bool("FACTCHECK_DEMO", default=False)
TESTING: bool = env.bool("FACTCHECK_TESTING", default=False)

# Which process this is: "app" is for people, "archive" shows archived markup on another host.
SERVE: str = env.str("FACTCHECK_SERVE", default="app")

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The public address of the app and of the archive host, as readers type them.
PUBLIC_URL: str = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
ARCHIVE_URL: str = env.str("ARCHIVE_URL", default="http://localhost:8001").rstrip("/")


def _secret_key() -> str:
    """The key from SECRET_KEY, from the file SECRET_KEY_FILE, or one made once for this folder."""
    key: str = env.str("SECRET_KEY", default="")
    if key:
        return key
    path = Path(env.str("SECRET_KEY_FILE", default="") or VAR / "secret-key")
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            # link() fails where another process was first: both then read the same key.
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


SECRET_KEY = _secret_key()

# --- Django ----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "factcheck.operations",
    "factcheck.desk",
    "factcheck.public",
    "factcheck.pages",
    "factcheck.publications",
    "factcheck.verdicts",
    "factcheck.evidence",
    "factcheck.claims",
    "factcheck.articles",
    "factcheck.archive",
    "factcheck.accounts",
    "factcheck.ledger",
    "factcheck.jobs",
    "factcheck.accounts.admin_config.AdminSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "factcheck.public.answers.PublicHeaders",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "factcheck.archive_urls" if SERVE == "archive" else "factcheck.urls"
WSGI_APPLICATION = "factcheck.wsgi.application"

if SERVE == "archive":
    # The archive host knows no person: no session, no sign-in, no message, no cookie.
    INSTALLED_APPS.remove("factcheck.desk")
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "factcheck" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- database --------------------------------------------------------------------------------

_sqlite = f"sqlite:///{VAR / 'factcheck.sqlite3'}"
DATABASES: dict[str, Any] = {"default": env.dj_db_url("DATABASE_URL", default=_sqlite)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        # Without IMMEDIATE a reader that turns writer fails at once, whatever the timeout.
        "transaction_mode": "IMMEDIATE",
        # recursive_triggers: a REPLACE deletes, and a delete must meet the insert-only triggers.
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;"
            "PRAGMA cache_size=-20000;PRAGMA recursive_triggers=ON;"
        ),
    }
    DATABASES["default"]["TEST"] = {"NAME": str(VAR / "test.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Tables whose rows are only ever added: one list, held by triggers and by a system check.
INSERT_ONLY_MODELS: list[str] = [
    "ledger.Entry",
    "ledger.Leaf",
    "articles.Revision",
    "articles.BackUpNote",
    "articles.BackUpDecision",
    "archive.Capture",
    "archive.TextLayer",
    "archive.Upload",
    "archive.MediaFacts",
    "archive.PictureWithin",
    "archive.PackageChecks",
    "archive.Rendering",
    "archive.WaczSignature",
    "archive.WitnessReport",
    "evidence.PassageCheck",
    "evidence.PassageConfirmation",
    "verdicts.Rating",
    "verdicts.Verdict",
    "verdicts.SignOff",
    "verdicts.SentBack",
    "publications.Override",
    "publications.Publication",
    "publications.Notice",
]

# --- people ----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "desk:articles"
LOGOUT_REDIRECT_URL = "public:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- language and time -----------------------------------------------------------------------

LANGUAGE_CODE: str = env.str("LANGUAGE_CODE", default="en")
USE_I18N = True
USE_TZ = True
# Storage and machine formats are UTC; pages show the newsroom's zone with its offset.
TIME_ZONE: str = env.str("TIME_ZONE", default="UTC")
LOCALE_PATHS = [BASE_DIR / "factcheck" / "locale"]
NEWSROOM_NAME: str = env.str("NEWSROOM_NAME", default="The newsroom")

# --- static files ----------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "factcheck" / "static"]
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- security --------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
_https = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# The first stops what is larger than anything that is taken here, before it fills the disk.
FILE_UPLOAD_HANDLERS = [
    "factcheck.desk.upload_limit.UploadLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- jobs ------------------------------------------------------------------------------------

CELERY_BROKER_URL: str = env.str("BROKER_URL", default="filesystem://localhost")
if CELERY_BROKER_URL.startswith("filesystem"):
    CELERY_BROKER_TRANSPORT = "factcheck.jobs.broker:Transport"
    _broker = VAR / "broker"
    for _name in ("queue", "done", "control"):
        (_broker / _name).mkdir(parents=True, exist_ok=True, mode=0o700)
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "data_folder_in": str(_broker / "queue"),
        "data_folder_out": str(_broker / "queue"),
        "control_folder": str(_broker / "control"),
        "processed_folder": str(_broker / "done"),
        # Taken messages move beside the queue and not through the system's temporary folder.
        "store_processed": True,
        "polling_interval": 0.2,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 900,
        "unacked_restore_throttle": 1,
        "unacked_restore_interval": 10,
        # kombu's own patience keeps a request waiting 6 seconds for a broker that is down.
        "max_retries": 1,
        "interval_start": 0,
    }
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# A worker that says nothing for this long has lost its job.
JOB_LEASE_SECONDS: int = env.int("JOB_LEASE_SECONDS", default=20)
SWEEP_EVERY_SECONDS: float = env.float("SWEEP_EVERY_SECONDS", default=2.0)
JOB_KEEP_DAYS: int = env.int("JOB_KEEP_DAYS", default=30)

# --- archive ---------------------------------------------------------------------------------

BLOBS_DIR = VAR / "blobs"
# Private keys. The sweeper alone opens what lies there (factcheck.ledger.keys).
KEYS_DIR = Path(env.str("FACTCHECK_KEYS", default="") or VAR / "keys")
# What can be made again from it at any time.
DERIVED_DIR = VAR / "derived"
ARCHIVE_PORTS: list[int] = env.list("ARCHIVE_PORTS", subcast=int, default=[80, 443])
# Exact "127.0.0.1:8002" pairs that captures may reach although they are loopback.
ARCHIVE_ALLOW_LOOPBACK: list[str] = env.list("ARCHIVE_ALLOW_LOOPBACK", default=[])
ARCHIVE_USER_AGENT: str = env.str("ARCHIVE_USER_AGENT", default="Factcheck/0.1 (newsroom archive)")
# For articles marked discreet: what an ordinary visitor's browser says.
ARCHIVE_DISCREET_USER_AGENT: str = env.str(
    "ARCHIVE_DISCREET_USER_AGENT", default="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)
# Where the operator serves the files of ReplayWeb.page, on a domain of its own; empty: no copy's scripts ever run.
REPLAY_WEB_PAGE_URL: str = env.str("REPLAY_WEB_PAGE_URL", default="").rstrip("/")
CAPTURE_MAX_BYTES: int = env.int("CAPTURE_MAX_BYTES", default=50 * 1024 * 1024)
CAPTURE_MAX_DECODED_BYTES: int = env.int("CAPTURE_MAX_DECODED_BYTES", default=200 * 1024 * 1024)
CAPTURE_UPLOAD_MAX_BYTES: int = env.int("CAPTURE_UPLOAD_MAX_BYTES", default=100 * 1024 * 1024)
# Certificates of signers of pictures that the newsroom trusts; without it no signer is on a list.
C2PA_TRUST_LIST: str = env.str("C2PA_TRUST_LIST", default="")
# Unpacks pictures of films so that they are known again; it is a large reader of hostile files, and so a choice.
CAPTURE_FFMPEG: str = env.str("CAPTURE_FFMPEG", default="")
# All of a capture, its parts among it; one part; how many; and how long they may take after the page.
CAPTURE_MAX_TOTAL_BYTES: int = env.int("CAPTURE_MAX_TOTAL_BYTES", default=150 * 1024 * 1024)
CAPTURE_MAX_REQUISITE_BYTES: int = env.int("CAPTURE_MAX_REQUISITE_BYTES", default=10 * 1024 * 1024)
CAPTURE_MAX_REQUISITES: int = env.int("CAPTURE_MAX_REQUISITES", default=200)
CAPTURE_REQUISITES_SECONDS: int = env.int("CAPTURE_REQUISITES_SECONDS", default=60)
CAPTURE_TIMEOUT_SECONDS: int = env.int("CAPTURE_TIMEOUT_SECONDS", default=60)
# How long one page may be open in a browser, and in how many at once in each process.
CAPTURE_BROWSER_SECONDS: int = env.int("CAPTURE_BROWSER_SECONDS", default=90)
CAPTURE_BROWSERS: int = env.int("CAPTURE_BROWSERS", default=1)
# The Chromium that opens pages; empty: the first that is on PATH.
CAPTURE_BROWSER: str = env.str("CAPTURE_BROWSER", default="")
# Between the end of one capture of a host and the start of the next.
CAPTURE_HOST_SPACING_SECONDS: float = env.float("CAPTURE_HOST_SPACING_SECONDS", default=2.0)
# Within this time a second order for the same page is the first one's.
CAPTURE_WINDOW_MINUTES: int = env.int("CAPTURE_WINDOW_MINUTES", default=10)

# How often our own page of a published article is read: on the first day, and after it. 0: never by itself.
OWN_PAGE_MINUTES: int = env.int("OWN_PAGE_MINUTES", default=30)
OWN_PAGE_LATER_MINUTES: int = env.int("OWN_PAGE_LATER_MINUTES", default=24 * 60)

# Outside witnesses. Copies are ordered there only with a key; without an address nobody is asked at all.
WITNESS_IA_URL: str = env.str("WITNESS_IA_URL", default="https://web.archive.org").rstrip("/")
WITNESS_IA_ACCESS_KEY: str = env.str("WITNESS_IA_ACCESS_KEY", default="")
WITNESS_IA_SECRET: str = env.str("WITNESS_IA_SECRET", default="")
WITNESS_AT_PUBLICATION: bool = env.bool("WITNESS_AT_PUBLICATION", default=True)
WITNESS_PAUSE_SECONDS: int = env.int("WITNESS_PAUSE_SECONDS", default=10)

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}

env.seal()

if REPLAY_WEB_PAGE_URL:
    _replay_host = urlsplit(REPLAY_WEB_PAGE_URL).hostname or ""
    for _address in (PUBLIC_URL, ARCHIVE_URL):
        _host = urlsplit(_address).hostname or ""
        if not _replay_host or f".{_host}".endswith(f".{_replay_host}") or f".{_replay_host}".endswith(f".{_host}"):
            raise ImproperlyConfigured(
                "REPLAY_WEB_PAGE_URL runs archived scripts. It must be the whole address of another domain than those "
                "of PUBLIC_URL and ARCHIVE_URL, and of none above or below them."
            )

if ARCHIVE_ALLOW_LOOPBACK and not (DEMO or TESTING):
    raise ImproperlyConfigured(
        "ARCHIVE_ALLOW_LOOPBACK lets captures reach this machine itself. It is for the demo and the tests; unset it."
    )
