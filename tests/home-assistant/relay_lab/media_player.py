"""A media player that fetches what it is to play, and takes as long as that lasts, also without end; it cannot announce by itself."""

import asyncio
import time

from aiohttp import ClientTimeout

from homeassistant.components.media_player import MediaPlayerEntity, MediaPlayerEntityFeature, MediaPlayerState
from homeassistant.helpers.aiohttp_client import async_get_clientsession

# Of the relay's MP3, in bits a second.
BITRATE = 128_000

# What is live has no end.
NO_TIMEOUT = ClientTimeout(total=None)


async def async_setup_platform(hass, config, add_entities, discovery_info=None):
    add_entities([LabSpeaker()])


class LabSpeaker(MediaPlayerEntity):
    _attr_name = "Lab speaker"
    _attr_unique_id = "lab_speaker"
    _attr_should_poll = False
    _attr_volume_level = 0.3
    _attr_is_volume_muted = False
    _attr_state = MediaPlayerState.IDLE
    _attr_supported_features = (
        MediaPlayerEntityFeature.PLAY_MEDIA
        | MediaPlayerEntityFeature.VOLUME_SET
        | MediaPlayerEntityFeature.VOLUME_MUTE
        | MediaPlayerEntityFeature.STOP
    )
    _playing = None

    @property
    def extra_state_attributes(self):
        return {"fetched": self._fetched}

    _fetched = 0

    async def async_set_volume_level(self, volume):
        self._attr_volume_level = volume
        self.async_write_ha_state()

    async def async_mute_volume(self, mute):
        self._attr_is_volume_muted = mute
        self.async_write_ha_state()

    async def async_media_stop(self):
        if self._playing:
            self._playing.cancel()
        self._attr_state = MediaPlayerState.IDLE
        self.async_write_ha_state()

    async def async_play_media(self, media_type, media_id, **kwargs):
        await self.async_media_stop()
        answer = await async_get_clientsession(self.hass).get(media_id, timeout=NO_TIMEOUT)
        answer.raise_for_status()
        self._fetched, began = 0, time.monotonic()
        self._attr_state = MediaPlayerState.PLAYING
        self.async_write_ha_state()
        self._playing = self.hass.async_create_background_task(self._play(answer, began), "plays")

    async def _play(self, answer, began):
        async with answer:
            async for chunk in answer.content.iter_any():
                self._fetched += len(chunk)
                self.async_write_ha_state()
        await asyncio.sleep(began + self._fetched * 8 / BITRATE - time.monotonic())
        self._attr_state = MediaPlayerState.IDLE
        self.async_write_ha_state()
