"""What the program is told from outside, read once; what is missing or insecure is told all at once."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

WEAK = ("change-me", "changeme", "secret", "password", "admin", "lessons", "development")
SHORTEST = 16


@dataclass(frozen=True)
class Settings:
    database: str
    version: str
    admin_password: str


def value(name, problems):
    """A variable, or the contents of the file that `NAME_FILE` names."""
    file = os.environ.get(f"{name}_FILE")
    if not file:
        return os.environ.get(name, "")
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        problems.append(f"{name}_FILE names a file that cannot be read ({error.strerror})")
        return ""


def read():
    problems = []
    password = value("ADMIN_PASSWORD", problems)
    if not password:
        problems.append("ADMIN_PASSWORD is not set")
    elif os.environ.get("APP_MODE") == "production":
        if password.lower().startswith(WEAK):
            problems.append("ADMIN_PASSWORD is a default that everybody knows")
        elif len(password) < SHORTEST:
            problems.append(f"ADMIN_PASSWORD is shorter than {SHORTEST} characters")
    database = os.environ.get("DATABASE", "/data/lessons.db")
    if not Path(database).parent.is_dir():
        problems.append(f"DATABASE lies in a folder that is not there: {Path(database).parent}")
    if problems:
        told = "\n".join(f"  - {problem}" for problem in problems)
        sys.exit(f"stock-lessons does not start:\n{told}")
    return Settings(database, os.environ.get("APP_VERSION", "development"), password)
