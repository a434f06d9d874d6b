// The address of a wall panel: all that its tablet needs to be the same device again, whatever its browser keeps.

import type { Choices, ChoiceStorage } from '../session/choices';
import { KEY } from './station';

/** What makes a device the one that it is. */
interface PanelIdentity {
  key: string;
  name: string;
  rooms: readonly string[];
}

/** What comes after `#` in the address. */
export function panelHash({ key, name, rooms }: PanelIdentity): string {
  return `#/panel?${new URLSearchParams({ name, rooms: rooms.join(), key }).toString()}`;
}

/** The same read again; null where that is no panel's, or nothing is said of it. */
export function panelIn(hash: string): PanelIdentity | null {
  const said = new URLSearchParams(/^#\/panel\?(.*)$/.exec(hash)?.[1]);
  const [key, name] = [said.get('key'), said.get('name')];
  if (!key || !name) return null;
  return { key, name, rooms: (said.get('rooms') ?? '').split(',').filter((room) => room !== '') };
}

/** A browser that has kept nothing is the device that the address says; gives what is to be chosen then. */
export function becomePanel(hash: string, { joined }: Choices, storage: ChoiceStorage | null): Partial<Choices> | null {
  const panel = panelIn(hash);
  if (!panel || joined) return null;
  try {
    storage?.setItem(KEY, panel.key);
  } catch {
    // It is another device then, of the same name.
  }
  return { name: panel.name, joined: true, listensTo: [...panel.rooms] };
}
