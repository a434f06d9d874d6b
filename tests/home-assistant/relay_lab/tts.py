"""Says the same sentence whatever it is told, so that one can look whether it is heard."""

from pathlib import Path

from homeassistant.components.tts import TextToSpeechEntity

SENTENCE = Path("/lab/speech.mp3")


async def async_setup_entry(hass, entry, add_entities):
    add_entities([LabSpeech()])


class LabSpeech(TextToSpeechEntity):
    _attr_name = "Lab speech"
    _attr_unique_id = "lab_speech"
    _attr_default_language = "en"
    _attr_supported_languages = ["en"]

    def get_tts_audio(self, message, language, options):
        return "mp3", SENTENCE.read_bytes()
