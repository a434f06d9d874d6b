// A short tone when somebody begins to talk in a quiet room that is listened to here, and when they have finished: as rooms
// have it chosen. Time is passed in.

import { sound, strike } from '../session/chime';
import type { HouseSession } from './house-session';
import type { HouseView, PlaceView } from './house-view';

/** What is heard. */
export type TalkTone = 'begin' | 'end';

/** In a conversation nobody needs to be told who begins. */
const QUIET_MS = 5_000;

/** Hertz: up when somebody begins, down when they have finished. */
const PITCHES: Record<TalkTone, number> = { begin: 880, end: 587.33 };

/** Below what is said. */
const LOUDNESS = 0.05;

/** Says which tone is due. */
export class TalkTones {
  private readonly rooms = new Map<string, { isTalkedIn: boolean; quietSince: number }>();

  /** The tone for what has changed since it was asked last, if there is to be one. */
  follow(view: HouseView, now: number): TalkTone | null {
    const heard = [...(view.places ?? []), ...(view.own ? [view.own] : [])].filter((place) => isHeard(place, view));
    for (const id of this.rooms.keys()) if (!heard.some(({ room }) => room.id === id)) this.rooms.delete(id);
    const tones = heard.map((place) => this.toneOf(place, now));
    // Whoever talks hears no tones: the microphone would, too.
    return view.talk === 'live' || view.calls.current ? null : (tones.find((tone) => tone !== null) ?? null);
  }

  private toneOf({ room, inside }: PlaceView, now: number): TalkTone | null {
    const isTalkedIn = inside?.people.some(({ talking, you, joined }) => talking && !you && joined !== false) ?? false;
    const before = this.rooms.get(room.id);
    if (before?.isTalkedIn === isTalkedIn) return null;
    this.rooms.set(room.id, { isTalkedIn, quietSince: now });
    // What was going on when we came is no beginning.
    if (!before || room.talkTones === false) return null;
    if (!isTalkedIn) return 'end';
    return now - before.quietSince >= QUIET_MS ? 'begin' : null;
  }
}

/** Whether what is said there is heard here. */
function isHeard({ listening, inside, room }: PlaceView, { own }: HouseView): boolean {
  return (listening || room.id === own?.room.id) && inside?.stage === 'inside' && inside.carries;
}

/** Plays tones for this session from now on. */
export function soundTones(session: HouseSession): void {
  const tones = new TalkTones();
  session.addEventListener('change', () => {
    const tone = tones.follow(session.view, performance.now());
    if (tone) void play(tone, session.choices.loudspeaker);
  });
}

async function play(tone: TalkTone, loudspeaker: string): Promise<void> {
  // Where nobody has tapped the page yet it may make no sound.
  await sound(loudspeaker, (context, output) => strike(context, output, PITCHES[tone], context.currentTime, LOUDNESS)).catch(() => undefined);
}
