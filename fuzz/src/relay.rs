//! The core, in a simulated house: clients with real keys, and among them somebody who sends anything, bends what
//! others send, and gives every command in any order, at any time.

use std::net::SocketAddr;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use uuid::Uuid;
use voice_relay::core::{Input, LocalPacket, ParticipantTracks, Role, Wanted};
use voice_relay::domain::{RoomId, StreamId};

use super::house::client::PTIME;
use super::house::world::{Who, World, relay_address};

/// Clients of one script.
const MOST_MEMBERS: usize = 4;

/// Things that happen in one script.
const MOST_ACTS: usize = 200;

/// Somebody whom the relay has never heard of.
const STRANGER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 66)), 4_000);

/// Where a client may turn up as well: whose check comes from there is known there from then on.
const ELSEWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 67)), 4_000);

/// A sender on the relay's own machine.
const LOCAL: StreamId = StreamId::of_connection(Uuid::from_u128(99));

/// Whatever happens: no panic, no answer to a stranger, and nothing left when all have gone.
pub fn relay(data: &[u8]) {
    let mut world = World::new(1);
    let mut script = Unstructured::new(data);
    for _ in 0..MOST_ACTS {
        if script.is_empty() || act(&mut world, &mut script).is_err() {
            break;
        }
        world.flush();
    }
    leave(&mut world);
}

fn act(world: &mut World, script: &mut Unstructured<'_>) -> Result<()> {
    match script.int_in_range(0..=13)? {
        0 => world.run_for(PTIME * script.int_in_range(0..=10)?),
        1 if world.members.len() < MOST_MEMBERS => drop(world.publisher()),
        2 if world.members.len() < MOST_MEMBERS => drop(world.try_subscribe(None)),
        3 => garbage(world, script)?,
        4 | 5 => bend(world, script)?,
        6 => strange_packets(world, script)?,
        7 => describe(world, script)?,
        8 => lifecycle(world, script)?,
        9 => feed(world, script)?,
        10 => wait(world, script)?,
        11 => change_network(world, script)?,
        12 => take_part(world, script)?,
        _ => world.run_for(PTIME),
    }
    Ok(())
}

fn member(world: &World, script: &mut Unstructured<'_>) -> Result<Who> {
    script.choose_index(world.members.len()).map(Who)
}

fn some_bytes<'a>(script: &mut Unstructured<'a>) -> Result<&'a [u8]> {
    let length = usize::from(script.arbitrary::<u8>()?).min(script.len());
    script.bytes(length)
}

fn deliver(world: &mut World, source: SocketAddr, payload: &[u8]) {
    let input = Input::Datagram { source, destination: relay_address(), payload };
    world.relay.handle(world.now, input);
}

/// Any bytes, from a stranger or in the name of a client.
fn garbage(world: &mut World, script: &mut Unstructured<'_>) -> Result<()> {
    let payload = some_bytes(script)?;
    deliver(world, STRANGER, payload);
    assert!(world.relay.poll().is_none(), "a stranger was answered");
    let who = member(world, script)?;
    deliver(world, world[who].seen_as, payload);
    Ok(())
}

/// What a client sends next, changed on its way: a byte, the length, the sender's address; or sent twice.
fn bend(world: &mut World, script: &mut Unstructured<'_>) -> Result<()> {
    let who = member(world, script)?;
    world.now += PTIME;
    let now = world.now;
    world[who].client.advance(now);
    while let Some((_, mut payload)) = world[who].client.poll() {
        let place = script.int_in_range(0..=payload.len().saturating_sub(1))?;
        match script.int_in_range(0..=4)? {
            0 => payload[place] ^= script.arbitrary::<u8>()?,
            1 => payload.truncate(place),
            2 => payload.extend(some_bytes(script)?),
            3 => payload[place..].iter_mut().for_each(|byte| *byte = 0xff),
            _ => {}
        }
        let source = if script.ratio(1_u8, 8)? { ELSEWHERE } else { world[who].seen_as };
        for _ in 0..script.int_in_range(1..=2)? {
            deliver(world, source, &payload);
        }
    }
    Ok(())
}

/// Packets with valid keys and strange contents: any payload, any jump of the numbers.
fn strange_packets(world: &mut World, script: &mut Unstructured<'_>) -> Result<()> {
    let who = member(world, script)?;
    let payload = some_bytes(script)?.to_vec();
    let (packets, samples) = (script.arbitrary::<u16>()?, script.arbitrary::<u32>()?);
    let client = &mut world[who].client;
    client.voice = Some(Box::new(move |_| payload.clone()));
    client.skip(packets.into(), samples.into());
    client.audio_level = -script.int_in_range(0..=127)?;
    world.run_for(PTIME);
    Ok(())
}

