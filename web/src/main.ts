// The page: one session, one element that shows it. Cards will bring their own element to the same session.

import './page';
import { VoiceSession } from './session/session';

declare global {
  interface Window {
    /** The page's session, for tests and for the curious at the console. */
    voiceRelay: VoiceSession;
  }
}

const session = new VoiceSession(new URL('.', document.baseURI));
window.voiceRelay = session;
document.querySelector('voice-relay-page')?.attach(session);
session.connect();
