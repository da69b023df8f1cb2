"""Records of what a process does, for whoever runs the server."""

import logging
import sys

import structlog


def keep_records(*, least: int = logging.INFO) -> None:
    """Write records as lines of `key=value` with the hour, to the standard error."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(least),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
