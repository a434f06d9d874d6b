//! What a listener at the other end of a real socket gets.

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::access::Action;
use crate::domain::{Owner, RoomId};
use crate::limits::Places;

fn title(text: &str) -> Arc<str> {
    Arc::from(text)
}

/// A listener's socket with 10,000 bytes of patience, and the listener at the other end.
async fn listener_socket(framing: Framing) -> (ListenerSocket, TcpStream, Arc<ListenerStats>) {
    let port = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = port.local_addr().expect("bound");
    let (listener, accepted) = tokio::join!(TcpStream::connect(address), port.accept());
    let socket = accepted.expect("accepted").0;
    socket2::SockRef::from(&socket).set_send_buffer_size(4_096).expect("set");
    let stats = Arc::<ListenerStats>::default();
    socket.writable().await.expect("open");
    let permit = Permit::of_a_test(Action::Hear, RoomId::HOME);
    let place = Places::unshared(1).take(&Owner::Machine).expect("room");
    let hearing = Hearing { permit, _place: place, _listening: None };
    let listener_socket = ListenerSocket::new(
        socket.try_into().expect("a socket"),
        Bytes::from_static(b"HEAD\r\n\r\n"),
        framing,
        1,
        10_000,
        Arc::clone(&stats),
        hearing,
    );
    (listener_socket, listener.expect("connected"), stats)
}

fn piece(text: &'static str) -> Piece {
    Piece::new(Bytes::from_static(text.as_bytes()))
}

async fn read_all(mut listener: TcpStream) -> String {
    let mut bytes = Vec::new();
    listener.read_to_end(&mut bytes).await.expect("read");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_chunked_body_is_chunks_and_an_end() {
    let (mut listener_socket, listener, _) = listener_socket(Framing::Chunked).await;
    listener_socket.write(&piece("hello"), &title("")).expect("open");
    listener_socket.write(&piece(" world, and more"), &title("")).expect("open");
    listener_socket.end();
    assert_eq!(read_all(listener).await, "HEAD\r\n\r\n5\r\nhello\r\n10\r\n world, and more\r\n0\r\n\r\n");
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_bare() {
    let (mut listener_socket, listener, _) = listener_socket(Framing::Close).await;
    listener_socket.write(&piece("hello"), &title("")).expect("open");
    listener_socket.end();
    assert_eq!(read_all(listener).await, "HEAD\r\n\r\nhello");
}

#[tokio::test]
async fn metadata_comes_where_it_was_promised_and_only_when_new() {
    let (listener_socket, listener, _) = listener_socket(Framing::Close).await;
    let mut listener_socket = listener_socket.with_icy();
    let reader = tokio::spawn(read_all(listener));
    for _ in 0..8 {
        listener_socket.write(&Piece::new(vec![b'.'; 6_000].into()), &title("Anna's kitchen")).expect("open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    listener_socket.end();
    let heard = reader.await.expect("read");
    let body = heard.strip_prefix("HEAD\r\n\r\n").expect("the head");
    let audio = ".".repeat(ICY_INTERVAL);
    let said = "StreamTitle='Anna’s kitchen';";
    assert_eq!(&body[..ICY_INTERVAL], audio);
    assert_eq!(body.as_bytes()[ICY_INTERVAL], 2);
    assert_eq!(body[ICY_INTERVAL + 1..][..32].trim_end_matches('\0'), said);
    let rest = &body[ICY_INTERVAL + 33..];
    assert_eq!(rest, format!("{audio}\0{audio}\0"));
}

#[tokio::test]
async fn a_listener_that_stops_reading_skips_and_in_the_end_is_dropped() {
    let (mut listener_socket, mut listener, stats) = listener_socket(Framing::Chunked).await;
    socket2::SockRef::from(&listener).set_recv_buffer_size(4_096).expect("set");
    for _ in 0..2_000 {
        listener_socket.write(&Piece::new(vec![0; 384].into()), &title("")).expect("patience");
        assert!(listener_socket.waiting_bytes <= listener_socket.max_waiting);
    }
    assert!(stats.skipped.load(Ordering::Relaxed) > 1_000);
    listener_socket.last_progress -= STALL_TIMEOUT;
    assert!(listener_socket.write(&piece("x"), &title("")).is_err());
    assert_eq!(stats.dropped.load(Ordering::Relaxed), 1);
    drop(listener_socket);
    // What it did get is whole chunks.
    let mut bytes = Vec::new();
    listener.read_to_end(&mut bytes).await.expect("read");
    let body = &bytes[8..];
    assert!(body.chunks(391).all(|chunk| chunk.starts_with(b"180\r\n") || chunk.len() < 5));
}

#[tokio::test]
async fn a_listener_whose_permit_ends_is_over_and_ends_cleanly() {
    let (mut listener_socket, listener, _) = listener_socket(Framing::Chunked).await;
    assert!(listener_socket.write(&piece("hello"), &title("")).is_ok() && !listener_socket.is_over());
    listener_socket.hearing.permit.end();
    assert!(listener_socket.is_over());
    listener_socket.end();
    assert_eq!(read_all(listener).await, "HEAD\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
}
