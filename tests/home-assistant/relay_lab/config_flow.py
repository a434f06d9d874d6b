"""An entry that makes itself."""

from homeassistant.config_entries import ConfigFlow

from . import DOMAIN


class LabFlow(ConfigFlow, domain=DOMAIN):
    async def async_step_import(self, data):
        return self.async_create_entry(title="Relay lab", data={})
