"""The SDK's mapper, with maps that fit each stream."""

from __future__ import annotations

import typing as t

from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.mapper import PluginMapper

from tap_drchrono import stream_maps
from tap_drchrono.streams.catalogue import ENDPOINTS

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence

    from tap_drchrono.streams.catalogue import AnyStream

_REFUSED = "stream_maps: cannot be used"


def mapper_for(
    config: Mapping[str, t.Any], streams: Sequence[AnyStream], logger: logging.Logger
) -> tuple[PluginMapper, list[str]]:
    """Prepare stream maps and flattening.

    Args:
        config: The settings.
        streams: The selected streams.
        logger: For the SDK.

    Returns:
        The mapper, and what was left out of maps, in a line each.

    Raises:
        ConfigValidationError: If a map cannot be used.
    """
    maps = config.get("stream_maps") or {}
    columns = {stream.name: stream.columns for stream in streams}
    fitted = stream_maps.fit(maps, columns, ENDPOINTS)
    if fitted.problems:
        raise ConfigValidationError(_REFUSED, errors=fitted.problems)
    rest: dict[str, t.Any] = {name: None for name in maps if name == "__else__"}
    mapper = PluginMapper({**config, "stream_maps": rest}, logger)
    for stream in streams:
        mapper.stream_maps_dict = fitted.maps[stream.name]
        try:
            mapper.register_raw_stream_schema(
                stream.name, stream.selected_schema, stream.primary_keys
            )
        except Exception as error:  # noqa: BLE001 - its text quotes the map
            problem = f"{_REFUSED} for {stream.name} ({type(error).__name__})"
            raise ConfigValidationError(_REFUSED, errors=[problem]) from None
    return mapper, fitted.notes
