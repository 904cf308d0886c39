"""The tap: its command line, its settings, and what a sync begins and ends with."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import typing as t
from functools import cached_property
from pathlib import Path

import click
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib.catalog import Catalog
from singer_sdk.singerlib.messages import StateMessage
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_drchrono import settings, states, survey, words
from tap_drchrono.api.transport import silence_libraries
from tap_drchrono.engine import Engine, Outside
from tap_drchrono.errors import (
    Stopped,
    StreamError,
    TapDrchronoError,
)
from tap_drchrono.first_run import run as first_run
from tap_drchrono.order import Order
from tap_drchrono.records.messages import MessageWriter
from tap_drchrono.report import describe_crash
from tap_drchrono.run_log.terminal import fit_into_terminal
from tap_drchrono.streams.bulk import BulkListStream
from tap_drchrono.streams.catalogs import with_own_columns
from tap_drchrono.streams.catalogue import ENDPOINTS, ON_REQUEST, STREAMS
from tap_drchrono.streams.mapping import mapper_for
from tap_drchrono.streams.readiness import (
    check_selection,
    lies_ahead,
    refuse_start_date,
    unknown_streams,
)
from tap_drchrono.user_files import (
    from_environment,
    misspelt,
    read_json,
    written_by_meltano,
)

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from tap_drchrono.streams.catalogue import AnyStream


_CAPABILITIES = frozenset(
    {
        "about",
        "activate-version",
        "batch",
        "catalog",
        "discover",
        "schema-flattening",
        "state",
        "stream-maps",
        "structured-logging",
    }
)


@contextlib.contextmanager
def _rare_collections() -> t.Iterator[None]:
    """Look for cycles rarely: records hold none, so it is time wasted on them."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class TapDrchrono(Tap):
    """Singer tap for the list endpoints of DrChrono, a health record system."""

    name = "tap-drchrono"
    config_jsonschema = settings.SETTINGS
    message_writer_class = MessageWriter
    # Whatever a newer SDK adds, these are what the tap was built and tested for.
    capabilities: t.ClassVar[list[CapabilitiesEnum]] = [
        one for one in Tap.capabilities if one.value in _CAPABILITIES
    ]

    def __init__(
        self,
        *,
        catalog: dict[str, t.Any] | Catalog | None = None,
        outside: Outside | None = None,
        **kwargs: t.Any,  # noqa: ANN401 - the SDK's own arguments
    ) -> None:
        """Initialize the tap.

        Args:
            catalog: A catalog as a dictionary; it decides selection and replication
                method, while columns and keys are the tap's own.
            outside: Time and network, where they are not this machine's.
            kwargs: As for the SDK's tap.
        """
        silence_libraries()
        self._outside = outside or Outside()
        if isinstance(catalog, Catalog):
            catalog = catalog.to_dict()
        own = None if catalog is None else with_own_columns(catalog)
        self._given_catalog = own or {"streams": []}
        super().__init__(catalog=own, **kwargs)
        if isinstance(self.message_writer, MessageWriter):
            self.message_writer.clock = self._outside.clock

    @cached_property
    def engine(self) -> Engine:
        """What the streams share."""
        return Engine.start(self.config, self._outside, self.logger)

    # Streams

    @override
    def discover_streams(self) -> Sequence[AnyStream]:
        """Return the streams that are always offered, and those asked for."""
        extra = settings.extra_streams(self.config, ON_REQUEST)
        return [
            stream(self, self.engine)
            for stream in STREAMS
            if stream.offered or stream.endpoint().stream in extra
        ]

    @property
    def selected_streams(self) -> list[AnyStream]:
        """The selected streams, in the order in which they are read.

        Plain lists are read while the first bulk lists are generated; but what was
        deleted comes after what it was deleted from.
        """
        streams = t.cast("dict[str, AnyStream]", self.streams)
        selected = [stream for stream in streams.values() if stream.selected]
        return sorted(selected, key=lambda stream: stream.turn)

    def streams_to_read(self) -> list[AnyStream]:
        """The selected streams, once it is sure that there is something to read.

        Raises:
            SettingsError: If a run would read nothing, and look as if all were well.
        """
        for line in unknown_streams(self._given_catalog, self.streams, ENDPOINTS):
            self.logger.warning("%s", line)
        streams = self.selected_streams
        check_selection(streams)
        self.engine.api.expect((one.endpoint(), one.ping()) for one in streams)
        clock, start_date = self.engine.clock, self.config.get("start_date")
        if lies_ahead(start_date, clock.now()):
            self._learn_the_time(streams[0])
            if lies_ahead(start_date, clock.now()):
                refuse_start_date(streams)
        return streams

    # Settings, catalog and state

    @override
    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, t.Any]) -> None:
        """Add the SDK's settings, with a default that lets flattening just work."""
        super().append_builtin_config(config_jsonschema)
        length = config_jsonschema["properties"]["flattening_max_key_length"]
        length["default"] = settings.FLATTENED_NAME_LENGTH

    @classproperty
    @override
    def _env_var_config(cls) -> dict[str, t.Any]:  # noqa: N805
        """Read settings from the environment; what cannot be read is refused later."""
        cls.append_builtin_config(cls.config_jsonschema)
        return from_environment(cls.config_jsonschema, cls._env_var_prefix)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, and fill in defaults."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        given = settings.given(self._config)
        problems = settings.problems(given, schema, ENDPOINTS)
        if raise_errors:
            for line in misspelt(os.environ, schema, self._env_var_prefix):
                self.logger.warning("%s", line)
        if problems and raise_errors:
            msg = "The settings cannot be used"
            raise ConfigValidationError(msg, errors=problems)
        defaults = {
            name: setting["default"]
            for name, setting in schema["properties"].items()
            if "default" in setting
        }
        self._config = defaults | given
        return problems

    @override
    def setup_mapper(self) -> None:
        """Prepare stream maps and flattening, of the selected streams only.

        A deselected stream has no columns, so the SDK would refuse a map for `*`.

        Raises:
            ConfigValidationError: If a map cannot be used.
        """
        self._mapper, self._notes = mapper_for(
            self.config, self.selected_streams, self.logger
        )

    @override
    def load_state(self, state: dict[str, t.Any]) -> None:
        """Take over a state; what is not understood in it counts as no bookmark."""
        for warning in states.warnings(state, ENDPOINTS):
            self.logger.warning("%s", warning)
        super().load_state({"bookmarks": states.entries(state)})

    # The command line

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Ask for an end at the next safe point."""
        self._outside.clock.request_stop(signum)

    def sync(self) -> int:
        """Read all selected streams; the trouble of one does not cost the others.

        Returns:
            The exit status: 0, 1 if a stream failed, or 128 + signal.
        """
        with _rare_collections():
            return self._sync()

    def _sync(self) -> int:
        """Read all selected streams."""
        # The SDK sets it to the log level of everything else.
        self.metrics_logger.setLevel(self.config["metrics_log_level"])
        streams = self.streams_to_read()
        order = Order(streams, self.engine, self.logger)
        progress = self.engine.progress
        progress.expect([stream.name for stream in streams])
        if isinstance(self.message_writer, MessageWriter):
            self.message_writer.on_wait = progress.show_slow_target
        try:
            self._learn_the_time(next((s for s in streams if s.lies_ahead), None))
            for stream in streams:
                stream.begin()
            self.write_message(StateMessage(value=self.state))
            barred = order.barred()
            order.warn_of_an_earlier_start()
            for note in self._notes:
                self.logger.warning("%s", note)
            for stream in streams:
                stream.warn_of_selection()
            order.submit_first_lists(barred)
            failed = order.read_all(barred)
        except Stopped as stop:
            if stop.signum != signal.SIGPIPE:
                self.write_message(StateMessage(value=self.state))
                self.logger.warning(
                    "Stopped; the next run goes on from the last state that was saved."
                )
            return 128 + stop.signum
        if failed:
            refused = [stream.name for stream in streams if stream.is_refused]
            self.logger.error(
                "%d of %s failed: %s. The others are complete%s; the next run goes on "
                "from the last state that was saved.",
                len(failed),
                words.counted(len(streams), "stream"),
                ", ".join(failed),
                f", but for what is refused: {', '.join(refused)}" if refused else "",
            )
        return int(bool(failed))

    def _learn_the_time(self, doubtful: AnyStream | None) -> None:
        """Ask for DrChrono's time, where something lies ahead of this machine's.

        Args:
            doubtful: A stream that can be asked; None where nothing lies ahead.
        """
        if doubtful is not None and not self.engine.clock.is_set:
            with contextlib.suppress(StreamError):
                self.engine.api.ask(doubtful.endpoint(), doubtful.ping(), lambda _: 0)

    def report(self, output_format: str | None, *, follow_up: bool) -> int:
        """Ask what DrChrono's documentation leaves open, and write a page to share.

        Args:
            output_format: `json` prints the JSON as well.
            follow_up: Ask once more after 70 minutes.

        Returns:
            The exit status.
        """
        sizes = {
            stream.name: stream.max_page_size
            for stream in self.selected_streams
            if isinstance(stream, BulkListStream)
        }
        return first_run.make(
            [
                stream.endpoint()
                for stream in self.selected_streams
                if stream.name in sizes or stream.offered
            ],
            self.engine,
            api_url=self.config["api_url"],
            version=self.plugin_version,
            sizes=sizes,
            output_format=output_format,
            follow_up=follow_up,
            logger=self.logger,
            directory=Path.cwd(),
        )

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        state: t.IO[str] | None = None,
        catalog: t.IO[str] | None = None,
        plan_only: bool = False,
        report_only: bool = False,
        follow_up: bool = False,
    ) -> None:
        """Run the command line.

        Args:
            about: Print what the tap is, and its settings.
            about_format: Output style of `about` and `plan_only`.
            config: Settings.
            state: Bookmarks of the run before.
            catalog: Selects streams and fields.
            plan_only: Print what a sync would cost.
            report_only: Ask what DrChrono leaves open, and write a page.
            follow_up: With `report_only`: ask once more after 70 minutes.
        """
        if follow_up and not report_only:
            msg = "--follow-up goes with --report"
            raise click.UsageError(msg)
        if about:
            cls.print_about(about_format)
            return
        config = config or _ConfigInput()
        try:
            tap = cls(
                config=config.config,
                state=read_json(state, "state") if state else None,
                catalog=read_json(catalog, "catalog") if catalog else None,
                parse_env_config=config.parse_env,
                outside=click.get_current_context().obj,
            )
        except ConfigValidationError as error:
            # The SDK's command would add a line of its own.
            _log_problems(error)
            sys.exit(1)
        if report_only:
            sys.exit(tap.report(about_format, follow_up=follow_up))
        if not plan_only:
            sys.exit(tap.sync())
        sys.exit(
            survey.show(
                tap.streams_to_read(),
                tap.engine,
                at_once=tap.config["max_pending_lists"],
                output_format=about_format,
            )
        )

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        """Read the settings files."""
        if value == ("MELTANO",):
            value = (str(written_by_meltano(os.environ)),)
        try:
            found = super().cb_config(ctx, param, value)
        except OSError as error:
            reason = error.strerror or "it does not exist"
            msg = f"a settings file cannot be read ({reason}): {', '.join(value)}"
            raise click.BadParameter(msg) from None
        except (TypeError, ValueError):
            msg = f"a settings file is not a JSON object: {', '.join(value)}"
            raise click.BadParameter(msg) from None
        return found

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Test the credentials, the connection, and each selected stream."""
        if value == CliTestOptionValue.Disabled.value:
            return
        if value == CliTestOptionValue.Schema.value:
            super().cb_test(ctx, param, value)
        config: _ConfigInput = ctx.params.get("config") or _ConfigInput()
        catalog = ctx.params.get("catalog")
        tap = cls(
            config=config.config,
            catalog=read_json(catalog, "catalog") if catalog else None,
            parse_env_config=config.parse_env,
            outside=ctx.obj,
        )
        ctx.exit(survey.test(tap.streams_to_read(), tap.engine))

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """Return the command line."""
        command = super().get_singer_command()
        for param in command.params:
            if param.name == "catalog":
                param.is_eager = True  # so that --test knows it
            if param.name == "about_format":
                t.cast(
                    "click.Option", param
                ).help = "Style of --about, --plan and --report."
            if param.name == "test":
                t.cast("click.Option", param).help = (
                    "Test the credentials, the connection and each selected stream. "
                    "--test=schema writes the schemas only."
                )
        command.params.append(
            click.Option(
                ["--plan", "plan_only"],
                is_flag=True,
                help="Print how many requests and how long a sync would take.",
            )
        )
        command.params.append(
            click.Option(
                ["--report", "report_only"],
                is_flag=True,
                help="Ask what DrChrono leaves open, and write a page to share.",
            )
        )
        command.params.append(
            click.Option(
                ["--follow-up", "follow_up"],
                is_flag=True,
                help="With --report: ask after 70 minutes if a list is still there.",
            )
        )
        return command


def _log_problems(refused: ConfigValidationError) -> None:
    """Log one line for each problem with the settings."""
    for problem in refused.errors:
        TapDrchrono.logger.error("%s", problem)


def main(outside: Outside | None = None) -> None:
    """Run the tap; a user's mistake is one line, and no error text holds data.

    Args:
        outside: Time and network, where they are not this machine's.
    """
    logger = TapDrchrono.logger
    status = 1
    try:
        command = TapDrchrono.cli
        fit_into_terminal()
        command(obj=outside)
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        status = end.code
    except Stopped as stop:
        status = 128 + stop.signum
    except ConfigValidationError as error:
        _log_problems(error)
    except TapDrchronoError as error:
        logger.error("%s", error)  # noqa: TRY400 - no traceback for a user's mistake
    except Exception as error:  # noqa: BLE001 - its text may hold data
        logger.error("%s", describe_crash(error))  # noqa: TRY400 - nor its traceback
    if status > 128:  # noqa: PLR2004 - stopped by a signal
        _keep_status()
    sys.exit(status)


def _keep_status() -> None:
    """Let no further signal of the same wish change the exit status.

    The interpreter puts the default handlers back before it is gone.
    """
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_IGN)
