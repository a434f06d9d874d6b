// The module that dashboards load: defines the cards, once, and tells Home Assistant's picker of them.

import { t } from '../messages/card';
import { readFeature, readReceivingCard, readRelayCard, readSendingCard } from './config';
import { featureForm, receivingForm, relayForm, sendingForm, type Form } from './form';
import { VoiceCard } from './voice-card';

declare global {
  interface Window {
    /** What Home Assistant's card picker lists. */
    customCards?: { type: string; name: string; description: string; preview: boolean; documentationURL: string }[];
    /** What the editor of its tiles lists. */
    customCardFeatures?: { type: string; name: string; supported: () => boolean; isSupported: () => boolean; configurable: boolean }[];
  }
}

// Beside this module, wherever that is.
const DOCUMENTATION = new URL(/* @vite-ignore */ 'voice-relay-card.txt', import.meta.url).href;

/** `custom:voice-relay-card`: a tile, a whole room, talk, listen, or one row. */
class VoiceRelayCard extends VoiceCard {
  static getStubConfig(): Record<string, unknown> {
    return { mode: 'tile' };
  }

  static getConfigForm(): Form {
    return relayForm(readRelayCard);
  }

  protected override read = readRelayCard;
}

/** `custom:voice-sending-card`, as existing dashboards have it. */
class VoiceSendingCard extends VoiceCard {
  static getStubConfig(): Record<string, unknown> {
    return { title: t('talk') };
  }

  static getConfigForm(): Form {
    return sendingForm(readSendingCard);
  }

  protected override read = readSendingCard;
}

/** `custom:voice-receiving-card`, as existing dashboards have it. */
class VoiceReceivingCard extends VoiceCard {
  static getStubConfig(): Record<string, unknown> {
    return { title: t('listen'), auto_play: true };
  }

  static getConfigForm(): Form {
    return receivingForm(readReceivingCard);
  }

  protected override read = readReceivingCard;
}

/** `custom:voice-relay-feature`: a room's buttons in a tile of Home Assistant's, whatever that tile is for. */
class VoiceRelayFeature extends VoiceCard {
  static getStubConfig(): Record<string, unknown> {
    return { type: 'custom:voice-relay-feature' };
  }

  static getConfigForm(): Form {
    return featureForm(readFeature);
  }

  protected override read = readFeature;
}

const CARDS = [
  { type: 'voice-relay-card', name: 'Voice Relay', description: t('description'), element: VoiceRelayCard },
  { type: 'voice-sending-card', name: 'Voice Relay: talk', description: t('sendingDescription'), element: VoiceSendingCard },
  { type: 'voice-receiving-card', name: 'Voice Relay: listen', description: t('receivingDescription'), element: VoiceReceivingCard },
];

for (const { element, ...entry } of CARDS) {
  // A second copy of this module, from another address, leaves everything to the first.
  if (customElements.get(entry.type)) continue;
  customElements.define(entry.type, element);
  (window.customCards ??= []).push({ ...entry, preview: true, documentationURL: DOCUMENTATION });
}

const FEATURE = 'voice-relay-feature';
if (!customElements.get(FEATURE)) {
  customElements.define(FEATURE, VoiceRelayFeature);
  const always = () => true;
  // Older versions of Home Assistant ask by the first name, newer ones by the second.
  (window.customCardFeatures ??= []).push({ type: FEATURE, name: 'Voice Relay', supported: always, isSupported: always, configurable: true });
}
