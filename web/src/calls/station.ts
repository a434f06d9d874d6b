// This device as a station of the house: it has a name, can be called, and calls others. It knows no DOM; its owner is told
// when something is different.

import type { ChoiceStorage } from '../session/choices';
import type { Call, CallMessage, CallRequest, MailboxMessage, QuietHours } from './call-protocol';
import { NO_CALLS, type CallRole, type CallsView, type CurrentCall } from './calls-view';

/** Under which a browser keeps who we are. */
export const KEY = 'voice-relay-station';

/** What came of a call is shown for so long. */
const SHOWN_MS = 12_000;

/** Calls that were missed here, and are remembered until somebody has looked. */
const MOST_MISSED = 5;

/** A device with a name. */
export class Station {
  /** The id of our room; null while we are no station. */
  id: string | null = null;
  /** As others see us. */
  name = '';
  view: CallsView = NO_CALLS;

  private said = '';
  /** Whether what is refused next is a call, rather than our name. */
  private hasCalled = false;
  /** Why we are no station: the protocol's code. */
  private nameless = 'out_of_order';
  private forgetting: ReturnType<typeof setTimeout> | undefined;

  /** `say` is lost while the relay is away; `changed` is told after every news. */
  constructor(
    private readonly storage: ChoiceStorage | null,
    private readonly say: (request: CallRequest) => void,
    private readonly changed: () => void,
  ) {}

  /** Says who we are, unless the relay knows. Without a name we are nobody. */
  introduce(name: string, rooms: readonly string[]): void {
    const key = this.key;
    const request: CallRequest = { type: 'station', name, rooms, ...(key ? { key } : {}) };
    const said = JSON.stringify({ name, rooms });
    if (!name || said === this.said) return;
    this.said = said;
    this.say(request);
  }

  /** The relay is away: it will have to be told anew, and tells which calls there are. */
  lost(): void {
    this.said = '';
    // Whoever talks goes on when the relay is back in time; what rings is told anew.
    if (this.view.current?.role !== 'talking') this.show({ current: null });
  }

  take(message: Exclude<CallMessage, MailboxMessage>): void {
    if (message.type === 'station') {
      [this.id, this.name, this.nameless] = [message.id, message.name, 'out_of_order'];
      this.keep(message.key);
      this.show({ current: this.currentOf(message.calls) });
    } else if (message.type === 'call') {
      this.follow(message.call);
    } else if (message.type === 'quiet_hours') {
      this.show({ quietHours: message.hours });
    } else {
      this.id = null;
      this.keep(null);
      this.show({ current: null });
    }
  }

  /** The relay refuses something: a call; or to know us, of which whoever calls nobody need not hear. */
  refuse(code: string): void {
    if (this.hasCalled) this.showRefusal(code);
    else if (this.id === null) this.nameless = code;
    this.hasCalled = false;
  }

  /** Whether the relay knows us; says what to do where it does not. */
  isKnown(): boolean {
    if (this.id === null) this.showRefusal(this.nameless);
    return this.id !== null;
  }

  ring(to: readonly string[]): void {
    this.show({ refusal: null, ended: null });
    if (!this.isKnown()) return;
    this.hasCalled = true;
    // A message is for one place.
    this.show({ rung: (to.length === 1 && to[0]?.replace(/^room:/, '')) || null });
    this.say({ type: 'ring', to });
  }

  /** Is not disturbed from now on but by what is urgent, for so many seconds or until it is turned off. */
  setDoNotDisturb(on: boolean, seconds?: number): void {
    this.say({ type: 'do_not_disturb', ...(on ? { passes: 'urgent' } : {}), ...(seconds === undefined ? {} : { seconds }) });
  }

  /** Is not disturbed in these hours of each day, from now on; null: as ever. */
  setQuietHours(hours: QuietHours | null): void {
    this.say({ type: 'quiet_hours', hours });
  }

  answer(call: Call): void {
    this.hasCalled = true;
    this.say({ type: 'answer_call', call: call.id });
  }

  /** Gives up, declines or ends a call. */
  hangUp(call: Call): void {
    this.say({ type: 'hang_up', call: call.id });
  }

  /** Whoever called does something else about it. */
  forgetEnded(): void {
    this.show({ ended: null });
  }

  /** Somebody has looked at what was missed. */
  forgetMissed(call: Call): void {
    this.show({ missed: this.view.missed.filter(({ id }) => id !== call.id) });
  }

  private showRefusal(code: string): void {
    this.show({ refusal: code });
    this.forgetLater();
  }

  private follow(call: Call): void {
    this.hasCalled = false;
    const { current, missed } = this.view;
    if (call.state !== 'over') {
      const role = this.roleIn(call);
      if (role) this.show({ current: { call, role }, ended: null });
      // Somebody else answers, or we have declined.
      else if (current?.call.id === call.id) this.show({ current: null });
      return;
    }
    const isOurs = call.from.station === this.id;
    const wasHere = current?.call.id === call.id;
    this.show({
      ...(wasHere ? { current: null } : {}),
      ...(isOurs && call.outcome !== 'answered' && call.outcome !== 'cancelled' ? { ended: call } : {}),
      ...(this.missedHere(call) ? { missed: [call, ...missed].slice(0, MOST_MISSED) } : {}),
    });
    this.forgetLater();
  }

  private missedHere(call: Call): boolean {
    const callee = call.to.find(({ station }) => station === this.id);
    return callee !== undefined && callee.state !== 'declined' && (call.outcome === 'missed' || call.outcome === 'cancelled' || call.outcome === 'busy');
  }

  private currentOf(calls: readonly Call[]): CurrentCall | null {
    for (const call of calls) {
      const role = this.roleIn(call);
      if (role) return { call, role };
    }
    return null;
  }

  private roleIn(call: Call): CallRole | null {
    if (call.state === 'answered') return call.by === this.id || call.from.station === this.id ? 'talking' : null;
    if (call.from.station === this.id) return 'calling';
    return call.to.some(({ station, state }) => station === this.id && state === 'ringing') ? 'called' : null;
  }

  private forgetLater(): void {
    clearTimeout(this.forgetting);
    this.forgetting = setTimeout(() => {
      this.show({ ended: null, refusal: null });
    }, SHOWN_MS);
  }

  private show(news: Partial<CallsView>): void {
    this.view = { ...this.view, ...news };
    this.changed();
  }

  /** What we come back with. Whoever has it is this device. */
  get key(): string | null {
    try {
      return this.storage?.getItem(KEY) ?? null;
    } catch {
      return null;
    }
  }

  /** Private windows may keep nothing: such a device is a new one at each visit. */
  private keep(key: string | null): void {
    try {
      this.storage?.setItem(KEY, key ?? '');
    } catch {
      // See above.
    }
  }
}
