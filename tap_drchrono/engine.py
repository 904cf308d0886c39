"""What one sync shares: one value, handed to whatever needs it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import requests

from tap_drchrono.api.ask import Api
from tap_drchrono.api.outage import Outage
from tap_drchrono.api.quota import Quota
from tap_drchrono.api.transport import Transport
from tap_drchrono.clock import Clock
from tap_drchrono.credentials.auth import Authenticator
from tap_drchrono.credentials.grant import Credentials
from tap_drchrono.lists.budget import JobBudget
from tap_drchrono.run_log.progress import Progress

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Mapping


@dataclass(frozen=True)
class Outside:
    """Where the tap meets the world: time, and the network.

    Attributes:
        clock: Time, waiting, and the wish to stop.
        session: The one HTTP session.
    """

    clock: Clock = field(default_factory=Clock)
    session: requests.Session = field(default_factory=requests.Session)


@dataclass(frozen=True)
class Engine:
    """What the streams of one sync share.

    Attributes:
        clock: Time, waiting, and the wish to stop.
        quota: Counts all requests.
        authenticator: Puts the access token on requests, and refreshes it.
        api: Asks DrChrono.
        budget: Keeps the number of pending lists within bounds.
        progress: Says how far the sync has come.
    """

    clock: Clock
    quota: Quota
    authenticator: Authenticator
    api: Api
    budget: JobBudget
    progress: Progress

    @classmethod
    def start(
        cls, config: Mapping[str, t.Any], outside: Outside, logger: logging.Logger
    ) -> Engine:
        """Put together what a sync needs. Nothing is read or sent yet.

        Args:
            config: The settings, defaults included.
            outside: Time and network.
            logger: Says how far the sync has come, and why it waits.

        Returns:
            The engine.
        """
        clock = outside.clock
        quota = Quota(config["hourly_request_limit"], clock, logger)
        timeout = config["request_timeout"]
        outage = Outage(clock, logger, config["outage_timeout"])
        transport = Transport(outside.session, quota, outage, clock, timeout)
        authenticator = Authenticator(
            Credentials.from_config(config),
            # After a stop too: an answer that nobody stores ends the grant.
            send=lambda request: transport.send(request, grace=timeout),
            clock=clock,
            patience=outage,
        )
        api = Api(transport, authenticator, outage, clock, logger)
        at_once = config["max_pending_lists"]
        return cls(
            clock=clock,
            quota=quota,
            authenticator=authenticator,
            api=api,
            budget=JobBudget(at_once, clock),
            progress=Progress(
                clock,
                quota,
                api.requests,
                logger,
                at_once=at_once,
                lost=lambda: quota.waited + outage.lasted,
            ),
        )
