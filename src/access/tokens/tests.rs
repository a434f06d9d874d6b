//! Tokens: what is read of them, when they end, and what is kept.

use super::super::action::Scope;
use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn tokens(folder: &tempfile::TempDir) -> Tokens {
    Tokens::new(DataFolder::new(folder.path().into()))
}

fn claims(now: SystemTime) -> Claims {
    Claims::new(Scopes::from_iter([Scope::Listen]), None, Some("Grandma\n".into()), now, DAY)
}

#[test]
fn a_token_is_good_until_it_expires() {
    let (folder, now) = (tempfile::tempdir().expect("a folder"), SystemTime::now());
    let tokens = tokens(&folder);
    let token = tokens.sign(&claims(now)).expect("signed");
    let read = tokens.verify_at(&token, now).expect("good");
    assert!(read.scope.contains(Scope::Listen) && !read.scope.contains(Scope::Talk));
    assert_eq!(read.name.as_deref(), Some("Grandma"));
    assert!(tokens.verify_at(&token, now + DAY - Duration::from_secs(2)).is_ok());
    assert_eq!(tokens.verify_at(&token, now + DAY), Err(TokenError::Expired));
}

#[test]
fn a_token_of_another_relay_or_changed_or_unsigned_is_forged() {
    let (ours, theirs) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (tokens, others) = (tokens(&ours), tokens(&theirs));
    let token = others.sign(&claims(SystemTime::now())).expect("signed");
    let unsigned = "eyJhbGciOiJub25lIn0.eyJqdGkiOiIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDEiLCJzY29wZSI6WyJ0YWxrIl0sImV4cCI6OTk5OTk5OTk5OX0.";
    for forged in [token.as_str(), unsigned, "", "a.b.c", "ä"] {
        assert_eq!(tokens.verify(forged), Err(TokenError::Forged), "{forged}");
    }
}

#[test]
fn a_revoked_token_is_refused_at_once_also_when_another_process_revoked_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (daemon, command_line) = (tokens(&folder), tokens(&folder));
    let (first, second) = (claims(SystemTime::now()), claims(SystemTime::now()));
    let signed = [&first, &second].map(|claims| command_line.sign(claims).expect("signed"));
    assert_eq!(daemon.verify(&signed[0]).as_ref(), Ok(&first));
    command_line.revoke(first.jti).expect("revoked");
    assert_eq!(daemon.verify(&signed[0]), Err(TokenError::Revoked));
    assert_eq!(daemon.verify(&signed[1]), Ok(second));
}

#[test]
fn while_it_cannot_be_known_what_was_revoked_no_token_is_good_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = tokens(&folder);
    let token = tokens.sign(&claims(SystemTime::now())).expect("signed");
    std::fs::write(folder.path().join(REVOKED), "[\"half").expect("written");
    assert_eq!(tokens.verify(&token), Err(TokenError::Revoked));
    assert!(tokens.revoke(Uuid::new_v4()).is_err());
    std::fs::remove_file(folder.path().join(REVOKED)).expect("removed");
    assert!(tokens.verify(&token).is_ok());
}

#[test]
fn whoever_shares_gives_no_more_than_they_have() {
    let now = SystemTime::now();
    let wish = |room: Option<&str>| {
        Claims::new(Scopes::from_iter([Scope::Listen]), room.map(str::to_owned), None, now, DAY * 365)
    };
    let house = Visitor::at([10, 0, 0, 1].into(), Scopes::all());
    assert_eq!(wish(None).child_of(&house).map(|claims| claims.room), Ok(None));
    let token = TokenId { id: Uuid::new_v4(), expires: unix(now + DAY) };
    let kitchen = Visitor { room: Some("kitchen".into()), token: Some(token), ..house.clone() };
    let child = wish(None).child_of(&kitchen).expect("of the kitchen");
    assert_eq!((child.room.as_deref(), child.exp), (Some("kitchen"), token.expires));
    assert!(wish(Some("kitchen")).child_of(&kitchen).is_ok());
    assert_eq!(wish(Some("nursery")).child_of(&kitchen), Err(Exceeds::Room));
    let guest = Visitor { scopes: Scopes::from_iter([Scope::Talk, Scope::Share]), ..house };
    assert_eq!(wish(None).child_of(&guest), Err(Exceeds::Scope));
}

#[test]
fn a_key_that_is_empty_short_long_or_zero_signs_nothing_and_lets_nobody_in() {
    for damaged in [vec![], vec![7; KEY_BYTES - 1], vec![7; KEY_BYTES + 1], vec![0; KEY_BYTES]] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(KEY), &damaged).expect("written");
        let tokens = tokens(&folder);
        assert!(tokens.check_key_file().is_err() && tokens.sign(&claims(SystemTime::now())).is_err());
        let forged = jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            &claims(SystemTime::now()),
            &EncodingKey::from_secret(&damaged),
        );
        assert_eq!(tokens.verify(&forged.expect("encoded")), Err(TokenError::Forged), "{damaged:?}");
        assert_eq!(std::fs::read(folder.path().join(KEY)).expect("left as it was"), damaged);
    }
}

#[test]
fn twenty_that_are_revoked_at_the_same_time_are_all_revoked() {
    let folder = tempfile::tempdir().expect("a folder");
    let ids: Vec<Uuid> = (0..20).map(|_| Uuid::new_v4()).collect();
    std::thread::scope(|scope| {
        for id in &ids {
            // Each as a process of its own would.
            scope.spawn(|| tokens(&folder).revoke(*id).expect("revoked"));
        }
    });
    let daemon = tokens(&folder);
    assert!(ids.iter().all(|id| daemon.is_revoked(*id)));
}
