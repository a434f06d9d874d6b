// Voice messages: those that were left for this device, and the one that is being said. It knows no DOM beyond the
// microphone and its connection; its owner is told when something is different.

import type { Choices } from '../session/choices';
import { chime } from '../session/chime';
import { MicrophoneError, openMicrophone } from '../session/microphone';
import { OfferingPeer } from '../session/offering-peer';
import type { CallRequest, MailboxMessage, VoiceMessage } from './call-protocol';
import type { MailboxView, RecordingStage } from './calls-view';

/** Whoever speaks into nothing is told after so long. */
const CONNECTING_MS = 8_000;

/** The relay, and its disk, have so long to keep a message. */
const SENDING_MS = 15_000;

/** That a message was sent is shown for so long. */
const SHOWN_MS = 12_000;

/** What a message is said into. */
interface Line {
  peer: OfferingPeer;
  sender: RTCRtpSender;
  microphone: MediaStreamTrack;
}

/** The messages of one device. */
export class Mailbox {
  view: MailboxView = { messages: [], unseen: 0, recording: null };

  private line: Line | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Those that somebody has put off looking at. */
  private readonly seen = new Set<string>();
  /** Counts what was begun, so that what comes late is told from what goes on. */
  private round = 0;

  /** `say` is lost while the relay is away; `changed` is told after every news. */
  constructor(
    private readonly say: (request: CallRequest) => void,
    private readonly choices: () => Choices,
    private readonly changed: () => void,
  ) {}

  /** Begins to say a message for a place, which people call so. */
  async record(to: string, name: string): Promise<void> {
    this.hangUp();
    const round = ++this.round;
    this.show({ recording: { to, name, stage: 'opening', began: 0, seconds: 0, reason: '' } });
    let microphone;
    try {
      microphone = await openMicrophone(this.choices());
    } catch (error) {
      if (round === this.round) this.fail(error instanceof MicrophoneError ? error.problem.code : 'unknown');
      return;
    }
    if (round !== this.round) {
      microphone.stop();
      return;
    }
    const peer = new OfferingPeer({
      offer: (offer) => {
        // What was said until a connection is lost is kept: it is not offered anew.
        if (this.stage === 'opening') this.say({ type: 'record_voice_message', to, offer });
      },
      lost: () => {
        if (this.line?.peer === peer) this.fail('connection');
      },
    });
    const { sender } = peer.peer.addTransceiver(microphone, { direction: 'sendonly' });
    this.line = { peer, sender, microphone };
    peer.peer.addEventListener('connectionstatechange', () => {
      if (peer.peer.connectionState === 'connected') this.begin();
    });
    this.timer = setTimeout(() => {
      if (this.stage === 'opening') this.discard('connection');
    }, CONNECTING_MS);
    await peer.offer();
  }

  /** Ends the message, which the relay keeps. */
  send(): void {
    if (this.stage !== 'recording') return;
    this.advance('sending');
    // What is on its way arrives before the relay looks for the end.
    this.line?.sender.replaceTrack(null).catch(() => undefined);
    this.closeMicrophone();
    this.say({ type: 'send_voice_message' });
    this.timer = setTimeout(() => {
      this.fail('unanswered');
    }, SENDING_MS);
  }

  /** Throws the message away, and says why where that was nobody's wish. */
  discard(reason = ''): void {
    if (this.line) this.say({ type: 'discard_voice_message' });
    if (reason) this.fail(reason);
    else this.close();
  }

  /** Somebody has seen that there are messages. */
  putOff(): void {
    for (const { id } of this.view.messages) this.seen.add(id);
    this.show({});
  }

  take(message: MailboxMessage): void {
    if (message.type === 'voice_messages') {
      this.show({ messages: message.voice_messages });
    } else if (message.type === 'voice_message_recording') {
      const { recording } = this.view;
      if (recording) this.show({ recording: { ...recording, seconds: message.seconds } });
      void this.line?.peer.accept(message.answer);
    } else if (message.voice_message) {
      this.hangUp();
      this.advance('sent');
      this.closeLater();
    }
  }

  /** The relay refuses something, by the protocol's code; true: it was about a message. */
  refuse(code: string): boolean {
    const isOurs = this.stage === 'opening' || this.stage === 'sending' || this.stage === 'recording';
    if (isOurs) this.fail(code);
    return isOurs;
  }

  /** The relay is away: what was said until now is kept there. */
  lost(): void {
    if (this.line) this.fail('connection');
  }

  /** Closes what is shown of a message that is over. */
  close(): void {
    this.round++;
    this.hangUp();
    this.show({ recording: null });
  }

  private get stage(): RecordingStage | null {
    return this.view.recording?.stage ?? null;
  }

  private begin(): void {
    if (this.stage !== 'opening' || !this.view.recording) return;
    clearTimeout(this.timer);
    this.show({ recording: { ...this.view.recording, stage: 'recording', began: Date.now() } });
    // Whoever does not look at the screen hears when to speak.
    chime(this.choices().loudspeaker).catch(() => undefined);
  }

  private fail(reason: string): void {
    this.hangUp();
    const { recording } = this.view;
    if (recording) this.show({ recording: { ...recording, stage: 'failed', reason } });
  }

  private advance(stage: RecordingStage): void {
    const { recording } = this.view;
    if (recording) this.show({ recording: { ...recording, stage } });
  }

  private closeLater(): void {
    this.timer = setTimeout(() => {
      this.close();
    }, SHOWN_MS);
  }

  private hangUp(): void {
    clearTimeout(this.timer);
    this.line?.peer.close();
    this.closeMicrophone();
    this.line = null;
  }

  private closeMicrophone(): void {
    if (this.line?.microphone.readyState === 'live') this.line.microphone.stop();
  }

  private show(news: Partial<MailboxView>): void {
    const view = { ...this.view, ...news };
    const isUnseen = ({ id, heard }: VoiceMessage) => !heard && !this.seen.has(id);
    this.view = { ...view, unseen: view.messages.filter(isUnseen).length };
    this.changed();
  }
}
