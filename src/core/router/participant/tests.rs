//! Which packets a participant hears, in which slot, and what is said of it.

use std::time::Instant;

use uuid::Uuid;

use super::*;

#[test]
fn a_packet_of_another_room_is_not_heard_though_its_place_was_given_to_this_participant() {
    let id = |number| StreamId::of_connection(Uuid::from_u128(number));
    let (mut cx, place) = (Context::new(Instant::now()), Position { sequence: 1_000, timestamp: 0 });
    let membership = ParticipantTracks { room: RoomId(1), voice: id(1), music: id(2), only_listens: false };
    let mut participant = RoomConsumer::new(membership);
    participant.slots.set_tracks([EgressTrack::numbered(0)].into_iter());
    let mut hears = |room| {
        let meta = PacketMeta { stream: id(7), room, loud: true, pinned: true };
        participant.select(&mut cx, true, &meta, place, 80).is_ok_and(|selected| selected.is_some())
    };
    assert!(!hears(RoomId(2)));
    assert!(hears(RoomId(1)));
}
