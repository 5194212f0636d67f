"""The person at the terminal, who performs manual jobs and reports their outcome."""

from __future__ import annotations

import sys
from gettext import gettext as _
from typing import TYPE_CHECKING, Final, Literal, get_args

from holdall.cli.output import note, note_lines, one_line
from holdall.cli.progress import time_left
from holdall.cli.terminal import Terminal
from holdall.contracts import Move, Reply
from holdall.languages import N_
from holdall.results import Outcome
from holdall.session import retry_candidates, try_again

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from holdall.cli.progress import Pause
    from holdall.contracts import Question
    from holdall.results import Stream
    from holdall.session import SessionManager
    from holdall.units import Job

Shown = Literal["show", "hide-resource-and-attachment", "hide-automated"]
"""Of which jobs the output is shown as it comes."""

SHOWN: Final[tuple[Shown, ...]] = get_args(Shown)
DEFAULT_SHOWN: Final[Shown] = "hide-resource-and-attachment"

_PARTS: Final = {
    "purpose": N_("PURPOSE"),
    "steps": N_("STEPS"),
    "verification": N_("VERIFICATION"),
    "description": N_("DESCRIPTION"),
}

# What can be answered: the letter to type, the whole words, and what the menu says.
_PASS: Final = ("p", ("pass", "passed"), N_("[p]assed"))
_FAIL: Final = ("f", ("fail", "failed"), N_("[f]ailed"))
_SKIP: Final = ("s", ("skip", "skipped"), N_("[s]kip"))
_COMMENT: Final = ("c", ("comment",), N_("[c]omment"))
_AGAIN: Final = ("r", ("run", "run again", "rerun"), N_("[r]un again"))
_BACK: Final = ("b", ("back",), N_("[b]ack"))
_QUIT: Final = ("q", ("quit",), N_("save and [q]uit"))
_OUTCOMES: Final = {"p": Outcome.PASS, "f": Outcome.FAIL, "s": Outcome.SKIP}
_MOVES: Final = {"r": Move.RUN, "b": Move.BACK, "q": Move.PAUSE}

Choice = tuple[str, tuple[str, ...], str]


def person_at_terminal(pause: Pause, *, shown: Shown = DEFAULT_SHOWN) -> PersonAtTerminal | None:
    """Return the person that can be asked, None where nobody sits at a terminal.

    Args:
        pause: Keeps still whatever else is shown, while it is entered.
        shown: Of which jobs the output is shown.
    """
    return PersonAtTerminal(Terminal(pause), shown) if is_at_terminal() else None


