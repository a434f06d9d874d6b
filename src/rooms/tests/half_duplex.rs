//! Rooms in which one talks at a time.

use super::*;

/// A room with three people, in which one talks at a time.
fn one_at_a_time() -> (TestHouse, RoomId, [Joined; 3]) {
    let mut stage = TestHouse::new();
    let people = ["Anna", "Bert", "Cora"].map(|name| stage.join(RoomId::HOME, name));
    stage.choose(RoomId::HOME, serde_json::json!({ "halfDuplex": true }));
    stage.orders.clear();
    (stage, RoomId::HOME, people)
}

impl TestHouse {
    fn begin(&mut self, one: Joined) -> Result<(), &'static str> {
        let begun = self.rooms.begin_talking(self.now, one.session).map_err(TalkError::code);
        self.deliver();
        begun
    }

    fn finish(&mut self, one: Joined) {
        self.rooms.end_talking(one.session);
        self.deliver();
    }

    fn heard(&mut self, one: Joined, on: bool) {
        self.rooms.note_talking(self.now, one.id, on, false);
        self.deliver();
    }

    /// Those of these of whom nothing is passed on, as the media side was told last.
    fn silenced(&self, people: &[Joined]) -> Vec<bool> {
        let last = |voice| self.orders.iter().rfind(|order| matches!(order, Order::Silence(of, _) if *of == voice));
        people.iter().map(|one| matches!(last(one.voice), Some(Order::Silence(_, true)))).collect()
    }
}

#[test]
fn whoever_begins_has_the_room_to_themselves_until_they_have_finished() {
    let (mut stage, room, people) = one_at_a_time();
    let [anna, bert, cora] = people;
    assert_eq!(stage.begin(anna), Ok(()));
    assert_eq!((stage.begin(anna), stage.begin(bert)), (Ok(()), Err("occupied")));
    assert_eq!(stage.silenced(&people), [false, true, true]);
    stage.heard(anna, true);
    stage.pass(HOLD * 10);
    assert_eq!(
        (stage.begin(cora), stage.rooms.is_held(room)),
        (Err("occupied"), true),
        "for as long as they are heard"
    );
    stage.heard(bert, true);
    assert!(!stage.rooms.participants(room).expect("a room")[1].talking, "what arrives of others is not heard");
    stage.finish(anna);
    assert_eq!((stage.silenced(&people), stage.begin(bert)), (vec![false; 3], Ok(())));
}

#[test]
fn who_is_not_heard_any_more_loses_the_room_after_a_moment_and_so_does_who_never_was() {
    let (mut stage, room, [anna, bert, _]) = one_at_a_time();
    for is_heard in [false, true] {
        assert_eq!(stage.begin(anna), Ok(()));
        if is_heard {
            stage.heard(anna, true);
            stage.pass(HOLD);
            stage.heard(anna, false);
        }
        stage.pass(HOLD - MOMENT);
        assert_eq!(stage.begin(bert), Err("occupied"), "in a pause between two sentences");
        stage.pass(MOMENT);
        assert!(!stage.rooms.is_held(room));
    }
    assert_eq!(stage.begin(bert), Ok(()));
}

#[test]
fn who_is_heard_first_has_the_room_also_without_having_asked() {
    let (mut stage, _, people) = one_at_a_time();
    let [_, bert, cora] = people;
    stage.heard(cora, true);
    assert_eq!((stage.silenced(&people), stage.begin(bert)), (vec![true, true, false], Err("occupied")));
}

#[test]
fn whoever_goes_is_put_out_or_comes_back_by_another_connection_leaves_the_room_free() {
    for way in ["left", "gone", "kicked", "back", "closed"] {
        let (mut stage, room, people) = one_at_a_time();
        let [anna, bert, _] = people;
        let key = stage.key_of(anna);
        assert_eq!(stage.begin(anna), Ok(()));
        stage.heard(anna, true);
        let admin = Asker { owner: None, admin: true };
        match way {
            "left" => stage.leave(anna.session, LeaveReason::Left),
            "gone" => stage.leave(anna.session, LeaveReason::Gone),
            "kicked" => stage.host_as(admin, bert, HostAction::Kick { who: anna.id }).expect("an administrator"),
            "closed" => stage.host_as(admin, bert, HostAction::Close).expect("an administrator"),
            _ => drop(stage.join_with(room, "Anna", key)),
        }
        assert!(!stage.rooms.is_held(room), "{way}");
        stage.pass(MOMENT);
        assert_eq!(stage.rooms.deadline().filter(|at| *at <= stage.now), None, "{way}: nothing is left to be done");
        let cora = stage.join(room, "Dora");
        assert_eq!(stage.begin(cora), Ok(()), "{way}");
    }
}

#[test]
fn where_it_is_turned_off_again_all_talk_at_once() {
    let (mut stage, room, people) = one_at_a_time();
    assert_eq!(stage.begin(people[0]), Ok(()));
    stage.choose(room, serde_json::json!({ "halfDuplex": false }));
    assert_eq!(stage.silenced(&people), [false; 3]);
    for one in people {
        assert_eq!(stage.begin(one), Ok(()));
    }
}

#[test]
fn whoever_is_muted_while_they_talk_leaves_the_room_free() {
    let (mut stage, room, people) = one_at_a_time();
    let [anna, bert, _] = people;
    let admin = Asker { owner: None, admin: true };
    stage.heard(anna, true);
    stage.host_as(admin, bert, HostAction::Mute { who: anna.id }).expect("an administrator");
    assert_eq!((stage.rooms.is_held(room), stage.silenced(&people)), (false, vec![true, false, false]));
    assert_eq!(stage.begin(bert), Ok(()));
}

#[test]
fn whom_the_host_has_muted_stays_so_when_the_room_is_free() {
    let (mut stage, _, people) = one_at_a_time();
    let [anna, bert, _] = people;
    let admin = || Asker { owner: None, admin: true };
    stage.host_as(admin(), anna, HostAction::Mute { who: bert.id }).expect("an administrator");
    assert_eq!(stage.begin(anna), Ok(()));
    stage.finish(anna);
    assert_eq!((stage.silenced(&people), stage.begin(bert)), (vec![false, true, false], Err("muted")));
}
