//! The people of the house as Home Assistant knows them: who is in a room by its panel, and how they look.

mod support;

use serde_json::json;
use support::core::{StandInCore, TOKEN};
use support::http::{Answer, get};
use support::live::{Signalling, loopback_config, until};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use voice_relay::app::App;
use voice_relay::hass::Home;

const SUPERVISOR: [u8; 4] = [127, 0, 0, 3];
const PNG: &[u8] = b"\x89PNG and so on";

/// A core with people, and the daemon as its app.
async fn house() -> (StandInCore, App) {
    let core = StandInCore::start().await;
    for (user, name) in
        [("user-of-anna", "Anna"), ("user-of-ben", "Ben"), ("user-of-cora", "Cora"), ("user-of-dan", "Dan")]
    {
        core.add_person(user, name);
    }
    core.add_picture("Anna", "image/png", PNG);
    core.add_picture("Cora", "text/html", b"<script>");
    core.add_picture("Dan", "image/png", &vec![0; 2 << 20]);
    let flags = [format!("--hass-url={}", core.url), format!("--hass-token={TOKEN}")];
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let home = Home { ingress_port: Some(0), supervisor: SUPERVISOR.into(), ..Home::default() };
    let app = App::start(&loopback_config(&flags), &home).expect("free ports");
    (core, app)
}

async fn picture(app: &App, user: &str) -> Answer {
    get(app.ports.http, &format!("/api/people/{user}/picture")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_by_the_panel_is_known_and_looks_as_home_assistant_has_it() {
    let (core, app) = house().await;
    until(async || get(app.ports.http, "/api/players").await.json()["linked"] == true).await;
    let port = app.ports.ingress.expect("a panel");
    let mut request = format!("ws://{port}/ws").into_client_request().expect("an address");
    request.headers_mut().insert("x-remote-user-id", "user-of-anna".parse().expect("a word"));
    let mut anna = Signalling::ask_from(SUPERVISOR, port, request).await.expect("a WebSocket");
    anna.send(json!({ "type": "join", "room": "home", "name": "Mum" })).await;
    let joined = anna.expect("joined").await;
    assert_eq!(joined["participants"][0]["user"], "user-of-anna", "{joined}");
    let came = || core.fired().into_iter().find(|(_, event)| event["type"] == "joined" && event["name"] == "Mum");
    until(async || came().is_some()).await;
    assert_eq!(came().expect("fired").1["user_id"], "user-of-anna");
    let mut guest = Signalling::connect(app.ports.http, "/ws").await;
    guest.send(json!({ "type": "join", "room": "home", "name": "Guest" })).await;
    let joined = guest.expect("joined").await;
    let people = joined["participants"].as_array().expect("a list");
    assert!(people.iter().any(|one| one["user"].is_null()), "{joined}");

    until(async || picture(&app, "user-of-anna").await.status == 200).await;
    let shown = picture(&app, "user-of-anna").await;
    assert_eq!((&shown.body[..], shown.header("content-type")), (PNG, Some("image/png")));
    assert!(shown.header("cache-control").is_some_and(|told| told.starts_with("private")));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_or_too_large_is_not_passed_on() {
    let (core, app) = house().await;
    until(async || picture(&app, "user-of-anna").await.status == 200).await;
    for (user, status, why) in [
        ("user-of-ben", 404, "no picture"),
        ("nobody", 404, "no picture"),
        ("..%2f..", 404, "no picture"),
        ("user-of-cora", 502, "no picture that browsers show"),
        ("user-of-dan", 502, "bytes"),
    ] {
        let answer = picture(&app, user).await;
        assert_eq!((answer.status, answer.text().contains(why)), (status, true), "{user}: {}", answer.text());
    }
    // What was fetched once is still there when Home Assistant is not.
    core.throw_out();
    assert_eq!(picture(&app, "user-of-anna").await.status, 200);
    app.stop().await;
}
