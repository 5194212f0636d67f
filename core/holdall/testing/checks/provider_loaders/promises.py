"""The promises of provider loaders: what they accept, and what they load without running it."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from holdall.contracts import FindsProviders, InstalledProvider, Translates
from holdall.errors import ProviderLoadError
from holdall.testing.checks.damage import contents, damaged
from holdall.testing.checks.fresh import require_found_without_import, require_quick_import
from holdall.testing.checks.outcomes import CheckFailed, CheckSkipped, require
from holdall.testing.checks.provider_loaders.subject import content
from holdall.testing.checks.watching import watched
from holdall.units import Provider, ProviderProblem, Unit

if TYPE_CHECKING:
    from holdall.testing.checks.provider_loaders.subject import LoaderSubject

_LOOK_S: Final = 0.5  # of CPU time; folders may be looked into

NONSENSE: Final = (
    "no such thing",
    "/no/such/folder/of-units",
    "no_such_package.of_units",
    "http://127.0.0.1:1/units",
    "C:\\units",
    "~nobody-is-called-so/units",
    "a\nb",
    "nul\x00",
    "\udc80",
    "{}",
    "%s --help",
    "long" * 2000,
)
"""Texts that mean nothing on any machine."""

_LANGUAGES: Final = ("de", "pt_BR", "xx", "../../etc", "\x00", "long" * 100)


def is_found_without_import(subject: LoaderSubject) -> None:
    """Its name leads to it before anything of it is imported."""
    require_found_without_import(subject.candidate)


def is_imported_quickly(subject: LoaderSubject) -> None:
    """Its import keeps to a budget of CPU time, and pulls in nothing that no loader needs."""
    require_quick_import(subject.candidate, subject.import_ms)


def refuses_nonsense(subject: LoaderSubject) -> None:
    """It accepts no text that means nothing, no empty folder and no binary file."""
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        empty, binary = Path(folder, "empty"), Path(folder, "binary")
        empty.mkdir()
        binary.write_bytes(bytes(range(256)))
        for text in (*NONSENSE, str(empty), str(binary)):
            require(not _accepts(subject, text), f"it accepts {text[:40]!r}")


def accepts_its_sources(subject: LoaderSubject) -> None:
    """It accepts its sources by looking: nothing is started, executed or imported."""
    for source in subject.given():
        require(_accepts(subject, source), f"it refuses {source!r}")


def loads_units(subject: LoaderSubject) -> None:
    """Each source is a provider with a name, a namespace, a version and units."""
    for source in subject.given():
        provider = _loaded(subject, source)
        require(isinstance(provider, Provider), f"it returned {type(provider).__name__}")
        for name in ("name", "namespace", "version"):
            require(getattr(provider, name), f"the provider of {source!r} has no {name}")
        require(provider.unit_list, f"the provider of {source!r} has no unit")
        strange = [unit for unit in provider.unit_list if not isinstance(unit, Unit)]
        require(not strange, f"{strange and strange[0]!r} of {source!r} is no Unit")


def says_where_units_are(subject: LoaderSubject) -> None:
    """Each unit says the file that it is from, so that its errors can."""
    for source in subject.given():
        for unit in _loaded(subject, source).unit_list:
            require(unit.origin, f"the unit {unit.id!r} of {source!r} has no origin")


def loads_again_what_it_names(subject: LoaderSubject) -> None:
    """The source that the provider names is what it can be loaded from again."""
    for source in subject.given():
        provider = _loaded(subject, source)
        again = _loaded(subject, provider.source or source)
        require(content(again) == content(provider), f"{provider.source!r} is another provider")


def fails_as_a_loader(subject: LoaderSubject) -> None:
    """What is not there or is nothing of the kind is a ProviderLoadError, and no other error."""
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        for text in (*NONSENSE, folder):
            try:
                provider = subject.loader().load(text)
                provider.unit_list  # noqa: B018 - it is read on first use
            except ProviderLoadError:
                continue
            except (Exception, SystemExit) as error:
                words = f"{type(error).__name__}: {error}"
                raise CheckFailed(f"loading {text[:40]!r} raised {words[:200]}") from error
            raise CheckFailed(f"loading {text[:40]!r} gave a provider")


def executes_nothing(subject: LoaderSubject) -> None:
    """Loading starts no process, opens no connection, and imports nothing of the provider."""
    for source in subject.given():
        before = set(sys.modules)
        with watched(os.path.abspath(source)) as seen:  # noqa: PTH100 - it need be no path
            _loaded(subject, source)
        require(not seen, f"loading {source!r} caused {', '.join(seen)}")
        imported = source.partition(":")[0] in set(sys.modules) - before
        require(not imported, f"loading {source!r} imported it")


def executes_no_python_of_the_source(subject: LoaderSubject) -> None:
    """Python files of the source, which would leave a mark, are not executed."""
    with subject.copies() as copies:
        for copy in copies:
            _loaded(subject, str(copy.path))
            require(not copy.mark.exists(), f"loading executed Python code of {copy.path.name!r}")


def leaves_the_source_alone(subject: LoaderSubject) -> None:
    """Nothing of the source is changed, and nothing is written beside it."""
    with subject.copies() as copies:
        for copy in copies:
            before = contents(copy.path.parent)
            _loaded(subject, str(copy.path))
            changed = sorted(set(before.items()) ^ set(contents(copy.path.parent).items()))
            require(not changed, f"loading changed {changed and changed[0][0]!r}")


def prints_nothing(subject: LoaderSubject) -> None:
    """Standard output and standard error are the user's."""
    printed = StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        for source in subject.given():
            _accepts(subject, source)
            _loaded(subject, source)
    require(not printed.getvalue(), f"it printed {printed.getvalue()[:40]!r}")


