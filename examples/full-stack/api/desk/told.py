"""What the program is told from outside; what is missing or insecure is told all at once."""

import os
import sys
from pathlib import Path

WEAK = ("change-me", "changeme", "secret", "password", "desk", "postgres", "django-insecure")
SHORTEST = 16

problems = []


def value(name, fallback=""):
    """A variable, or the contents of the file that `NAME_FILE` names."""
    file = os.environ.get(f"{name}_FILE")
    if not file:
        return os.environ.get(name, fallback)
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        problems.append(f"{name}_FILE names a file that cannot be read ({error.strerror})")
        return ""


def secret(name, checked):
    told = value(name)
    if not told:
        problems.append(f"{name} is not set")
    elif checked and told.lower().startswith(WEAK):
        problems.append(f"{name} is a default that everybody knows")
    elif checked and len(told) < SHORTEST:
        problems.append(f"{name} is shorter than {SHORTEST} characters")
    return told


def settle():
    """Ends the program when anything was wrong."""
    if problems:
        sys.exit("the report desk does not start:\n" + "\n".join(f"  - {problem}" for problem in problems))
