"""A doorbell that rings when somebody fires `relay_lab_ring`."""

from homeassistant.components.event import EventDeviceClass, EventEntity


async def async_setup_platform(hass, config, add_entities, discovery_info=None):
    add_entities([LabDoorbell()])


class LabDoorbell(EventEntity):
    _attr_name = "Lab doorbell"
    _attr_unique_id = "lab_doorbell"
    _attr_should_poll = False
    _attr_device_class = EventDeviceClass.DOORBELL
    _attr_event_types = ["ring"]

    async def async_added_to_hass(self):
        self.async_on_remove(self.hass.bus.async_listen("relay_lab_ring", self._ring))

    async def _ring(self, event):
        self._trigger_event("ring")
        self.async_write_ha_state()