def repeats_itself(subject: LoaderSubject) -> None:
    """The same source is the same provider, unit for unit."""
    for source in subject.given():
        first, second = content(_loaded(subject, source)), content(_loaded(subject, source))
        require(first == second, f"{source!r} is another provider the second time")


def works_in_threads(subject: LoaderSubject) -> None:
    """Loads at the same time give what one alone does."""
    sources = list(subject.given())
    alone = [content(_loaded(subject, source)) for source in sources]
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda source: content(_loaded(subject, source)), sources * 4))
    require(loaded == alone * 4, "loads at the same time disturb each other")


def survives_damage(subject: LoaderSubject) -> None:
    """What is cut or damaged costs definitions, or is a ProviderLoadError, and no other error."""
    with subject.copies() as copies:
        for copy in copies:
            for what in damaged(copy.path):
                try:
                    problems = subject.loader().load(str(copy.path)).problems
                except ProviderLoadError:
                    continue
                except (Exception, SystemExit) as error:
                    words = f"{type(error).__name__}: {error}"
                    raise CheckFailed(f"{copy.path.name!r} {what} raised {words}") from error
                for problem in problems:
                    _check_problem(problem, f"{copy.path.name!r} {what}")


def keeps_the_rest_of_a_damaged_source(subject: LoaderSubject) -> None:
    """One bad record is a problem with its file and line, and costs no other record."""
    if not subject.damaged:
        raise CheckSkipped("it takes a source with one bad record: `damaged` in a test")
    for source in subject.damaged:
        provider = _loaded(subject, source)
        require(provider.problems, f"the provider of {source!r} has no problem")
        for problem in provider.problems:
            _check_problem(problem, repr(source))
            require(problem.line, f"a problem of {source!r} names no line: {problem}")
        require(provider.unit_list, f"the bad record of {source!r} cost all the others")


def speaks_other_languages(subject: LoaderSubject) -> None:
    """A language changes texts and no id, and one that it lacks changes nothing."""
    loader = subject.loader()
    if not isinstance(loader, Translates):
        raise CheckSkipped("it does not translate: it has no method load_in")
    for source in subject.given():
        plain = _loaded(subject, source)
        ids = [(unit.kind, unit.id) for unit in plain.unit_list]
        for lang in _LANGUAGES:
            spoken = loader.load_in(source, lang)
            same = [(unit.kind, unit.id) for unit in spoken.unit_list] == ids
            require(same, f"the units of {source!r} are others in the language {lang[:20]!r}")
        require(
            [unit.checksum for unit in loader.load_in(source, "").unit_list]
            == [unit.checksum for unit in plain.unit_list],
            f"the units of {source!r} are others without a language",
        )


def finds_what_it_loads(subject: LoaderSubject) -> None:
    """What it finds on this machine is described, read later, and loads if it says so."""
    loader = subject.loader()
    if not isinstance(loader, FindsProviders):
        raise CheckSkipped("it finds nothing by itself: it has no method find")
    for environ in ({}, dict.fromkeys(os.environ, "/no/such/folder:\x00"), os.environ):
        with watched() as seen:
            found = list(loader.find(environ))
        require(not seen, f"finding providers caused {', '.join(seen)}")
        for each in found:
            require(isinstance(each, InstalledProvider), f"it found {each!r}")
            require(each.state == "ready" or each.reason, f"{each.name!r} has no reason")
            if each.state == "ready":
                _loaded(subject, each.source)


def _accepts(subject: LoaderSubject, text: str) -> bool:
    """Ask the loader; whatever it raises or starts, and anything but a bool, breaks a promise."""
    start = time.process_time()
    modules = set(sys.modules)
    with watched() as seen:
        try:
            answer = subject.loader().accepts(text)
        except (Exception, SystemExit) as error:
            words = f"{type(error).__name__}: {error}"
            raise CheckFailed(f"looking at {text[:40]!r} raised {words[:200]}") from error
    took = time.process_time() - start
    require(isinstance(answer, bool), f"accepts returned {answer!r} and not True or False")
    require(not seen, f"looking at {text[:40]!r} caused {', '.join(seen)}")
    imported = text in set(sys.modules) - modules
    require(not imported, f"looking at {text[:40]!r} imported it")
    require(took < _LOOK_S, f"looking at {text[:40]!r} took {took:.1f} s of CPU time")
    return answer


def _loaded(subject: LoaderSubject, source: str) -> Provider:
    """Return the provider of *source*, with its units read.

    Raises:
        CheckFailed: The loader raised.
    """
    try:
        provider = subject.loader().load(source)
        provider.unit_list  # noqa: B018 - it is read on first use
    except (Exception, SystemExit) as error:
        words = f"{type(error).__name__}: {error}"
        raise CheckFailed(f"loading {source!r} raised {words}") from error
    return provider


def _check_problem(problem: ProviderProblem, what: str) -> None:
    require(isinstance(problem, ProviderProblem), f"a problem of {what} is {problem!r}")
    require(problem.file, f"a problem of {what} names no file: {problem}")
