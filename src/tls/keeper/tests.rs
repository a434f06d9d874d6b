//! Which certificate is served, over days and years, with files and addresses that change.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::tls::{Name, PublicAuthority};

const DAY: Duration = Duration::from_secs(86_400);
const LAN: [IpAddr; 1] = [IpAddr::V4(Ipv4Addr::new(192, 168, 1, 5))];

/// A house whose clock is turned by hand.
struct ClockedHouse {
    folder: TempDir,
    keeper: Keeper,
    now: SystemTime,
}

impl ClockedHouse {
    fn new(mode: TlsMode) -> Self {
        Self::in_folder(mode, tempfile::tempdir().expect("a folder"), SystemTime::now())
    }

    fn in_folder(mode: TlsMode, folder: TempDir, now: SystemTime) -> Self {
        let path = |name| folder.path().join(name);
        let config = TlsConfig { mode, certificate: path("fullchain.pem"), key: path("privkey.pem") };
        let keeper = Keeper::new(config, &path("data"), "kitchen".into(), Certificates::default());
        Self { folder, keeper, now }
    }

    /// The daemon starts anew; what it has kept in files is still there.
    fn restart(self) -> Self {
        Self::in_folder(self.keeper.config.mode, self.folder, self.now)
    }

    fn look(&mut self) -> Arc<Served> {
        self.look_from(&LAN).expect("a certificate")
    }

    fn look_from(&mut self, addresses: &[IpAddr]) -> Option<Arc<Served>> {
        self.keeper.look(addresses, self.now);
        self.keeper.certificates.served()
    }

    fn write(&self, name: &str, contents: &str) {
        std::fs::write(self.folder.path().join(name), contents).expect("written");
    }

    /// Puts a certificate where Home Assistant has it, valid from so many days from now to so many.
    fn put_certificate(&self, from: i32, to: i32) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["home.example.org".to_owned()]).expect("a name");
        let at = |days: i32| {
            let time = DAY * days.unsigned_abs();
            if days < 0 { self.now - time } else { self.now + time }
        };
        (params.not_before, params.not_after) = (at(from).into(), at(to).into());
        self.write("fullchain.pem", &params.self_signed(&key).expect("signed").pem());
        self.write("privkey.pem", &key.serialize_pem());
    }
}

fn authority(served: &Served) -> &PublicAuthority {
    served.authority.as_ref().expect("one of our own")
}

fn is_from_files(served: &Served) -> bool {
    served.authority.is_none() && served.identity.facts.names == [Name::Dns("home.example.org".into())]
}

#[test]
fn a_first_start_makes_a_certificate_for_all_names_of_the_machine() {
    let mut house = ClockedHouse::new(TlsMode::Auto);
    let served = house.look();
    let names: Vec<_> = served.identity.facts.names.iter().map(Name::to_string).collect();
    let all = ["kitchen", "kitchen.local", "homeassistant.local", "localhost", "192.168.1.5", "127.0.0.1", "::1"];
    assert_eq!(names, all);
    assert_eq!(authority(&served).fingerprint().len(), 32 * 3 - 1);
}

#[test]
fn an_authority_lasts_for_ten_years_and_its_certificates_for_397_days() {
    let mut house = ClockedHouse::new(TlsMode::Own);
    let served = house.look();
    let days = |from: SystemTime, to: SystemTime| to.duration_since(from).expect("later").as_secs() / 86_400;
    let facts = &served.identity.facts;
    assert_eq!(days(facts.begins, facts.ends), 397);
    assert!(facts.begins < house.now, "clocks differ");
    assert!(days(house.now, authority(&served).ends) > 3_640);
}

