// What a device shows of the house, at one moment.

import type { PersonView, RoomView, TalkView } from '../rooms/room-view';
import type { Room } from '../rooms/room-protocol';
import type { CallsView, MailboxView } from '../calls/calls-view';
import type { Blockage } from '../session/carriage';
import type { AudioDevices } from '../session/devices';

/** One room as this device has it. */
export interface PlaceView {
  room: Room;
  /** What we know as somebody who is in it; null while we are not. */
  inside: RoomView | null;
  /** Whether we listen, or are about to. */
  listening: boolean;
}

/** Everything there is to show, at one moment. */
export interface HouseView extends TalkView {
  /** The relay is there. */
  connected: boolean;
  /** Whether the person has joined the house, now or on an earlier visit. */
  joined: boolean;
  /** Every room but those of stations; null while none is known. */
  places: readonly PlaceView[] | null;
  /** The rooms of other stations: devices with a name, which can be talked to and called. */
  stations: readonly PlaceView[];
  /** The room of this device, once it is a station. */
  own: PlaceView | null;
  calls: CallsView;
  messages: MailboxView;
  /** The room that is talked to. */
  selected: PlaceView | null;
  /** The room in which we talk, or tried to; null before. */
  talkingIn: Room | null;
  /** What keeps sound from getting through, though the relay answers. */
  blockage: Blockage | null;
  /** The browser wants a tap before it plays anything. */
  blocked: boolean;
  /** Whether we listen anywhere. */
  listening: boolean;
  /** Who is heard here now: others who talk in rooms that we listen to. */
  heard: readonly Heard[];
  /** Port of the MP3 streams, once known. */
  mp3Port: number | null;
  /** What there is to choose from. */
  devices: AudioDevices;
}

/** Somebody who is heard, and where. */
export interface Heard {
  room: Room;
  person: PersonView;
}
