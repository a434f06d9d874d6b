"""The part of a Dockerfile that build-root needs: stages, each with its instructions in order."""

import json
import os
import re
from dataclasses import dataclass, field

# What every step and program starts with; of this machine's environment, only how cargo is to build.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/local/rust/bin:/usr/local/node/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    **{name: value for name, value in os.environ.items() if name.startswith("CARGO_PROFILE_")},
}


@dataclass
class Stage:
    """One FROM and what follows it."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def read(text: str) -> list[Stage]:
    """Comments are left out, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name))
        elif word:
            stages[-1].steps.append((word, rest.strip()))
    return stages


def variables(stage: Stage) -> dict[str, str]:
    """What ENV sets."""
    words = [part for word, rest in stage.steps if word == "ENV" for part in rest.split()]
    return dict(part.split("=", 1) for part in words)


def command(stage: Stage, word: str) -> list[str]:
    """CMD, or the one of HEALTHCHECK, in its exec form."""
    rest = next(rest for step, rest in stage.steps if step == word)
    return json.loads(rest[rest.index("[") :])
