// How something is announced: a recording is made, or a sound chosen, and it is followed in each place until it is over.
// For the page's sheet and for cards.

import type { ReactiveController, ReactiveControllerHost } from 'lit';

import { ButtonPress } from '../lib/press';
import { announceWords as t } from '../messages/announce';
import { problemInWords } from '../messages/problems';
import type { Choices } from '../session/choices';
import { MicrophoneError } from '../session/microphone';
import { announce, follow, isUnderWay, stopAnnouncing, type Announced, type Announcement } from './announcing';
import { LONGEST_MS, Recorder } from './recorder';

/** The chime before a recording, by the name of its file. */
const CHIME = 'ding-dong';

/** A finger that taps is on the screen for no longer. */
const FINGER_MS = 300;

/** How often the seconds of a recording are shown. */
const TICK_MS = 250;

/** What is to be announced from here. */
export interface Announcing {
  /** The relay, and whose microphone records with which choices; null while there is none. */
  source(): { base: URL; choices: Choices } | null;
  /** Where it is to be heard, as the relay writes it. */
  places(): readonly string[];
  /** Whether a chime comes before a recording. */
  chimeFirst(): boolean;
  /** Whether it is urgent. */
  isUrgent?(): boolean;
}

/** Announces for an element, which renders anew with each step. What goes on ends with the element. */
export class Announcer implements ReactiveController {
  stage: 'choosing' | 'opening' | 'recording' | 'preparing' | 'sending' | 'sent' = 'choosing';
  /** How long the recording is by now. */
  seconds = 0;
  /** Why the last wish led to nothing; empty when it did. */
  said = '';
  /** What was sent last. */
  announcement: Announcement | null = null;
  /** Of the button that records. */
  readonly press = new ButtonPress({
    isTalking: () => this.isRecording,
    start: () => void this.record(),
    stop: () => void this.finish(),
  });

  private recorder: Recorder | null = null;
  private ticking: ReturnType<typeof setInterval> | undefined;
  private isHere = false;
  /** Ends what is asked of the relay. */
  private ending = new AbortController();

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly announcing: Announcing,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.isHere = true;
    this.ending = new AbortController();
  }

  hostDisconnected(): void {
    this.isHere = false;
    this.ending.abort();
    this.discard();
  }

  /** Whether the microphone is open for it, or about to be. */
  get isRecording(): boolean {
    return this.stage === 'recording' || this.stage === 'opening';
  }

  /** Whether anything that was sent is still to be heard. */
  get isGoing(): boolean {
    return this.announcement !== null && isUnderWay(this.announcement);
  }

  /** Throws the recording away. */
  discard(): void {
    clearInterval(this.ticking);
    this.recorder?.discard();
    this.recorder = null;
    if (this.isRecording) this.stage = 'choosing';
    this.host.requestUpdate();
  }

  /** From the beginning, once something was sent. */
  again(): void {
    this.set('choosing');
  }

  /** Stops what was sent, everywhere. */
  stop(): void {
    const base = this.announcing.source()?.base;
    if (base && this.announcement) void stopAnnouncing(base, this.announcement);
  }

  /** Has something announced in all places; under this name, where it has one. */
  async send(what: Announced, name: string, chime = ''): Promise<void> {
    const [source, places] = [this.announcing.source(), this.announcing.places()];
    if (!source) return;
    if (!places.length) {
      this.set('choosing', t('nowhere'));
      return;
    }
    this.announcement = null;
    this.set('sending');
    this.announcement = await announce(source.base, places, what, { chime, name, isUrgent: this.announcing.isUrgent?.() ?? false });
    this.set('sent');
    await follow(source.base, this.announcement, this.ending.signal, (now) => {
      this.announcement = now;
      this.host.requestUpdate();
    });
  }

  private async record(): Promise<void> {
    const source = this.announcing.source();
    if (!source || this.stage === 'preparing' || this.stage === 'sending') return;
    if (!this.announcing.places().length) {
      this.set('choosing', t('nowhere'));
      return;
    }
    this.seconds = 0;
    this.set('opening');
    try {
      const recorder = await Recorder.begin(source.choices);
      // Meanwhile the finger may be gone again, or the element.
      if (!this.isHere || !this.isRecording) {
        recorder.discard();
        return;
      }
      this.recorder = recorder;
      this.set('recording');
      this.count();
    } catch (error) {
      this.set('choosing', error instanceof MicrophoneError ? problemInWords(error.problem) : String(error));
    }
  }

  private count(): void {
    const began = performance.now();
    this.ticking = setInterval(() => {
      const milliseconds = performance.now() - began;
      this.seconds = Math.floor(milliseconds / 1_000);
      this.host.requestUpdate();
      if (milliseconds >= LONGEST_MS) void this.finish();
    }, TICK_MS);
  }

  private async finish(): Promise<void> {
    const { recorder } = this;
    clearInterval(this.ticking);
    if (!recorder) {
      // Let go before the microphone was open.
      this.set('choosing', t('tooShort'));
      return;
    }
    this.recorder = null;
    this.set('preparing');
    // Until the finger is gone, since what it has pressed is gone then.
    const [recording] = await Promise.all([recorder.finish(), new Promise((resolve) => setTimeout(resolve, FINGER_MS))]);
    if (!this.isHere) return;
    if (recording) void this.send({ recording }, this.announcing.source()?.choices.name ?? '', this.announcing.chimeFirst() ? CHIME : '');
    else this.set('choosing', t('tooShort'));
  }

  private set(stage: Announcer['stage'], said = ''): void {
    this.stage = stage;
    this.said = said;
    this.host.requestUpdate();
  }
}
