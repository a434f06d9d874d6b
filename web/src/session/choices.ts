// What a person has chosen on this device. Kept by the browser, so that the next visit begins with it.

/** Choices that last. */
export interface Choices {
  /** How others see us; empty: the relay finds a name. */
  name: string;
  /** Device ids as the browser gives them; empty: its default. */
  microphone: string;
  loudspeaker: string;
  echoCancellation: boolean;
  noiseSuppression: boolean;
  autoGainControl: boolean;
  /** Whether the person has joined the house, and so need not be asked who they are. */
  joined: boolean;
  /** Whether this device answers calls of other devices by itself, after a tone. */
  answersItself: boolean;
  /** Rooms that are listened to as soon as the client is there, by their ids. */
  listensTo: string[];
  /** The room that is talked to, by its id. */
  room: string;
  /** Media players that play live what is said here in a room, by the ids of rooms. */
  liveOn: Record<string, string[]>;
  /** Loudness of other people, from 0 to 1, by their names. */
  volumes: Record<string, number>;
}

export const DEFAULT_CHOICES: Choices = {
  name: '',
  microphone: '',
  loudspeaker: '',
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  joined: false,
  answersItself: false,
  listensTo: [],
  room: 'home',
  liveOn: {},
  volumes: {},
};

/** What the microphone has to be opened anew for. */
export const MICROPHONE_CHOICES = ['microphone', 'echoCancellation', 'noiseSuppression', 'autoGainControl'] as const;

/** What a session needs of `localStorage`. */
export type ChoiceStorage = Pick<Storage, 'getItem' | 'setItem'>;

const KEY = 'voice-relay';

/** The choices of the last visit, as far as they can be read. */
export function loadChoices(storage: Pick<Storage, 'getItem'> | null = browserStorage()): Choices {
  try {
    const kept = JSON.parse(storage?.getItem(KEY) ?? '{}') as Partial<Record<keyof Choices, unknown>> | null;
    // What an older or newer version kept under the same name may be of another kind.
    const usable = Object.entries(kept ?? {}).filter(
      ([key, value]) => value !== null && kindOf(value) === kindOf(DEFAULT_CHOICES[key as keyof Choices]),
    );
    // Before there were several rooms to listen to, there was one switch.
    const former = (kept as { listen?: unknown } | null)?.listen === true ? { joined: true, listensTo: ['home'] } : {};
    return { ...DEFAULT_CHOICES, ...former, ...Object.fromEntries(usable) };
  } catch {
    return DEFAULT_CHOICES;
  }
}

/** Keeps the choices, where the browser lets us; private windows may not. */
export function saveChoices(choices: Choices, storage: Pick<Storage, 'setItem'> | null = browserStorage()): void {
  try {
    storage?.setItem(KEY, JSON.stringify(choices));
  } catch {
    // Forgotten at the end of the visit then.
  }
}

/** Reading the property alone throws where a browser blocks all storage. */
export function browserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}
