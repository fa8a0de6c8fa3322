"""The errors a user can cause: one root, raised at borders, one line each; and what was perhaps meant."""

from collections.abc import Iterable
from difflib import get_close_matches


class BittrueError(Exception):
    """Root of every error that bittrue raises on purpose; the command line exits with status 2."""


class ConfigError(BittrueError, ValueError):
    """A parameter outside what is accepted: names the argument, what was found, what is accepted."""


class AudioError(BittrueError, ValueError):
    """Audio that cannot be read, or is not in the form that is needed."""


class SubsetError(ConfigError):
    """A kernel outside the kernel subset; the findings of `subset.check_source`, a line each."""

    def __init__(self, findings: Iterable[object]) -> None:
        self.findings = list(findings)
        super().__init__("\n".join(map(str, self.findings)))


def names_like(found: object, accepted: Iterable[str], most: int = 1) -> list[str]:
    """Names that are much like the one found, the likest first; often none."""
    return get_close_matches(str(found), list(accepted), most)


def did_you_mean(found: object, accepted: Iterable[str], before: str = "") -> str:
    """ "did you mean fan?" after `before`; "" where no accepted name is like the one found."""
    like = names_like(found, accepted)
    return f"{before}did you mean {like[0]}?" if like else ""


def meant_or_accepted(found: object, accepted: Iterable[str]) -> str:
    """What was perhaps meant, or else all names: "accepted: white, pink, fan"."""
    names = list(accepted)
    return did_you_mean(found, names) or f"accepted: {', '.join(names) or 'none'}"
