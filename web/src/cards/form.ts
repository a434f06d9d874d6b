// The forms of the cards' editors, in the words of Home Assistant's own form element (`getConfigForm`).

import { t } from '../messages/card';
import { OWN_ACTIONS } from './actions';
import { BUTTONS, MAX_BOOST, MODES, type CardConfig } from './config';

/** One field, or a folded group of them, as Home Assistant reads it. */
export interface Field {
  name: string;
  selector?: Record<string, unknown>;
  type?: 'expandable';
  flatten?: boolean;
  title?: string;
  schema?: Field[];
}

/** What `getConfigForm` gives. */
export interface Form {
  schema: Field[];
  computeLabel: (field: Field) => string | undefined;
  computeHelper: (field: Field) => string | undefined;
  /** Throws when the form cannot show this configuration; the editor shows YAML then. */
  assertConfig: (written: unknown) => void;
}

const WORDS: Record<string, () => { label: string; help?: string }> = {
  mode: () => ({ label: t('mode') }),
  title: () => ({ label: t('titleLabel'), help: t('titleHelp') }),
  name: () => ({ label: t('name'), help: t('nameHelp') }),
  room: () => ({ label: t('roomLabel'), help: t('roomHelp') }),
  pin: () => ({ label: t('pin'), help: t('pinHelp') }),
  icon: () => ({ label: t('icon') }),
  tap_action: () => ({ label: t('tapAction') }),
  hold_action: () => ({ label: t('holdAction') }),
  buttons: () => ({ label: t('buttons') }),
  target_media_player: () => ({ label: t('players'), help: t('playersHelp') }),
  auto_listen: () => ({ label: t('autoListen'), help: t('autoListenHelp') }),
  auto_play: () => ({ label: t('autoListen'), help: t('autoListenHelp') }),
  auto_start: () => ({ label: t('autoStart'), help: t('autoStartHelp') }),
  server_url: () => ({ label: t('server'), help: t('serverHelp') }),
  slug: () => ({ label: t('slug'), help: t('slugHelp') }),
  stream_url: () => ({ label: t('streamUrl'), help: t('streamUrlHelp') }),
  volume_boost: () => ({ label: t('boost'), help: t('boostHelp') }),
  echo_cancellation: () => ({ label: t('echoCancellation') }),
  noise_suppression: () => ({ label: t('noiseSuppression') }),
  auto_gain_control: () => ({ label: t('autoGainControl') }),
};

const text = (name: string): Field => ({ name, selector: { text: {} } });
const flag = (name: string): Field => ({ name, selector: { boolean: {} } });
const group = (title: string, schema: Field[]): Field => ({ type: 'expandable', name: '', flatten: true, title, schema });

const players: Field = {
  name: 'target_media_player',
  selector: { entity: { multiple: true, filter: { domain: 'media_player' } } },
};
const boost: Field = {
  name: 'volume_boost',
  selector: { number: { min: 1, max: MAX_BOOST, step: 0.5, mode: 'slider' } },
};

function mode(): Field {
  const names = { tile: t('tile'), room: t('room'), talk: t('talk'), listen: t('listenOnly'), compact: t('compact') };
  const options = MODES.map((value) => ({ value, label: names[value] }));
  return { name: 'mode', selector: { select: { mode: 'dropdown', options } } };
}

/** The names of what a tile does. */
function named<Name extends keyof ReturnType<typeof actionNames>>(names: readonly Name[]): { value: Name; label: string }[] {
  const labels = actionNames();
  return names.map((value) => ({ value, label: labels[value] }));
}

function actionNames() {
  return { talk: t('doTalk'), listen: t('listen'), announce: t('doAnnounce'), ring: t('doRing'), none: t('doNothing') };
}

const action = (name: string): Field => ({ name, selector: { select: { mode: 'dropdown', options: named(OWN_ACTIONS) } } });
const buttons = (): Field => ({ name: 'buttons', selector: { select: { multiple: true, options: named(BUTTONS) } } });

const voice = (): Field[] => [flag('echo_cancellation'), flag('noise_suppression'), flag('auto_gain_control')];

/** The editor of `custom:voice-relay-card`. */
export function relayForm(read: (written: unknown) => CardConfig): Form {
  return form(read, [
    mode(),
    text('title'),
    text('name'),
    text('room'),
    text('pin'),
    players,
    flag('auto_listen'),
    group(t('tile'), [{ name: 'icon', selector: { icon: {} } }, action('tap_action'), action('hold_action'), buttons()]),
    group(t('sound'), [boost, ...voice()]),
    group(t('connection'), [text('server_url'), text('slug'), text('stream_url')]),
  ]);
}

/** The editor of `custom:voice-relay-feature`. */
export function featureForm(read: (written: unknown) => CardConfig): Form {
  return form(read, [text('room'), text('pin'), buttons(), text('name'), players, group(t('connection'), [text('server_url'), text('slug')])]);
}

/** The editor of `custom:voice-sending-card`. */
export function sendingForm(read: (written: unknown) => CardConfig): Form {
  return form(read, [
    text('title'),
    text('name'),
    text('room'),
    text('pin'),
    players,
    flag('auto_start'),
    group(t('sound'), voice()),
    group(t('connection'), [text('server_url'), text('stream_url')]),
  ]);
}

/** The editor of `custom:voice-receiving-card`. */
export function receivingForm(read: (written: unknown) => CardConfig): Form {
  return form(read, [text('title'), text('name'), text('room'), text('pin'), flag('auto_play'), boost, group(t('connection'), [text('server_url')])]);
}

function form(read: (written: unknown) => CardConfig, schema: Field[]): Form {
  return {
    schema,
    computeLabel: ({ name }) => WORDS[name]?.().label,
    computeHelper: ({ name }) => WORDS[name]?.().help,
    assertConfig: (written) => {
      const { tap, hold } = read(written);
      // Home Assistant's own actions have a form that is no part of this one.
      if (typeof tap !== 'string' || typeof hold !== 'string') throw new Error(t('onlyInYaml'));
    },
  };
}
