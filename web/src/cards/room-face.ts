// A room as cards know a session: so that a card talks and listens in one room just as it does in the whole
// house. Cards of one dashboard that name the same room are there together, as one participant.

import { noticeInWords } from '../messages/room';
import { RoomSession } from '../rooms/room-session';
import type { PersonView, Refusal } from '../rooms/room-view';
import type { Problem } from '../session/problem';
import type { SessionView, StreamView, VoiceSession } from '../session/session';
import type { Seat, Voice } from './lines';

/** What a card uses of a session. */
export interface CardSession {
  readonly base: URL;
  readonly microphoneTrack: MediaStreamTrack | null;
  readonly view: SessionView;
  listen(): void;
  stopListening(): void;
  stopTalking(): void;
  setVolume(id: string, volume: number): void;
}

/** One room, for all cards that name it. Fires `change`. */
export class RoomFace extends EventTarget implements CardSession {
  /** The card that began to talk. */
  speaker: Seat | null = null;

  private readonly room: RoomSession;

  /** `session` is that of the line: its choices are ours, but for the voice of the card. */
  constructor(
    private readonly session: VoiceSession,
    readonly id: string,
    pin: string,
    private voice: Voice,
  ) {
    super();
    const choices = () => ({ ...session.choices, ...this.voice });
    const keeper = {
      get choices() {
        return choices();
      },
      choose: session.choose.bind(session),
    };
    this.room = new RoomSession(session.base, id, keeper);
    this.room.addEventListener('change', () => {
      if (this.room.view.talk === 'idle' || this.room.view.talk === 'failed') this.speaker = null;
      this.dispatchEvent(new Event('change'));
    });
    if (pin) this.room.bring(pin);
    // Whether to listen is for each card's configuration, or a tap, to say.
    this.room.listen(false);
    this.room.enter();
  }

  get base(): URL {
    return this.session.base;
  }

  get microphoneTrack(): MediaStreamTrack | null {
    return this.room.microphoneTrack;
  }

  /** Why we are not in the room; null while we are, or soon will be. */
  get refusal(): Refusal | null {
    return this.room.view.refusal;
  }

  get view(): SessionView {
    const { stage, talk, problem, microphone, listening, people, blocked } = this.room.view;
    const { mp3Port, devices } = this.session.view;
    const heard = people.filter(({ talking, music }) => talking || music);
    return {
      connected: stage === 'inside',
      ...{ talk, problem: problem && inWords(problem), microphone, muted: false, listening, mp3Port, devices },
      streams: heard.map((person) => streamOf(person, listening, blocked)),
    };
  }

  /** Talks for this card, with its voice. */
  async talk(seat: Seat, voice: Voice): Promise<void> {
    const { talk } = this.room.view;
    if (talk !== 'idle' && talk !== 'failed') return;
    this.voice = voice;
    const begun = this.room.talk();
    this.speaker = seat;
    await begun;
  }

  stopTalking(): void {
    this.room.stopTalking();
  }

  listen(): void {
    this.room.listen(true);
  }

  stopListening(): void {
    this.room.listen(false);
  }

  setVolume(id: string, volume: number): void {
    const person = this.room.view.people.find((one) => one.id === id);
    if (person) this.room.setVolume(person.name, volume);
  }

  /** After a tap: lets be heard what the browser held back. */
  unblock(): void {
    this.room.unblock();
  }

  close(): void {
    this.room.close();
  }
}

function streamOf({ id, you, name, level, volume }: PersonView, listening: boolean, blocked: boolean): StreamView {
  const state = you || !listening ? 'off' : blocked ? 'blocked' : 'playing';
  return { id, own: you, name, listeners: null, state, level, volume };
}

/** What the room has against our talking, in words of its own. */
function inWords(problem: Problem): Problem {
  return problem.code === 'refused' ? { ...problem, detail: noticeInWords({ code: problem.detail, message: '' }) } : problem;
}