/// Descriptions and candidates that are none, or those of somebody else.
fn describe(world: &mut World, script: &mut Unstructured<'_>) -> Result<()> {
    let who = member(world, script)?;
    let (peer, stream, now) = (world[who].peer, world[who].stream, world.now);
    let text = String::from_utf8_lossy(some_bytes(script)?);
    match script.int_in_range(0..=3)? {
        0 => drop(world.relay.accept(now, Role::Publish(stream.into()), &text, false)),
        1 => drop(world.relay.answer(now, peer, &text)),
        2 => world.relay.add_candidate(now, peer, &format!("candidate:1 1 udp 1 {} {text}", STRANGER.ip())),
        _ => drop(world.relay.subscribe(now, Some(stream), false)),
    }
    Ok(())
}

fn lifecycle(world: &mut World, script: &mut Unstructured<'_>) -> Result<()> {
    let who = member(world, script)?;
    let (peer, now) = (world[who].peer, world.now);
    match script.int_in_range(0..=6)? {
        0 => world.relay.close(now, peer),
        1 => world[who].client.close(),
        2 => world[who].cut_off = true,
        3 => world[who].cut_off = false,
        4 => world.relay.keep_alive(now, peer),
        5 => world[who].client.pause(),
        _ => world[who].client.talk(now),
    }
    Ok(())
}

/// A sender on this machine, and a decoder that listens in.
fn feed(world: &mut World, script: &mut Unstructured<'_>) -> Result<()> {
    let (now, timestamp) = (world.now, script.arbitrary::<u32>()?);
    let payload = some_bytes(script)?.into();
    let packet = LocalPacket { timestamp: timestamp.into(), level: script.arbitrary()?, payload };
    match script.int_in_range(0..=3)? {
        0 => world.relay.end_local(now, LOCAL),
        1 => drop(world.relay.set_tapped(LOCAL, script.arbitrary()?)),
        _ => drop(world.relay.feed(now, LOCAL, packet)),
    }
    Ok(())
}

/// Rooms: who comes, offers again, is silenced, wants to hear whom, and goes.
fn take_part(world: &mut World, script: &mut Unstructured<'_>) -> Result<()> {
    let room = RoomId(script.int_in_range(0..=1)?);
    if world.members.len() < MOST_MEMBERS {
        world.participant(room, script.int_in_range(0..=3)?);
        return Ok(());
    }
    let who = member(world, script)?;
    let (voice, other, now) = (world[who].stream, world[member(world, script)?].stream, world.now);
    match script.int_in_range(0..=9)? {
        0 => world.relay.set_silenced(now, voice, script.arbitrary()?),
        1 => world.relay.end_said(now, voice),
        2 => world.relay.set_wanted(now, voice, Wanted::Only(vec![other])),
        3 => world.relay.set_wanted(now, voice, Wanted::All),
        4 => world.relay.pin(room, Some(other)),
        5 => world.relay.set_cap(now, room, script.arbitrary()?),
        6 => world.relay.remove_room(now, room),
        7 => world.relay.leave(now, voice),
        8 => world[who].client.play_music(now),
        _ => {
            let text = String::from_utf8_lossy(some_bytes(script)?);
            let membership = ParticipantTracks { room, voice, music: other, only_listens: false };
            drop(world.relay.accept(now, Role::Participate(membership), &text, false));
        }
    }
    Ok(())
}

/// A minute in which nobody sends anything.
fn wait(world: &mut World, script: &mut Unstructured<'_>) -> Result<()> {
    let who = member(world, script)?;
    world[who].cut_off = true;
    world.members.iter_mut().for_each(|member| member.client.pause());
    world.run_for(Duration::from_secs(script.int_in_range(0..=60)?));
    Ok(())
}

/// Of the client, or of the machine.
fn change_network(world: &mut World, script: &mut Unstructured<'_>) -> Result<()> {
    let who = member(world, script)?;
    match script.arbitrary()? {
        true => world.change_address(who),
        false => {
            let port = script.arbitrary()?;
            world.relay.set_addresses(vec![relay_address(), SocketAddr::from((script.arbitrary::<[u8; 4]>()?, port))]);
        }
    }
    Ok(())
}

fn leave(world: &mut World) {
    world.members.iter_mut().for_each(|member| member.cut_off = true);
    world.relay.close_all(world.now);
    world.relay.end_local(world.now, LOCAL);
    world.run_for(Duration::from_secs(1));
    let left = world.relay.stats();
    assert_eq!((left.peers, left.streams, left.receivers, left.peer_panics), (0, 0, 0, 0));
}
