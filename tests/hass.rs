//! What the app asks of Home Assistant's Supervisor, held against a stand-in that refuses what the real one refuses: what
//! the app's own manifest does not allow.

use std::net::IpAddr;

use serde_json::{Value, json};
use voice_relay::config::HassConfig;
use voice_relay::hass::{self, Home};
use warp::http::StatusCode;
use warp::path::FullPath;
use warp::reply::Reply;
use warp::{Filter, Rejection};

const TOKEN: &str = "the-supervisor-token";

/// What an app may reach whatever its manifest says (`api/middleware/security.py` of the Supervisor, August 2026).
const ALWAYS: &[&str] = &["/addons/self/", "/info", "/services", "/discovery", "/auth"];

/// Whether an app with this manifest may ask for this path, by the Supervisor's rules for GET.
fn is_allowed(manifest: &Value, path: &str) -> bool {
    // Its `api/services.py` looks again: at what the manifest says of the service.
    if let Some(service) = path.strip_prefix("/services/") {
        let wanted = manifest["services"].as_array().into_iter().flatten().filter_map(Value::as_str);
        return wanted.into_iter().any(|wanted| wanted.split(':').next() == Some(service));
    }
    let has = |key: &str| manifest[key] == true;
    ALWAYS.iter().any(|prefix| path.starts_with(prefix))
        || has("homeassistant_api") && path.starts_with("/core/api")
        || has("hassio_api") && path.trim_start_matches('/').contains('/') && path.ends_with("/info")
}

fn answer(path: &str) -> Option<Value> {
    match path {
        "/addons/self/info" => Some(json!({ "slug": "local_voice_relay", "ingress_port": 62_001 })),
        "/services/mqtt" => Some(json!({
            "host": "core-mosquitto", "port": 1883, "ssl": false, "protocol": "3.1.1",
            "username": "addons", "password": "secret", "addon": "core_mosquitto"
        })),
        "/network/info" => Some(json!({
            "interfaces": [{ "enabled": true, "ipv4": { "address": ["192.168.1.5/24"] }, "ipv6": null }]
        })),
        _ => None,
    }
}

fn supervisor(manifest: Value) -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
    warp::path::full().and(warp::header::<String>("authorization")).map(move |path: FullPath, shown: String| {
        let path = path.as_str();
        match answer(path) {
            _ if shown != format!("Bearer {TOKEN}") => StatusCode::UNAUTHORIZED.into_response(),
            _ if !is_allowed(&manifest, path) => {
                warp::reply::with_status("403: Forbidden", StatusCode::FORBIDDEN).into_response()
            }
            Some(data) => warp::reply::json(&json!({ "result": "ok", "data": data })).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    })
}

async fn told(manifest: Value) -> Option<Home> {
    hass::ask(&config(manifest).await).await
}

/// How a daemon asks a Supervisor that has this manifest of it.
async fn config(manifest: Value) -> HassConfig {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(warp::serve(supervisor(manifest)).incoming(listener).run());
    HassConfig {
        supervisor: format!("http://127.0.0.1:{port}"),
        url: "off".into(),
        ca: "off".into(),
        token: TOKEN.into(),
        page: "auto".into(),
        speech: "auto".into(),
    }
}

fn manifest() -> Value {
    serde_json::from_str(include_str!("../config.json")).expect("JSON")
}

#[tokio::test]
async fn the_manifest_allows_all_that_is_asked_for() {
    let addresses = vec!["192.168.1.5".parse::<IpAddr>().expect("an address")];
    let panel = Some("/app/local_voice_relay".to_owned());
    assert_eq!(told(manifest()).await, Some(Home { ingress_port: Some(62_001), panel, addresses, ..Home::default() }));
}

#[tokio::test]
async fn without_the_right_to_ask_for_the_network_the_panel_has_its_port_all_the_same() {
    let mut manifest = manifest();
    manifest["hassio_api"] = false.into();
    assert_eq!(
        told(manifest).await,
        Some(Home { ingress_port: Some(62_001), panel: Some("/app/local_voice_relay".into()), ..Home::default() })
    );
}

#[tokio::test]
async fn the_broker_is_the_one_that_the_supervisor_knows_of() {
    let broker = hass::find_broker(&config(manifest()).await).await.expect("told");
    assert_eq!((broker.to_string(), broker.ssl), ("core-mosquitto:1883".into(), false));
    assert_eq!((broker.username.as_deref(), broker.password.as_deref()), (Some("addons"), Some("secret")));
    assert!(!format!("{broker:?}").contains("secret"), "it would be in the log");
}

#[tokio::test]
async fn an_app_that_does_not_want_a_broker_is_told_of_none() {
    let mut manifest = manifest();
    manifest.as_object_mut().expect("an object").remove("services");
    let refused = hass::find_broker(&config(manifest).await).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("403")));
}
