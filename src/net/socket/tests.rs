//! The socket against sockets of the standard library, on loopback.

use std::time::Instant;

use crate::core::Transmit;

use super::*;

/// Reads until a datagram is there.
fn read_one(socket: &MediaSocket, batch: &mut Batch) {
    for _ in 0..1_000 {
        match socket.receive(batch) {
            Ok(()) => return,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("nothing arrived");
}

fn transmit(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Transmit {
    Transmit { source, destination, payload: payload.to_vec(), forwarded: true }
}

#[test]
fn a_datagram_is_answered_from_the_address_that_it_was_sent_to() {
    for (bound, target) in [("::", "127.0.0.7"), ("::", "::1"), ("0.0.0.0", "127.0.0.7"), ("127.0.0.1", "127.0.0.1")] {
        let socket = MediaSocket::bind(bound.parse().expect("an address"), 0).expect("a free port");
        let target: IpAddr = target.parse().expect("an address");
        let client = UdpSocket::bind(SocketAddr::new(
            if target.is_ipv4() { "127.0.0.1" } else { "::1" }.parse().expect("an address"),
            0,
        ))
        .expect("a free port");
        client.send_to(b"question", SocketAddr::new(target, socket.port())).expect("sent");

        let mut batch = Batch::default();
        read_one(&socket, &mut batch);
        let now = Instant::now();
        let question = batch.iter(now).next().expect("one datagram");
        assert_eq!((question.payload, question.destination), (&b"question"[..], target));
        assert!(question.arrived <= now && !question.truncated);

        let mut outgoing = Outgoing::default();
        outgoing.push(transmit(SocketAddr::new(target, socket.port()), question.source, b"answer"), now);
        let mut stats = SocketStats::default();
        socket.send(&mut outgoing, &mut stats);
        let mut buffer = [0; 16];
        let (length, from) = client.recv_from(&mut buffer).expect("an answer");
        assert_eq!((&buffer[..length], from), (&b"answer"[..], SocketAddr::new(target, socket.port())));
        assert_eq!((stats.send_failed, stats.forward_delay.count()), (0, 1));
    }
}

#[test]
fn a_hundred_datagrams_take_thirteen_system_calls_and_keep_their_order() {
    let socket = MediaSocket::bind(Ipv4Addr::LOCALHOST.into(), 0).expect("a free port");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let destination = client.local_addr().expect("bound");
    let mut outgoing = Outgoing::default();
    for number in 0..100_u8 {
        outgoing.push(transmit(socket.local, destination, &[number]), Instant::now());
    }
    let mut stats = SocketStats::default();
    socket.send(&mut outgoing, &mut stats);
    assert_eq!(stats.send_calls, 13);
    for number in 0..100_u8 {
        let mut buffer = [0; 2];
        assert_eq!(client.recv(&mut buffer).expect("a datagram"), 1);
        assert_eq!(buffer[0], number);
    }
}

#[test]
fn one_that_cannot_be_sent_does_not_hold_up_the_others() {
    let socket = MediaSocket::bind(Ipv4Addr::LOCALHOST.into(), 0).expect("a free port");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let mut outgoing = Outgoing::default();
    // Loopback has no way to a multicast address.
    outgoing.push(transmit(socket.local, SocketAddr::from(([255, 255, 255, 255], 9)), b"lost"), Instant::now());
    outgoing.push(transmit(socket.local, client.local_addr().expect("bound"), b"kept"), Instant::now());
    let mut stats = SocketStats::default();
    socket.send(&mut outgoing, &mut stats);
    let mut buffer = [0; 8];
    assert_eq!(client.recv(&mut buffer).expect("a datagram"), 4);
    assert_eq!((stats.send_failed, stats.forward_delay.count()), (1, 2));
}

#[test]
fn an_oversized_datagram_is_marked() {
    let socket = MediaSocket::bind(Ipv4Addr::LOCALHOST.into(), 0).expect("a free port");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    client.send_to(&[7; 60_000], socket.local).expect("sent");
    let mut batch = Batch::default();
    read_one(&socket, &mut batch);
    assert!(batch.iter(Instant::now()).all(|datagram| datagram.truncated));
}
