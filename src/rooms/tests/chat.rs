//! What is written in a room.

use super::*;

#[test]
fn all_read_a_message_the_author_too_and_it_says_who_the_host_is() {
    let mut stage = TestHouse::new();
    let (_, [host, anna, bert]) = stage.company(RoomKind::Broadcast);
    stage.chat(anna, " hello\u{202e}\nall ").expect("passed on");
    let expected = serde_json::json!({
        "type": "chat", "from": anna.id, "name": "Anna", "text": "hello\nall", "at": 1000.0, "host": false,
    });
    for one in [host, anna, bert] {
        assert_eq!(stage.told(one), std::slice::from_ref(&expected));
    }
    stage.chat(host, "hello").expect("passed on");
    assert_eq!(stage.told_once(bert, "chat")["host"], true);
}

#[test]
fn those_who_come_later_read_what_was_written_last() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    for number in 0..CHAT_HISTORY + 20 {
        stage.chat(anna, &number.to_string()).expect("passed on");
        stage.pass(CHAT_INTERVAL);
    }
    stage.leave(anna.session, LeaveReason::Left);
    let late = stage.join(RoomId::HOME, "Bert");
    let history = stage.told_once(late, "joined")["chat"].take();
    let texts: Vec<_> = history.as_array().expect("a list").iter().map(|line| &line["text"]).collect();
    assert_eq!((texts.len(), texts[0], texts[99]), (CHAT_HISTORY, &"20".into(), &"119".into()));
    assert!(history[0].get("type").is_none() && history[0]["name"] == "Anna");
}

#[test]
fn five_messages_come_at_once_and_then_one_a_second() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    let key = stage.key_of(anna);
    for _ in 0..CHAT_BURST {
        stage.chat(anna, "x").expect("passed on");
    }
    assert_eq!(stage.chat(anna, "x").map_err(ChatError::code), Err("too_fast"));
    stage.pass(CHAT_INTERVAL);
    assert_eq!((stage.chat(anna, "x"), stage.chat(anna, "x")), (Ok(()), Err(ChatError::TooFast)));
    stage.leave(anna.session, LeaveReason::Gone);
    let back = stage.join_with(RoomId::HOME, "Anna", key);
    assert_eq!(stage.chat(back, "x"), Err(ChatError::TooFast), "to come back does not help");
    assert_eq!(stage.rooms.counters().chat_refused, 3);
    let bert = stage.join(RoomId::HOME, "Bert");
    assert_eq!(stage.chat(bert, "x"), Ok(()));
}

#[test]
fn a_message_is_not_empty_nor_too_long_nor_of_a_stranger() {
    let mut stage = TestHouse::new();
    let anna = stage.join(RoomId::HOME, "Anna");
    assert_eq!(stage.chat(anna, " \n\u{200f} ").map_err(ChatError::code), Err("bad_message"));
    assert_eq!(stage.chat(anna, &"ä".repeat(MAX_CHAT + 1)), Err(ChatError::TooLong));
    assert_eq!(stage.chat(anna, &format!("  {}\n", "ä".repeat(MAX_CHAT))), Ok(()));
    stage.leave(anna.session, LeaveReason::Left);
    assert_eq!(stage.chat(anna, "x").map_err(ChatError::code), Err("not_joined"));
}
