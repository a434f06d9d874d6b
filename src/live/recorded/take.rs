//! Speech that is being recorded, and the packets it is made of.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, SystemTime};

use crate::audio::{SAMPLE_RATE, duration};
use crate::domain::{OpusPacket, Owner};
use crate::limits::{Full, Place, Places};

/// What a packet takes besides its payload: its numbers, its places in maps, and what the allocator adds.
pub(crate) const PACKET_OVERHEAD: u64 = 128;

/// The longest gap that is kept as it was: a pause, and what the relay lets a sender's time run ahead.
pub(super) const MAX_GAP: u64 = 15 * SAMPLE_RATE as u64;

/// Packets by their sequence numbers, and what they take.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    pub(super) by_sequence: BTreeMap<u64, OpusPacket>,
    pub(crate) bytes: u64,
}

impl Packets {
    /// One that is there already is not added again.
    fn add(&mut self, packet: OpusPacket) {
        if let Entry::Vacant(place) = self.by_sequence.entry(packet.sequence) {
            self.bytes += bytes_of(&packet);
            place.insert(packet);
        }
    }

    fn has(&self, packet: &OpusPacket) -> bool {
        self.by_sequence.contains_key(&packet.sequence)
    }

    /// From the first to the last.
    pub(crate) fn samples(&self) -> u64 {
        let ends = self.by_sequence.first_key_value().zip(self.by_sequence.last_key_value());
        ends.map_or(0, |((_, first), (_, last))| last.timestamp.saturating_sub(first.timestamp) + samples_in(last))
    }

    pub(crate) fn duration(&self) -> Duration {
        duration(self.samples())
    }
}

/// Speech that is not finished, which has its place as long as it is.
pub(crate) struct Take {
    pub(crate) owner: Owner,
    unfinished: Places,
    began: Option<SystemTime>,
    pub(crate) packets: Packets,
    place: Option<Place>,
}

impl Take {
    pub(crate) fn new(owner: Owner, unfinished: Places) -> Self {
        Self { owner, unfinished, began: None, packets: Packets::default(), place: None }
    }

    /// False: there is no room for it, of this owner's or of all.
    pub(crate) fn add(&mut self, packet: OpusPacket) -> bool {
        let has_room = self.packets.has(&packet) || self.make_room(bytes_of(&packet)).is_ok();
        if has_room {
            self.began.get_or_insert_with(SystemTime::now);
            self.packets.add(packet);
        }
        has_room
    }

    fn make_room(&mut self, bytes: u64) -> Result<(), Full> {
        match &mut self.place {
            Some(place) => place.grow(bytes),
            none => self.unfinished.take_many(&self.owner, bytes).map(|place| *none = Some(place)),
        }
    }

    /// Gives what was said, and when it began; the next word begins anew.
    pub(crate) fn end(&mut self) -> (Packets, Option<SystemTime>) {
        self.place = None;
        (std::mem::take(&mut self.packets), self.began.take())
    }
}

fn bytes_of(packet: &OpusPacket) -> u64 {
    PACKET_OVERHEAD + packet.payload.len() as u64
}

pub(super) fn samples_in(packet: &OpusPacket) -> u64 {
    opus::packet::get_nb_samples(&packet.payload, SAMPLE_RATE).unwrap_or(0) as u64
}