def is_at_terminal() -> bool:
    """Whether somebody sits at a terminal, and can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


class PersonAtTerminal:
    """Asks on standard error, and reads answers from standard input."""

    def __init__(self, terminal: Terminal, shown: Shown) -> None:
        self._terminal = terminal
        self._shown: Final = shown
        self._asked = 0
        self._explained = ""

    @property
    def stdin(self) -> int | None:
        """Standard input, which commands may read from."""
        return sys.stdin.fileno()

    def announce(self, question: Question) -> None:
        """Show what a command is for that runs unasked."""
        with self._terminal.asking():
            self._introduce(question, "purpose")

    def prepare(self, question: Question) -> Reply:
        """Show what is to be done, and wait until the command may run."""
        with self._terminal.asking():
            self._introduce(question, "purpose", "steps")
            return self._menu(question, _("Ready?"), (), None)

    def decide(self, question: Question) -> Reply:
        """Show what is to be verified, and return what the person decides."""
        result, job = question.result, question.job
        suggested = None
        choices: tuple[Choice, ...] = (_PASS, _FAIL)
        with self._terminal.asking():
            if result is None or self._explained != job.id:
                self._introduce(question, "purpose", "steps")
            if result is not None:
                suggested = Outcome.PASS if result.return_code == 0 else Outcome.FAIL
                outcome = _(suggested.label)
                message = _("The command ended with exit code {code}: {outcome}.")
                note(message.format(code=result.return_code, outcome=outcome))
            _explain(job, "verification")
            if question.outcome is not Outcome.NONE:
                suggested = question.outcome
            return self._menu(question, _("What came out?"), choices, suggested)

    def watch(self, job: Job) -> AbstractContextManager[None]:
        """Show what the command of *job* writes, and let Ctrl-C end it, while this is entered."""
        return self._terminal.watching(job, shown=self._shows(job))

    def show(self, stream: Stream, data: bytes) -> None:
        """Show what the command wrote just now."""
        self._terminal.show(stream, data)

    def _introduce(self, question: Question, *parts: str) -> None:
        _head(question)
        _explain(question.job, *parts)
        self._explained = question.job.id

    def _shows(self, job: Job) -> bool:
        if "use-chunked-io" in job.flags:
            return True
        if "suppress-output" in job.flags:
            return False
        if not job.automated or self._shown == "show":
            return True
        is_data = job.plugin in {"resource", "attachment"}
        return self._shown == "hide-resource-and-attachment" and not is_data

    def _menu(
        self,
        question: Question,
        text: str,
        decisions: Sequence[Choice],
        suggested: Outcome | None,
    ) -> Reply:
        """Ask until an answer is complete, comments included."""
        self._asked += 1
        is_start = not decisions
        choices = [*decisions, _SKIP, _COMMENT]
        choices += [_AGAIN] if question.result is not None else []
        choices += [_BACK] if question.can_go_back else []
        choices.append(_QUIT)
        comments = question.comments
        if comments:
            note(_("Comments so far: {comments}").format(comments=one_line(comments)))
        prompt = f"{text} {', '.join(_(choice[2]) for choice in choices)}"
        if is_start:
            default = _("Enter: run the command")
            prompt += f" ({default})"
        elif suggested is not None:
            default = _("Enter: {outcome}").format(outcome=_(suggested.label))
            prompt += f" ({default})"
        while True:
            answer = self._choice(prompt, choices, empty=is_start or suggested is not None)
            if answer == "c":
                comments = self._terminal.ask(_("Comments"))
                question.keep(Outcome.NONE, comments)
                continue
            if answer in _MOVES or (is_start and not answer):
                return Reply(move=_MOVES.get(answer, Move.RUN), comments=comments)
            outcome = _OUTCOMES.get(answer, suggested or Outcome.NONE)
            said = self._complete(question, outcome, comments)
            if said is not None:
                return Reply(move=Move.DECIDE, outcome=outcome, comments=said)

    def _complete(self, question: Question, outcome: Outcome, comments: str) -> str | None:
        """Return the comments on an outcome; None if it counts only with some."""
        if comments or outcome is Outcome.PASS:
            return comments
        question.keep(outcome, comments)
        comments = self._terminal.ask(_("Comments"))
        if comments or not question.needs_comment(outcome):
            return comments
        question.keep(Outcome.NONE, comments)
        note(
            _(
                "This job is important enough that {outcome} needs a comment; nothing is recorded."
            ).format(outcome=_(outcome.label))
        )
        return None

    def _choice(self, prompt: str, choices: Sequence[Choice], *, empty: bool) -> str:
        """Return the letter of an answer; nothing for Enter, where that means something."""
        while True:
            answer = self._terminal.ask(prompt).lower()
            if not answer and empty:
                return ""
            for letter, whole, _menu in choices:
                if answer == letter or answer in whole:
                    return letter
            if answer:
                note(_("{answer!r} is no answer here").format(answer=answer))

    def wants_retry(self, manager: SessionManager) -> bool:
        """Offer jobs that did not end well to be run again; whether the person chose some.

        Only a person who was asked before is known to be there. One who leaves has chosen none.
        """
        candidates = [
            (context, state)
            for context in manager.device_context_list
            for state in retry_candidates(context)
        ]
        if not candidates or not self._asked:
            return False
        try:
            with self._terminal.asking():
                note("")
                note(_("These jobs did not pass:"))
                for number, (context, state) in enumerate(candidates, start=1):
                    label = _(state.result.outcome.label)
                    note(f"  {number:>3}  {label}  {_named(context.device.id, state.job)}")
                numbers = self._numbers(len(candidates))
        except KeyboardInterrupt:
            note("")
            return False  # nothing is left to go on with: the run is at its end
        chosen = [candidates[number - 1] for number in numbers]
        for context in manager.device_context_list:
            try_again(context, [state.job.id for home, state in chosen if home is context])
        if chosen:
            manager.checkpoint()
        return bool(chosen)

    def _numbers(self, count: int) -> list[int]:
        prompt = _("Run again? Numbers such as 1 3-5, [a]ll, or Enter to finish")
        while True:
            answer = self._terminal.ask(prompt).lower().replace(",", " ")
            if answer in {"a", "all"}:
                return list(range(1, count + 1))
            if answer == _QUIT[0] or answer in _QUIT[1]:
                return []
            try:
                return _parsed_numbers(answer, count)
            except ValueError:
                note(_("{answer!r} is no answer here").format(answer=answer))


def _parsed_numbers(text: str, count: int) -> list[int]:
    """Return the numbers of `1 3-5`.

    Raises:
        ValueError: It is something else, or a number is not between 1 and *count*.
    """
    numbers: dict[int, None] = {}
    for part in text.split():
        first, _dash, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            if not 1 <= number <= count:
                raise ValueError(number)
            numbers[number] = None
    return list(numbers)


def _named(device_id: str, job: Job) -> str:
    device = "" if device_id == "local" else f"{device_id} "
    return f"{device}{job.id}"


def _head(question: Question) -> None:
    job = question.job
    note("")
    note(f"[{question.number}/{question.total}] {job.summary}")
    left = time_left(question.seconds_left, is_least=question.is_least)
    named = _named(question.device.id, job)
    note("; ".join(filter(None, (named, one_line(question.category), left))))


def _explain(job: Job, *parts: str) -> None:
    """Print these parts of what is to be done; a job without a purpose has its description."""
    for name in parts:
        text = job.get(name)
        heading = name
        if name == "purpose" and not text:
            text, heading = job.get("description"), "description"
        if text:
            note_lines(f"\n{_(_PARTS[heading])}:\n{text}")