#[test]
fn an_authority_is_confined_to_what_is_local() {
    let mut house = ClockedHouse::new(TlsMode::Own);
    let served = house.look_from(&[Ipv4Addr::new(192, 0, 2, 2).into(), "2001:db8::2".parse().expect("ip")]);
    let served = served.expect("a certificate");
    let confines: Vec<_> = authority(&served).confines.iter().map(ToString::to_string).collect();
    let local = [
        "local",
        "localhost",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
        "kitchen",
        "192.0.2.2/32",
    ];
    assert_eq!(confines, local);
    // One name beyond the confines would spoil the whole certificate.
    let names = &served.identity.facts.names;
    assert!(names.iter().all(|name| authority(&served).confines.iter().any(|subtree| subtree.contains(name))));
    assert!(!names.iter().any(|name| name.to_string() == "2001:db8::2"));
}

#[test]
fn keys_are_in_files_that_nobody_else_can_read() {
    let mut house = ClockedHouse::new(TlsMode::Own);
    house.look();
    let mode = |name: &str| {
        let path = house.folder.path().join("data").join(name);
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    assert_eq!((mode(""), mode("tls")), (0o700, 0o700));
    assert_eq!((mode("tls/authority.pem"), mode("tls/server.pem")), (0o600, 0o600));
}

#[test]
fn both_are_the_same_after_a_restart() {
    let mut house = ClockedHouse::new(TlsMode::Own);
    let before = house.look();
    let after = house.restart().look();
    assert!(after.identity.is(&before.identity));
    assert_eq!(after.authority, before.authority);
}

#[test]
fn a_certificate_is_renewed_thirty_days_before_its_end_by_the_same_authority() {
    let mut house = ClockedHouse::new(TlsMode::Own);
    let first = house.look();
    house.now += DAY * 365;
    assert!(house.look().identity.is(&first.identity), "31 days are left");
    house.now += DAY * 2;
    let second = house.look();
    assert!(!second.identity.is(&first.identity));
    assert_eq!(second.authority, first.authority);
    assert!(house.restart().look().identity.is(&second.identity), "it is kept");
}

#[test]
fn an_authority_near_its_end_is_replaced_and_vouches_for_nothing_beyond_it() {
    let mut house = ClockedHouse::new(TlsMode::Own);
    let first = house.look();
    house.now = authority(&first).ends - DAY * 31;
    let last = house.look();
    assert_eq!(last.authority, first.authority);
    assert!(last.identity.facts.ends <= authority(&first).ends);
    house.now += DAY * 2;
    let next = house.look();
    assert_ne!(next.authority, first.authority);
    assert!(next.identity.lasts_for(DAY * 300, house.now));
}

#[test]
fn a_machine_that_has_lost_its_clock_throws_nothing_away() {
    let mut house = ClockedHouse::new(TlsMode::Own);
    let before = house.look();
    house.now -= DAY * 2_000;
    let mut house = house.restart();
    let served = house.look();
    assert_eq!(served.authority, before.authority);
    assert!(served.identity.is(&before.identity));
}

#[test]
fn what_was_made_by_a_wrong_clock_is_made_anew_by_the_right_one() {
    let mut house =
        ClockedHouse::in_folder(TlsMode::Own, tempfile::tempdir().expect("a folder"), SystemTime::UNIX_EPOCH);
    house.look();
    house.now = SystemTime::now();
    let served = house.look();
    assert!(served.identity.lasts_for(DAY * 300, house.now) && served.identity.facts.begins < house.now);
    assert!(authority(&served).ends > house.now + DAY * 3_000);
}

#[test]
fn a_new_address_makes_a_new_certificate_and_a_lost_one_does_not() {
    let mut house = ClockedHouse::new(TlsMode::Own);
    let first = house.look();
    let both = [LAN[0], Ipv4Addr::new(10, 0, 0, 7).into()];
    let second = house.look_from(&both).expect("a certificate");
    assert!(second.identity.facts.names.contains(&Name::Ip(both[1])));
    assert_eq!(second.authority, first.authority);
    assert!(house.look().identity.is(&second.identity));
    let beyond = house.look_from(&[LAN[0], "2001:db8::9".parse().expect("ip")]).expect("a certificate");
    assert!(beyond.identity.is(&second.identity), "an address beyond the confines changes nothing");
}

#[test]
fn what_was_kept_but_is_broken_is_made_anew() {
    let mut house = ClockedHouse::new(TlsMode::Own);
    let first = house.look();
    house.write("data/tls/server.pem", "half a cert");
    let mut house = house.restart();
    let second = house.look();
    assert_eq!(second.authority, first.authority);
    assert!(!second.identity.is(&first.identity));
    house.write("data/tls/authority.pem", "half a cert");
    let third = house.restart().look();
    assert_ne!(third.authority, first.authority);
    assert!(!third.identity.is(&second.identity), "another authority's certificate is of no use");
}

#[test]
fn without_a_folder_to_keep_keys_in_there_is_no_certificate() {
    let mut house = ClockedHouse::new(TlsMode::Auto);
    house.write("data", "a file in the way");
    assert!(house.look_from(&LAN).is_none());
}

#[test]
fn home_assistants_certificate_is_served_when_it_is_good_unless_told_otherwise() {
    let mut house = ClockedHouse::new(TlsMode::Auto);
    house.put_certificate(-1, 90);
    assert!(is_from_files(&house.look()));
    assert!(!house.folder.path().join("data").exists(), "no key is made that nobody needs");
    let mut house = ClockedHouse::new(TlsMode::Own);
    house.put_certificate(-1, 90);
    assert!(!is_from_files(&house.look()));
    let mut house = ClockedHouse::new(TlsMode::Off);
    house.put_certificate(-1, 90);
    assert!(house.look_from(&LAN).is_none());
}

#[test]
fn a_certificate_that_is_not_good_for_a_day_is_refused_and_our_own_is_served() {
    for (from, to, is_good) in [(-1, 2, true), (-10, -1, false), (-10, 0, false), (1, 90, false)] {
        let mut house = ClockedHouse::new(TlsMode::Auto);
        house.put_certificate(from, to);
        assert_eq!(is_from_files(&house.look()), is_good, "from {from} to {to}");
    }
    let mut house = ClockedHouse::new(TlsMode::Auto);
    house.put_certificate(-1, 1);
    house.now += Duration::from_secs(60);
    assert!(!is_from_files(&house.look()), "a minute less than a day");
}

#[test]
fn garbage_and_a_key_of_another_certificate_are_refused() {
    let mut house = ClockedHouse::new(TlsMode::Auto);
    house.put_certificate(-1, 90);
    for (name, contents) in [
        ("fullchain.pem", "garbage"),
        ("fullchain.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("privkey.pem", ""),
        ("privkey.pem", &KeyPair::generate().expect("a key").serialize_pem()),
    ] {
        house.put_certificate(-1, 90);
        house.write(name, contents);
        house = house.restart();
        assert!(!is_from_files(&house.look()), "{name}: {contents}");
    }
    house.put_certificate(-1, 90);
    std::fs::remove_file(house.folder.path().join("privkey.pem")).expect("removed");
    assert!(!is_from_files(&house.look()));
}

#[test]
fn a_certificate_that_is_replaced_is_served_and_half_a_replacement_is_waited_out() {
    let mut house = ClockedHouse::new(TlsMode::Auto);
    house.put_certificate(-1, 90);
    let first = house.look();
    let key = std::fs::read_to_string(house.folder.path().join("privkey.pem")).expect("there");
    house.put_certificate(-1, 120);
    let new_key = std::fs::read_to_string(house.folder.path().join("privkey.pem")).expect("there");
    house.write("privkey.pem", &key);
    assert!(house.look().identity.is(&first.identity), "the key is still the old one");
    house.write("privkey.pem", &new_key);
    let second = house.look();
    assert!(is_from_files(&second) && !second.identity.is(&first.identity));
}

#[test]
fn a_certificate_that_nobody_renews_gives_way_to_our_own_and_comes_back() {
    let mut house = ClockedHouse::new(TlsMode::Auto);
    house.put_certificate(-1, 90);
    assert!(is_from_files(&house.look()));
    house.now += DAY * 89 + Duration::from_secs(60);
    assert!(!is_from_files(&house.look()));
    house.put_certificate(-1, 90);
    assert!(is_from_files(&house.look()));
}
