"""Settings of Django and Celery."""

import os

from . import told

DEBUG = os.environ.get("DEBUG", "off") == "on"
SECRET_KEY = told.secret("SECRET_KEY", checked=not DEBUG)
database_password = told.secret("DATABASE_PASSWORD", checked=not DEBUG)
redis_password = told.secret("REDIS_PASSWORD", checked=not DEBUG)
told.settle()

VERSION = os.environ.get("APP_VERSION", "development")
ALLOWED_HOSTS = ["*"] if DEBUG else os.environ.get("ALLOWED_HOSTS", "localhost").split(",")
ROOT_URLCONF = "desk.urls"
INSTALLED_APPS = ["reports"]
MIDDLEWARE = ["desk.observe.Observed", "django.middleware.security.SecurityMiddleware"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("DATABASE_HOST", "db"),
        "NAME": "desk",
        "USER": "desk",
        "PASSWORD": database_password,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 3},
    }
}

# Whoever stands in front ends HTTPS and says so; with HTTPS_ONLY nothing is answered that came without.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
HTTPS_ONLY = os.environ.get("HTTPS_ONLY", "off") == "on"
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^api/(health|ready)$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

REDIS = {"host": os.environ.get("REDIS_HOST", "redis"), "password": redis_password}
CELERY_BROKER_URL = f"redis://:{redis_password}@{REDIS['host']}:6379/0"
CELERY_TASK_IGNORE_RESULT = True
# A task is taken off the queue when it is done, not when it is begun: who dies over it leaves it to another.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# After this long a task that nobody finished is given out again: longer than any takes.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": int(os.environ.get("TASK_SECONDS", "60")),
    "socket_connect_timeout": 3,
    "socket_timeout": 10,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "desk.observe.Json"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
    "root": {"handlers": ["out"], "level": os.environ.get("LOG_LEVEL", "INFO").upper()},
}
