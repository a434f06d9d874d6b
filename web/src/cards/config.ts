// What people write in their dashboards for each card, checked, and brought into one form. The options of the two
// older cards are their own; all become a `CardConfig`.

import { t } from '../messages/card';
import { OWN_ACTIONS, readAction, type TileAction } from './actions';
import { baseOf } from './address';

/** What a card is for. The last is no card: it is a row of buttons in a tile of Home Assistant's. */
export type Mode = (typeof MODES)[number] | 'feature';

export const MODES = ['tile', 'room', 'talk', 'listen', 'compact'] as const;

/** The buttons that a tile may have. */
export const BUTTONS = ['listen', 'talk', 'announce', 'ring'] as const;

/** Those of a tile that names none. */
const USUAL_BUTTONS: readonly TileButton[] = ['listen', 'talk', 'announce'];

export type TileButton = (typeof BUTTONS)[number];

/** A checked configuration. */
export interface CardConfig {
  mode: Mode;
  /** null: the card's own; empty: none. */
  title: string | null;
  /** How others see whoever talks here; empty: the user of Home Assistant. */
  name: string;
  /** Where the relay lives; null: found by the card. */
  server: URL | null;
  /** The app, when the relay is reached through ingress; empty: found by the card. */
  slug: string;
  /** The room in which the card talks and listens; empty: the whole house. */
  room: string;
  /** Of that room; empty: none. */
  pin: string;
  /** What media players play instead of our stream on the relay; empty: that stream. */
  streamUrl: string;
  mediaPlayers: string[];
  autoTalk: boolean;
  autoListen: boolean;
  /** How much louder others are than they come. */
  volumeBoost: number;
  /** Of a tile, such as `mdi:sofa`; empty: it tells whether one listens. */
  icon: string;
  /** What a tap on a tile does. */
  tap: TileAction;
  /** What a tile does for as long as it is held. */
  hold: TileAction;
  /** Of a tile, in this order. */
  buttons: readonly TileButton[];
  echoCancellation: boolean;
  noiseSuppression: boolean;
  autoGainControl: boolean;
}

/** The louder, the more noise; beyond this there is nothing else. */
export const MAX_BOOST = 10;

/** Reads `custom:voice-relay-card`. Throws an error that names the option. */
export function readRelayCard(written: unknown): CardConfig {
  const options = new Options(written);
  return { ...readCommon(options), mode: options.mode(), autoListen: options.flag('auto_listen', false) };
}

/** Reads `custom:voice-relay-feature`. */
export function readFeature(written: unknown): CardConfig {
  return { ...readCommon(new Options(written)), mode: 'feature' };
}

/** Reads `custom:voice-sending-card`. Options it does not know are passed over. */
export function readSendingCard(written: unknown): CardConfig {
  const options = new Options(written);
  return { ...readCommon(options), ...nameAsTitle(options), mode: 'talk', autoTalk: options.flag('auto_start', false) };
}

/** Reads `custom:voice-receiving-card`. Options it does not know are passed over. */
export function readReceivingCard(written: unknown): CardConfig {
  const options = new Options(written);
  return { ...readCommon(options), ...nameAsTitle(options), mode: 'listen', autoListen: options.flag('auto_play', false) };
}

/** The two older cards show their name where they have no title. */
function nameAsTitle(options: Options): Pick<CardConfig, 'title'> {
  return { title: options.title() ?? (options.text('name') || null) };
}

function readCommon(options: Options): Omit<CardConfig, 'mode'> {
  return {
    title: options.title(),
    name: options.text('name'),
    server: options.server(),
    slug: options.text('slug'),
    room: options.room(),
    pin: options.text('pin'),
    streamUrl: options.text('stream_url'),
    mediaPlayers: options.mediaPlayers(),
    autoTalk: false,
    autoListen: false,
    volumeBoost: options.boost(),
    icon: options.text('icon'),
    tap: options.action('tap_action', 'listen'),
    hold: options.action('hold_action', 'talk'),
    buttons: options.buttons(),
    echoCancellation: options.flag('echo_cancellation', true),
    noiseSuppression: options.flag('noise_suppression', true),
    autoGainControl: options.flag('auto_gain_control', true),
  };
}

/** The options as written. What is missing or null is as if it were not there. */
class Options {
  private readonly written: Record<string, unknown>;

  constructor(written: unknown) {
    if (typeof written !== 'object' || !written) throw new Error(t('noOptions'));
    this.written = written as Record<string, unknown>;
  }

  text(option: string): string {
    const value = this.written[option] ?? '';
    // YAML makes numbers of what people mean as names.
    if (typeof value === 'number') return String(value);
    if (typeof value !== 'string') throw wrong(option, t('mustBeText'), value);
    return value.trim();
  }

  room(): string {
    const room = this.text('room');
    if (!/^[\w-]*$/.test(room)) throw wrong('room', t('mustBeRoom'), room);
    return room;
  }

  title(): string | null {
    return (this.written['title'] ?? null) === null ? null : this.text('title');
  }

  flag(option: string, usual: boolean): boolean {
    const value = this.written[option] ?? usual;
    if (typeof value !== 'boolean') throw wrong(option, t('mustBeFlag'), value);
    return value;
  }

  mode(): Mode {
    const value = this.written['mode'] ?? 'room';
    const mode = MODES.find((one) => one === value);
    if (!mode) throw wrong('mode', t('mustBeOneOf', { choices: MODES.join(', ') }), value);
    return mode;
  }

  server(): URL | null {
    const text = this.text('server_url');
    if (!text) return null;
    const base = baseOf(text);
    if (!base) throw wrong('server_url', t('mustBeAddress'), text);
    return base;
  }

  mediaPlayers(): string[] {
    const value = this.written['target_media_player'] ?? [];
    const players: unknown[] = Array.isArray(value) ? value : value === '' ? [] : [value];
    return players.map((player) => {
      if (typeof player === 'string' && /^media_player\.\w+$/.test(player.trim())) return player.trim();
      throw wrong('target_media_player', t('mustBePlayer'), player);
    });
  }

  action(option: string, usual: TileAction): TileAction {
    const value = this.written[option] ?? usual;
    const action = readAction(value);
    if (!action) throw wrong(option, t('mustBeAction', { choices: OWN_ACTIONS.join(', ') }), value);
    return action;
  }

  buttons(): TileButton[] {
    const value = this.written['buttons'] ?? USUAL_BUTTONS;
    const names: unknown[] = Array.isArray(value) ? value : [value];
    return names.map((name) => {
      const button = BUTTONS.find((one) => one === name);
      if (!button) throw wrong('buttons', t('mustBeButtons', { choices: BUTTONS.join(', ') }), value);
      return button;
    });
  }

  boost(): number {
    const value = this.written['volume_boost'] ?? 1;
    const boost = typeof value === 'string' ? Number(value) : value;
    if (typeof boost !== 'number' || !(boost >= 0)) throw wrong('volume_boost', t('mustBeBoost'), value);
    return Math.min(Math.max(boost, 1), MAX_BOOST);
  }
}

function wrong(option: string, rule: string, value: unknown): Error {
  return new Error(t('wrongOption', { option, rule, value: JSON.stringify(value) }));
}
