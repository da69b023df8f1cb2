"""What every test may ask for. Each gets a database of its own, and the code under test commits."""

import os
import tempfile
from collections.abc import AsyncGenerator, Generator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State
from playwright.async_api import Browser
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from mailer.accounts.passwords import Hasher
from mailer.bootstrap import House
from mailer.kit.db import make_engine
from mailer.kit.secrets import Keys
from mailer.kit.work import Door, Work
from mailer.settings import Settings
from tests.cast import Cast, gather, recall
from tests.support import browser as chrome
from tests.support import postgres, visibility
from tests.support.databases import PostgresCopies, SqliteCopies, migrated_template
from tests.support.relay import Relay
from tests.support.rooms import ROOT_KEY, Rooms
from tests.support.signing_in import signed_in
from web.app import make_app
from web.wiring import Entrance

CLUSTER = pytest.StashKey[postgres.Cluster]()
KINDS = ("sqlite", "postgres")
BASE = "http://127.0.0.1:8000"
CHEAP = Hasher(memory_kib=8, rounds=1, lanes=1)  # as in tests.cast: argon2 is dear on purpose


# --- choosing databases -------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=[*KINDS, "both"], default="both", help="databases to test on")
    parser.addoption("--shots", type=Path, default=None, help="folder for pictures of pages")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--db")
        kinds = KINDS if wanted == "both" else [wanted]
        # Where the database makes no difference one is enough; the other when only it is wanted.
        one = metafunc.definition.get_closest_marker("any_database")
        metafunc.parametrize(
            "database", kinds[:1] if one else _hurried(metafunc, kinds), indirect=True
        )


def _hurried(metafunc: pytest.Metafunc, kinds: Sequence[str]) -> list[Any]:
    """Leave pages on the second database for the long run: what they call is tested on both."""
    if "web" not in metafunc.definition.path.parts:
        return list(kinds)
    return [kinds[0], *[pytest.param(kind, marks=pytest.mark.story) for kind in kinds[1:]]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Open a test's own unit of work last: on SQLite it keeps the others from writing."""
    for item in items:
        names: list[str] = getattr(item, "fixturenames", [])
        if "work" in names:
            names.remove("work")
            names.append("work")


def cluster_folder(config: pytest.Config) -> Path | None:
    """Start PostgreSQL when first needed, once for all workers; they are told its folder."""
    if hasattr(config, "workerinput"):
        said = config.workerinput["postgres"]
        return Path(said) if said else None
    if not postgres.binaries():
        return None
    if CLUSTER not in config.stash:
        config.stash[CLUSTER] = cluster = postgres.Cluster.start()
        migrated_template(cluster.folder)
    return config.stash[CLUSTER].folder


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the one cluster to an xdist worker."""
    wanted = node.config.getoption("--db") != "sqlite"
    folder = cluster_folder(node.config) if wanted else None
    node.workerinput["postgres"] = str(folder or "")


def pytest_unconfigure(config: pytest.Config) -> None:
    if cluster := config.stash.get(CLUSTER, None):
        cluster.server.stop()
        del config.stash[CLUSTER]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed run: nothing may be quietly left out."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


# --- databases ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_copies() -> Generator[SqliteCopies]:
    """In memory where there is a folder for it: each commit waits for the disk otherwise."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="rollcall-sqlite-",
        dir=memory if os.access(memory, os.W_OK) else None,
    ) as folder:
        yield SqliteCopies(Path(folder))


@pytest.fixture(scope="session")
def postgres_copies(request: pytest.FixtureRequest) -> Generator[PostgresCopies]:
    folder = cluster_folder(request.config)
    if folder is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    with PostgresCopies(folder, worker) as copies:
        yield copies


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Generator[str]:
    """Give the URL of a migrated database for this test alone; with the cast in it if wanted."""
    copies = request.getfixturevalue(f"{request.param}_copies")
    altered = request.node.get_closest_marker("alters") is not None
    peopled = "cast" in request.fixturenames
    with copies.one(altered=altered, peopled=peopled) as url:
        yield url


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """asyncio only. The scope must be as wide as the widest async fixture (the browser)."""
    return "asyncio"


