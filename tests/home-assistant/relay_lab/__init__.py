"""Players, a doorbell and an engine for speech, for the relay's tests."""

from homeassistant.config_entries import SOURCE_IMPORT
from homeassistant.const import Platform

DOMAIN = "relay_lab"


async def async_setup(hass, config):
    """Engines for speech are set up by entries alone."""
    if not hass.config_entries.async_entries(DOMAIN):
        hass.async_create_task(hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_IMPORT}, data={}))
    return True


async def async_setup_entry(hass, entry):
    await hass.config_entries.async_forward_entry_setups(entry, [Platform.TTS])
    return True
