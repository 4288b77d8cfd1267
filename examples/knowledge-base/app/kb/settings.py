"""What the programs are told from outside, read once; what is missing or insecure is told all at once."""

import os
import sys

KNOWN = ("change-me", "changeme", "sk-dev-", "secret", "password", "knowledge", "postgres", "minioadmin")
SHORTEST = 16
PRODUCTION = os.environ.get("ENVIRONMENT") == "production"
VERSION = os.environ.get("APP_VERSION", "development")

problems = []


def secret(name):
    told = os.environ.get(name, "")
    if not told:
        problems.append(f"{name} is not set")
    elif PRODUCTION and told.lower().startswith(KNOWN):
        problems.append(f"{name} is a default that everybody knows")
    elif PRODUCTION and len(told) < SHORTEST:
        problems.append(f"{name} is shorter than {SHORTEST} characters")
    return told


def settle(program):
    """Ends the program when anything was wrong."""
    if problems:
        sys.exit(f"{program} does not start:\n" + "\n".join(f"  - {problem}" for problem in problems))
