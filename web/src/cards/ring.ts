// A call from a dashboard, as a doorbell makes one: it rings at the devices of a room until somebody answers. Nobody talks here.

import type { ReactiveController, ReactiveControllerHost } from 'lit';

import type { Call, CallOutcome } from '../calls/call-protocol';
import { callWords as t, refusalInWords } from '../messages/calls';

/** How often to ask how it goes. */
const ASK_MS = 400;

/** How it went is to be read for so long. */
const TOLD_MS = 6_000;

const PATIENCE_MS = 5_000;

/** What the relay says of a call: of one that is over, the names alone. */
type Answer = Call | { id: string; state: 'over'; outcome: CallOutcome; to: string[]; answered_by: string | null };

/** What its owner knows. */
export interface RingOwner {
  /** Where the relay is; null while that is not known. */
  base(): URL | null;
  /** Who is called: the id of a room, or `everybody`. */
  to(): string;
  /** How people call the room. */
  called(): string;
  /** How people call whoever calls; empty: the relay finds a name. */
  name(): string;
}

/** One call at a time. Its host is rendered anew whenever {@link words} have changed. */
export class CardRing implements ReactiveController {
  /** How it goes, or went; empty while there is nothing to say. */
  words = '';

  /** Of the call that rings. */
  private ending: AbortController | null = null;
  private telling: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly owner: RingOwner,
  ) {
    host.addController(this);
  }

  hostDisconnected(): void {
    this.ending?.abort();
    clearTimeout(this.telling);
  }

  get isRinging(): boolean {
    return this.ending !== null;
  }

  /** Calls, or gives it up. */
  toggle(): void {
    const base = this.owner.base();
    if (this.ending) this.ending.abort();
    else if (base) void this.ring(base);
  }

  private async ring(base: URL): Promise<void> {
    const ending = new AbortController();
    this.ending = ending;
    this.say(t('calling', { name: this.owner.called() }));
    try {
      this.tell(await this.follow(base, ending.signal));
    } catch {
      this.tell(t('unreachable'));
    } finally {
      this.ending = null;
      this.host.requestUpdate();
    }
  }

  /** Calls, and waits until it is over; gives how it ended, in words. */
  private async follow(base: URL, signal: AbortSignal): Promise<string> {
    const name = this.owner.name();
    const asked = await fetch(new URL('api/calls', base), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ to: this.owner.to(), ...(name ? { name } : {}) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!asked.ok) return refusalInWords(codeOf(asked.status));
    let call = (await asked.json()) as Answer;
    const url = new URL(`api/calls/${call.id}`, base);
    while (call.state !== 'over' && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
      call = (await (await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) })).json()) as Answer;
    }
    if (call.state !== 'over') await fetch(url, { method: 'DELETE', signal: AbortSignal.timeout(PATIENCE_MS) });
    return this.endingInWords(call);
  }

  private endingInWords(call: Answer): string {
    if (call.state !== 'over') return t('cancelled');
    const who = 'answered_by' in call ? call.answered_by : null;
    return t(call.outcome ?? 'missed', { name: who ?? this.owner.called() });
  }

  /** Says it for a while. */
  private tell(words: string): void {
    this.say(words);
    this.telling = setTimeout(() => {
      this.say('');
    }, TOLD_MS);
  }

  private say(words: string): void {
    clearTimeout(this.telling);
    this.words = words;
    this.host.requestUpdate();
  }
}

function codeOf(status: number): string {
  if (status === 404) return 'no_station';
  if (status === 429) return 'too_fast';
  return status === 503 ? 'full' : '';
}
