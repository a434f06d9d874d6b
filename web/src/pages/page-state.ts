// The state of things in sentences, the most important first.

import { t } from '../messages/page';
import type { SessionView } from '../session/session';

/** What the page says of itself. `isAway`: the relay has not been there for a while. */
export function describe(view: SessionView, isAway: boolean): string[] {
  const sentences = [...describeTalk(view, isAway), describeHearing(view), describeListening(view)];
  return sentences.filter((sentence) => sentence !== '');
}

function describeTalk(view: SessionView, isAway: boolean): string[] {
  const isOpen = view.microphone === 'live';
  switch (view.talk) {
    case 'idle':
      if (isAway) return [t('awayHint'), t('keepsTrying'), t('idle')];
      return view.connected ? [t('idle')] : [t('seeking'), t('idle')];
    case 'starting':
      return [isOpen ? t('starting') : t('opening')];
    case 'live':
      return [view.muted ? t('muted') : t('live')];
    case 'reconnecting':
      return [isOpen ? t('reconnectingOpen') : t('reconnecting')];
    case 'failed':
      return [t('failed'), t('idle')];
  }
}

/** Who hears us. */
function describeHearing(view: SessionView): string {
  if (view.talk !== 'live') return '';
  const count = view.streams.find((stream) => stream.own)?.listeners ?? null;
  if (count === null) return '';
  if (count === 0) return t('heardByNone');
  return count === 1 ? t('heardByOne') : t('heardBy', { count });
}

/** Whom we hear. */
function describeListening(view: SessionView): string {
  if (!view.listening || !view.connected) return '';
  const count = view.streams.filter((stream) => stream.state === 'playing').length;
  if (count === 0) return t('listening');
  return count === 1 ? t('hearsOne') : t('hears', { count });
}