@pytest.fixture
def keys() -> Keys:
    """Give the same keys as the processes that `rooms` starts."""
    return Keys(bytes.fromhex(ROOT_KEY))


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """Give settings for the test's database; nothing is sent anywhere unless a relay is named."""
    return Settings(
        data=str(tmp_path / "data"),
        database=database,
        secret=ROOT_KEY,
        public_url=BASE,
        smtp_security="none",
    )


@pytest.fixture
async def engine(database: str) -> AsyncGenerator[AsyncEngine]:
    engine = make_engine(database)
    _compile_once(engine.sync_engine)
    yield engine
    await engine.dispose()


_FIRST: dict[str, Engine] = {}


def _compile_once(engine: Engine) -> None:
    """Let the engines of all tests share what was compiled: it was a sixth of their time."""
    first = _FIRST.setdefault(engine.dialect.name, engine)
    engine.dialect = first.dialect
    engine._compiled_cache = first._compiled_cache


@pytest.fixture
def house(settings: Settings, engine: AsyncEngine, keys: Keys) -> House:
    """Give what a process has, on the test's database."""
    return House(settings=settings, engine=engine, keys=keys)


@pytest.fixture
async def work(house: House) -> AsyncGenerator[Work]:
    """Give one unit of work; it is committed when the test is over, and that must succeed."""
    async with house.work(door=Door.PAGE) as work:
        yield work


@pytest.fixture
async def cast(house: House) -> Cast:
    """Give the people of all our stories, committed."""
    async with house.work(door=Door.CLI) as work:
        return await recall(work) or await gather(work)


@pytest.fixture(autouse=True)
def nobody_reads_what_they_may_not() -> Generator[None]:
    """Fail the test if any statement read subscribers without `visible(work)`."""
    with visibility.watching() as unseen:
        yield
    assert not unseen, "reads subscribers without visible(work):\n" + "\n\n".join(unseen)


# --- the web, in the test's own loop ------------------------------------------------------------


@pytest.fixture
async def web(house: House) -> AsyncGenerator[httpx.AsyncClient]:
    """Give a client of the application, run in this very loop so that the engine can be shared.

    Not Litestar's AsyncTestClient: that runs the application in a thread with another loop. The
    client sends what a browser sends with a form of our own page: its origin.
    """
    app = _entered(house)

    async def no_fault(answer: httpx.Response) -> None:
        # 507 is a full disk, said in words: no fault of the application's.
        assert answer.status_code < 500 or answer.status_code == 507, await answer.aread()

    async with (
        app.lifespan(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(_any(app)),
            base_url=BASE,
            headers={"origin": BASE},
            event_hooks={"response": [no_fault]},
        ) as client,
    ):
        yield client


_APPS: dict[bool, tuple[Litestar, Any]] = {}


def _entered(house: House) -> Litestar:
    """Give the one application of this process with an entrance of the test's own.

    Reading two hundred signatures anew for each test took a quarter of a second. What an
    application knows of its house is at its entrance.
    """
    if house.settings.demo not in _APPS:
        app = make_app(house, hasher=CHEAP)
        _APPS[house.settings.demo] = app, _any(app.asgi_handler).app
    app, routes = _APPS[house.settings.demo]
    app.asgi_handler = Entrance(house, CHEAP, routes)
    app.state = State()  # what pages remember for a while is no other test's
    return app


def _any(app: Any) -> Any:
    """Httpx and Litestar write the type of an ASGI application differently."""
    return app


@pytest.fixture
async def admin(web: httpx.AsyncClient, cast: Cast, house: House) -> httpx.AsyncClient:
    """Give a client that Amina, an owner, has signed in with: password, app and code."""
    await signed_in(web, house, cast.amina)
    return web


# --- real things --------------------------------------------------------------------------------


@pytest.fixture
async def relay() -> AsyncGenerator[Relay]:
    async with Relay() as relay:
        yield relay


@pytest.fixture
def rooms(database: str, tmp_path: Path) -> Generator[Rooms]:
    """Give real processes on the test's database: a worker, a web server."""
    with Rooms(database, tmp_path) as rooms:
        yield rooms


@pytest.fixture(scope="session")
async def browser(anyio_backend: str) -> AsyncGenerator[Browser]:
    """One Chromium for all tests of a worker; every page gets a context of its own."""
    executable = chrome.chromium()
    if executable is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    async with chrome.launched(executable) as browser:
        yield browser


@pytest.fixture
def shots(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder: Path = request.config.getoption("--shots") or tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder
