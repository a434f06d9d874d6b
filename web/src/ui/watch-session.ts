// Joins an element to a session: the element renders anew whenever the session has news.

import type { ReactiveController, ReactiveControllerHost } from 'lit';

import type { TalkState } from '../rooms/room-voice';

/** A session as an element sees it that shows it and talks: of the page, of a card, of a room. */
export interface TalkSession extends Pick<EventTarget, 'addEventListener' | 'removeEventListener'> {
  readonly view: { readonly talk: TalkState };
  talk(): Promise<void>;
  stopTalking(): void;
}

/** An element that shows a session, which whoever made the element sets. */
export interface SessionHost extends ReactiveControllerHost {
  session: TalkSession | null;
}

/** Listens to its host's session, whichever that is, for as long as the host is in the page. */
export class SessionWatch implements ReactiveController {
  private watched: TalkSession | null = null;
  private readonly news = () => {
    this.host.requestUpdate();
  };

  constructor(private readonly host: SessionHost) {
    host.addController(this);
  }

  hostConnected(): void {
    this.host.requestUpdate();
  }

  hostUpdate(): void {
    this.follow(this.host.session);
  }

  hostDisconnected(): void {
    this.follow(null);
  }

  private follow(session: TalkSession | null): void {
    if (session === this.watched) return;
    this.watched?.removeEventListener('change', this.news);
    this.watched = session;
    session?.addEventListener('change', this.news);
  }
}
