// Making a room: its name, who may talk there, and who may come in.

import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { roomsWords as t } from '../messages/rooms';
import { hashOf } from '../pages/routes';
import { openRoom } from '../rooms/open-room';
import { NAME_LENGTH } from '../rooms/room-protocol';
import { buttonStyles } from '../ui/button.styles';
import { fieldStyles } from '../ui/field.styles';
import '../ui/side-sheet';
import type { HouseSession } from './house-session';

declare global {
  interface HTMLElementTagNameMap {
    'room-sheet': RoomSheet;
  }
}

@customElement('room-sheet')
export class RoomSheet extends LitElement {
  static override styles = [
    buttonStyles,
    fieldStyles,
    css`
      form {
        display: grid;
        gap: 1rem;
      }
      p {
        margin: -0.6rem 0 0;
        color: var(--quiet);
      }
      p:empty {
        display: none;
      }
      #make {
        min-height: 3rem;
        background: var(--accent);
        color: var(--on-accent);
      }
    `,
  ];

  @property({ attribute: false }) session: HouseSession | null = null;

  @state() private said = '';
  @state() private isBusy = false;

  protected override render(): TemplateResult {
    return html`<side-sheet label=${t('open')}>
      <form @submit=${this.make}>
        <label>${t('name')} <input name="name" required maxlength=${NAME_LENGTH} autocomplete="off" enterkeyhint="done" autofocus /></label>
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
        <p id="pin-hint">${t('pinHint')}</p>
        <label>${t('max')} <input name="max" type="number" min="2" inputmode="numeric" /></label>
        <button id="make" ?disabled=${this.isBusy}>${t('make')}</button>
        <p id="said" role="status">${this.said}</p>
      </form>
    </side-sheet>`;
  }

  private readonly make = (event: SubmitEvent) => {
    event.preventDefault();
    void this.open(new FormData(event.target as HTMLFormElement));
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
      this.dispatchEvent(new Event('close'));
      location.hash = hashOf({ view: 'room', id });
    } catch (error) {
      // A network that fails throws a TypeError; all else is the relay's own sentence.
      this.said = t('failed', { reason: error instanceof TypeError ? t('unreachable') : (error as Error).message });
    } finally {
      this.isBusy = false;
    }
  }
}
