//! What a device needs to trust this house's own certificate: the authority's certificate, an iOS profile,
//! and the facts for the page that guides people through it.

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use uuid::{Builder, Uuid};
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::tls::{CertificateFacts, Name, PublicAuthority};

use super::Shared;
use super::reply::{text, with};

const CERTIFICATE: HeaderValue = HeaderValue::from_static("application/x-x509-ca-cert");
const CERTIFICATE_FILE: HeaderValue = HeaderValue::from_static("attachment; filename=\"voice-relay-ca.crt\"");
const PROFILE: HeaderValue = HeaderValue::from_static("application/x-apple-aspen-config");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

const NOTHING_TO_TRUST: &str =
    "There is no certificate authority of this house: https uses another certificate, or is off";

/// `/ca.crt`, `/ca.mobileconfig` and `/api/trust` of the main port.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let get = warp::get().or(warp::head()).unify();
    let with_shared = warp::any().map(move || shared.clone());
    let certificate = warp::path!("ca.crt").and(get).and(with_shared.clone()).map(|shared: Shared| {
        of_authority(&shared, |authority| {
            let reply = with(authority.pem.clone().into_response(), CONTENT_TYPE, CERTIFICATE);
            with(reply, CONTENT_DISPOSITION, CERTIFICATE_FILE)
        })
    });
    let profile = warp::path!("ca.mobileconfig").and(get).and(with_shared.clone()).map(|shared: Shared| {
        of_authority(&shared, |authority| with(profile(authority).into_response(), CONTENT_TYPE, PROFILE))
    });
    let facts = warp::path!("api" / "trust").and(get).and(with_shared).map(|shared: Shared| {
        let reply = warp::reply::json(&facts(&shared)).into_response();
        with(reply, CACHE_CONTROL, NO_CACHE)
    });
    certificate.or(profile).unify().or(facts).unify()
}

fn of_authority(shared: &Shared, reply: impl FnOnce(&PublicAuthority) -> Response) -> Response {
    let served = shared.certificates.served();
    match served.as_ref().and_then(|served| served.authority.as_ref()) {
        Some(authority) => with(reply(authority), CACHE_CONTROL, NO_CACHE),
        None => text(StatusCode::NOT_FOUND, NOTHING_TO_TRUST),
    }
}

/// Which certificate https has, and whom one has to trust for it.
fn facts(shared: &Shared) -> Value {
    let served = shared.certificates.served();
    json!({
        "tls_port": shared.tls_port,
        "certificate": served.as_ref().map(|served| certificate_facts(&served.identity.facts)),
        "authority": served.as_ref().and_then(|served| served.authority.as_ref()).map(authority_facts),
    })
}

fn certificate_facts(facts: &CertificateFacts) -> Value {
    let names: Vec<_> = facts.names.iter().map(Name::to_string).collect();
    json!({ "names": names, "ends": unix_seconds(facts.ends) })
}

fn authority_facts(authority: &PublicAuthority) -> Value {
    let confines: Vec<_> = authority.confines.iter().map(ToString::to_string).collect();
    json!({ "fingerprint": authority.fingerprint(), "confines": confines, "ends": unix_seconds(authority.ends) })
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A configuration profile for iPhone, iPad and Mac. Its ids follow from the authority, so that a second
/// download takes the place of the first.
fn profile(authority: &PublicAuthority) -> String {
    let (certificate_id, profile_id) = (id_of(authority, "certificate"), id_of(authority, "profile"));
    // PEM without its first and last line is Base64.
    let base64: String = authority.pem.lines().filter(|line| !line.starts_with("-----")).collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadCertificateFileName</key><string>voice-relay-ca.crt</string>
      <key>PayloadContent</key><data>{base64}</data>
      <key>PayloadDisplayName</key><string>Voice Relay</string>
      <key>PayloadDescription</key><string>The certificate authority of your Voice Relay, for local names and addresses only</string>
      <key>PayloadIdentifier</key><string>voice-relay.{certificate_id}</string>
      <key>PayloadType</key><string>com.apple.security.root</string>
      <key>PayloadUUID</key><string>{certificate_id}</string>
      <key>PayloadVersion</key><integer>1</integer>
    </dict>
  </array>
  <key>PayloadDisplayName</key><string>Voice Relay</string>
  <key>PayloadDescription</key><string>Lets this device open your Voice Relay by https, and so use its microphone</string>
  <key>PayloadIdentifier</key><string>voice-relay.{profile_id}</string>
  <key>PayloadRemovalDisallowed</key><false/>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadUUID</key><string>{profile_id}</string>
  <key>PayloadVersion</key><integer>1</integer>
</dict>
</plist>
"#
    )
}

fn id_of(authority: &PublicAuthority, role: &str) -> Uuid {
    let digest = digest(&SHA256, &[&authority.digest, role.as_bytes()].concat());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    Builder::from_random_bytes(bytes).into_uuid()
}
