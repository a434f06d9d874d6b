// The list of rooms, live, and the way to open another one.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';

import { roomsWords as t } from '../messages/rooms';
import { partStyles } from '../ui/part.styles';
import { hashOf } from '../pages/routes';
import type { VoiceSession } from '../session/session';
import { fieldStyles } from '../ui/field.styles';
import { openRoom } from './open-room';
import type { Room } from './room-protocol';
import { RoomWatch } from './room-watch';

declare global {
  interface HTMLElementTagNameMap {
    'rooms-page': RoomsPage;
  }
}

/** Longer names are cut by the relay. */
const NAME_LENGTH = 40;

/** Without an answer for so long, there is something to say about it. */
const SILENT_MS = 1_500;

@customElement('rooms-page')
export class RoomsPage extends LitElement {
  static override styles = [
    partStyles,
    fieldStyles,
    css`
      #rooms {
        display: grid;
        gap: 0.75rem;
      }
      #rooms a {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 0 1rem;
        align-items: center;
        min-height: 4rem;
        padding: 0.75rem 1.1rem;
        border: 1px solid var(--line);
        border-radius: 0.9rem;
        background: var(--surface);
        color: var(--ink);
        text-decoration: none;
      }
      #rooms a:hover {
        border-color: var(--accent);
      }
      .name {
        font-size: 1.15rem;
        font-weight: 650;
      }
      .marks,
      .who {
        color: var(--quiet);
      }
      .who {
        text-align: right;
      }
      .marks {
        grid-column: 1 / -1;
        font-size: 0.9rem;
      }
      .talking::before {
        content: '';
        display: inline-block;
        width: 0.6rem;
        height: 0.6rem;
        margin-right: 0.4rem;
        border-radius: 50%;
        background: var(--level);
      }
      form {
        display: grid;
        gap: 1rem;
        padding: 0.5rem 0 0.75rem;
      }
      #open {
        padding: 0.4rem 1rem;
      }
    `,
  ];

  @property({ attribute: false }) session: VoiceSession | null = null;

  @state() private rooms: readonly Room[] | null = null;
  @state() private isLate = false;
  @state() private said = '';
  @state() private isBusy = false;
  @query('form') private form!: HTMLFormElement;
  private watch: RoomWatch | null = null;
  private patience: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watch?.close();
    this.watch = null;
    clearTimeout(this.patience);
  }

  protected override updated(changes: PropertyValues<this>): void {
    if (!changes.has('session') || !this.session) return;
    this.watch?.close();
    const watch = new RoomWatch(this.session.base, () => {
      this.rooms = watch.rooms;
    });
    this.watch = watch;
    this.patience = setTimeout(() => {
      this.isLate = true;
    }, SILENT_MS);
  }

  protected override render(): TemplateResult {
    return html`
      <main>
        <header>
          <a class="back" href="#/">${t('back')}</a>
          <h1 tabindex="-1">${t('title')}</h1>
        </header>
        ${this.renderRooms()}
        <section id="open">
          <details>
            <summary>${t('open')}</summary>
            ${this.renderForm()}
          </details>
        </section>
      </main>
    `;
  }

  private renderRooms(): TemplateResult {
    const { rooms } = this;
    if (!rooms) return html`<p class="note" role="status">${this.isLate ? t('looking') : nothing}</p>`;
    if (!rooms.length) return html`<p class="note">${t('none')}</p>`;
    return html`<ul id="rooms">
      ${repeat(rooms, ({ id }) => id, renderRoom)}
    </ul>`;
  }

  private renderForm(): TemplateResult {
    return html`
      <form @submit=${this.make}>
        <label>${t('name')} <input name="name" required maxlength=${NAME_LENGTH} autocomplete="off" enterkeyhint="done" /></label>
        <label>
          ${t('kind')}
          <select name="kind">
            <option value="intercom">${t('intercom')}</option>
            <option value="broadcast">${t('onlyHost')}</option>
          </select>
        </label>
        <label>
          ${t('pin')}
          <input name="pin" pattern="[0-9]{4,12}" title=${t('pinHint')} inputmode="numeric" autocomplete="off" aria-describedby="pin-hint" />
        </label>
        <p class="note" id="pin-hint">${t('pinHint')}</p>
        <label>${t('max')} <input name="max" type="number" min="2" inputmode="numeric" /></label>
        <div class="buttons"><button id="make" ?disabled=${this.isBusy}>${t('make')}</button></div>
        <p class="note" id="said" role="status">${this.said}</p>
      </form>
    `;
  }

  private readonly make = (event: SubmitEvent) => {
    event.preventDefault();
    void this.open(new FormData(this.form));
  };

  private async open(wish: FormData): Promise<void> {
    if (!this.session) return;
    const text = (field: string) => (wish.get(field) as string).trim();
    this.isBusy = true;
    this.said = t('making');
    try {
      const kind = text('kind') === 'broadcast' ? 'broadcast' : 'intercom';
      const max = text('max') === '' ? null : Number(text('max'));
      const id = await openRoom(this.session.base, { name: text('name'), kind, pin: text('pin'), max });
      location.hash = hashOf({ view: 'room', id });
    } catch (error) {
      // A network that fails throws a TypeError; all else is the relay's own sentence.
      this.said = t('failed', { reason: error instanceof TypeError ? t('unreachable') : (error as Error).message });
    } finally {
      this.isBusy = false;
    }
  }
}

function renderRoom(room: Room): TemplateResult {
  const { id, name, participants, talking } = room;
  const who = participants === 0 ? t('empty') : participants === 1 ? t('one') : t('many', { count: participants });
  const marks = [room.kind === 'broadcast' && t('broadcast'), room.pin && t('withPin'), room.locked && t('locked')].filter(Boolean);
  return html`
    <li>
      <a href=${hashOf({ view: 'room', id })} data-room=${id}>
        <span class="name">${name}</span>
        <span class="who ${talking ? 'talking' : ''}">${talking ? t('talking') : who}</span>
        ${marks.length ? html`<span class="marks">${marks.join(' · ')}</span>` : nothing}
      </a>
    </li>
  `;
}
