"""Static files. Their addresses carry a piece of their hash, so they may be kept for a year."""

import functools
import hashlib
from pathlib import Path

from litestar import Router
from litestar.static_files import create_static_files_router

from web.kit.security import public

STATIC = Path(__file__).parent.parent / "static"

FOR_A_YEAR = "public, max-age=31536000, immutable"
FOR_A_DAY = "public, max-age=86400"


@functools.cache
def static(name: str) -> str:
    """Give the address of a static file. A file that is not there is a fault of the template."""
    digest = hashlib.blake2b((STATIC / name).read_bytes(), digest_size=6).hexdigest()
    return f"/static/{name}?v={digest}"


def static_files() -> Router:
    """Serve the folder of static files."""
    return create_static_files_router("/static", [STATIC], opt=public, cache_control=None)
