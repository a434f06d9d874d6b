//! Phones with Home Assistant's companion app: what rings at a station that has one rings there too, as a notification with
//! *Answer* and *Decline*. *Answer* opens the page, which is the station; *Decline* comes back as an event.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::access::{Access, Action, Target, Visitor};
use crate::calls::{CallEvent, CallId, CallInfo, CallOutcome, CallState, CalleeState, CallsHandle, StationId};
use crate::hass::{CoreError, CoreEvent, CoreFeed, CoreLink, CoreNews};

/// The event of Home Assistant's when somebody presses a button of a notification.
const PRESSED: &str = "mobile_app_notification_action";

/// What begins the name of the button *Decline*; the call and the station follow.
const DECLINE: &str = "VR_DECLINE";

/// What begins the names of the services that notify phones.
const SERVICES: &str = "mobile_app_";

/// Home Assistant has handed a notification on within this, or the phone cannot be reached.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What is on a notification, in a language.
struct Words {
    language: &'static str,
    calling: &'static str,
    answer: &'static str,
    decline: &'static str,
    missed: &'static str,
}

/// Those that we speak; the first, where Home Assistant speaks another one.
static WORDS: [Words; 2] = [
    Words { language: "en", calling: "is calling", answer: "Answer", decline: "Decline", missed: "Missed call" },
    Words { language: "de", calling: "ruft an", answer: "Annehmen", decline: "Ablehnen", missed: "Verpasster Anruf" },
];

/// A phone, as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhoneInfo {
    /// What Home Assistant calls it.
    pub id: String,
    /// How people do.
    pub name: String,
}

/// What is counted.
#[derive(Debug, Default)]
pub struct PhoneStats {
    /// Calls that rang on a phone.
    pub rung: AtomicU64,
    /// Those that did not: Home Assistant was away, or could not reach it.
    pub unreachable: AtomicU64,
}

/// The phones of the house. Cheap to clone.
#[derive(Clone)]
pub struct Phones {
    link: CoreLink,
    /// What is opened by who answers.
    page: Option<String>,
    stats: Arc<PhoneStats>,
}

/// The task that has them ring.
pub struct PhonesTask {
    phones: Phones,
    feed: CoreFeed,
    calls: CallsHandle,
    changes: broadcast::Receiver<CallEvent>,
    access: Access,
    /// Where it rings; each is told what came of the call.
    ringing: HashMap<(CallId, StationId), oneshot::Sender<Ending>>,
    notifications: JoinSet<()>,
    words: &'static Words,
}

/// How it ends on one phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Nobody answered in time, or whoever called gave up.
    Missed,
    /// Somebody answered, or declined.
    Over,
}

impl Phones {
    /// Those of this core; whoever answers on one opens this page, and without one none rings.
    pub fn new(
        link: CoreLink,
        feed: CoreFeed,
        page: Option<String>,
        calls: CallsHandle,
        access: Access,
    ) -> (Self, PhonesTask) {
        let phones = Self { link, page, stats: Arc::default() };
        let (changes, ringing) = (calls.events(), HashMap::new());
        let (notifications, words) = (JoinSet::new(), &WORDS[0]);
        let task = PhonesTask { phones: phones.clone(), feed, calls, changes, access, ringing, notifications, words };
        (phones, task)
    }

    /// Whether there is a page that they could open.
    pub fn have_page(&self) -> bool {
        self.page.is_some()
    }

    /// What is counted.
    pub fn stats(&self) -> &PhoneStats {
        &self.stats
    }

    /// All that Home Assistant can reach.
    ///
    /// # Errors
    /// When it does not say.
    pub async fn list(&self) -> Result<Vec<PhoneInfo>, CoreError> {
        let asked = self.link.ask::<Map<String, Value>>(json!({ "type": "get_services" }));
        let services = timeout(ANSWER_TIMEOUT, asked).await.unwrap_or(Err(CoreError::Away))?;
        let services = services.get("notify").and_then(Value::as_object).into_iter().flat_map(Map::keys);
        Ok(services.filter_map(|service| PhoneInfo::of_service(service)).collect())
    }

    /// Rings on one, until that is over.
    async fn ring(self, ring: PhoneRing, over: oneshot::Receiver<Ending>, calls: CallsHandle) {
        let notified = self.notify(&ring, ring.ringing()).await;
        if let Err(error) = notified {
            self.stats.unreachable.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%error, phone = ring.service, "a phone doesn’t ring");
            return calls.note_unreachable(ring.call, &ring.station);
        }
        self.stats.rung.fetch_add(1, Ordering::Relaxed);
        // Who would have told it ends with the daemon: then it is over as well.
        let ending = over.await.unwrap_or(Ending::Over);
        let last = if ending == Ending::Missed { ring.missed() } else { ring.cleared() };
        if let Err(error) = self.notify(&ring, last).await {
            tracing::debug!(%error, phone = ring.service, "a notification stays on a phone");
        }
    }

    async fn notify(&self, ring: &PhoneRing, data: Value) -> Result<(), CoreError> {
        timeout(ANSWER_TIMEOUT, self.link.notify(&ring.service, data)).await.unwrap_or(Err(CoreError::Away))
    }
}

impl PhoneInfo {
    /// The phone that a service of `notify` reaches; others reach something else.
    fn of_service(service: &str) -> Option<Self> {
        let name = service.strip_prefix(SERVICES)?.replace('_', " ");
        let mut letters = name.chars();
        let first = letters.next()?.to_uppercase();
        Some(Self { id: service.to_owned(), name: first.chain(letters).collect() })
    }
}

impl PhonesTask {
    /// Has them ring until the shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(news) = self.feed.next() => match news {
                    CoreNews::Connected(_) => {
                        self.subscribe().await;
                        self.learn_language().await;
                    }
                    CoreNews::Event(event) => self.hear(&event).await,
                    CoreNews::Lost | CoreNews::Entities(_) => {}
                },
                change = self.changes.recv() => match change {
                    Ok(CallEvent::Call(call)) => self.follow(&call),
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Lagged(_)) => self.look_again(),
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                Some(_) = self.notifications.join_next() => {}
            }
        }
    }

    async fn subscribe(&self) {
        let presses = json!({ "type": "subscribe_events", "event_type": PRESSED });
        match timeout(ANSWER_TIMEOUT, self.feed.subscribe(presses)).await {
            Ok(Ok(()) | Err(CoreError::Away)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "calls can’t be declined on phones"),
            Err(_) => tracing::warn!("calls can’t be declined on phones: Home Assistant doesn’t answer"),
        }
    }

    async fn learn_language(&mut self) {
        let asked = self.phones.link.ask::<Value>(json!({ "type": "get_config" }));
        let Ok(Ok(config)) = timeout(ANSWER_TIMEOUT, asked).await else { return };
        let language = config["language"].as_str().unwrap_or_default();
        let spoken = WORDS.iter().find(|words| language.starts_with(words.language));
        self.words = spoken.unwrap_or(&WORDS[0]);
    }

    /// Somebody pressed a button of a notification.
    async fn hear(&self, event: &CoreEvent) {
        let Some((call, station)) = event.data["action"].as_str().and_then(declined) else { return };
        let visitor = Visitor::of_home_assistant(event.context.user.as_deref(), None);
        let declined = match self.access.authorize(&visitor, Action::Call, Target::House).await {
            Ok(_) => self.calls.decline(call, &station).map_err(|error| error.to_string()),
            Err(refusal) => Err(refusal.to_string()),
        };
        if let Err(why) = declined {
            tracing::debug!(why, "a call is not declined on a phone");
        }
    }

    /// A call began, or is different.
    fn follow(&mut self, call: &CallInfo) {
        for callee in &call.to {
            let key = (call.id, callee.station.clone());
            let rings = call.state == CallState::Ringing && callee.state == CalleeState::Ringing;
            if !rings {
                let ending = if is_missed(call, callee.state) { Ending::Missed } else { Ending::Over };
                // A notification that has failed listens no longer.
                let _ = self.ringing.remove(&key).map(|ringing| ringing.send(ending));
            } else if !self.ringing.contains_key(&key) {
                self.begin(call, &callee.station);
            }
        }
    }

    fn begin(&mut self, call: &CallInfo, station: &StationId) {
        let (Some(phone), Some(page)) = (self.calls.phone(station), self.phones.page.clone()) else { return };
        let (caller, call) = (call.from.name.clone(), call.id);
        let ring =
            PhoneRing { call, station: station.clone(), caller, service: phone.service, page, words: self.words };
        let (ringing, over) = oneshot::channel();
        self.notifications.spawn(self.phones.clone().ring(ring, over, self.calls.clone()));
        self.ringing.insert((call, station.clone()), ringing);
    }

    /// More has happened than could be read: what is known is compared with what is.
    fn look_again(&mut self) {
        let current = self.calls.current();
        self.ringing.retain(|(id, _), _| current.iter().any(|call| call.id == *id));
        current.iter().for_each(|call| self.follow(call));
    }
}

/// Whether whoever was called so may want to call back.
fn is_missed(call: &CallInfo, callee: CalleeState) -> bool {
    let is_over = |outcome| call.state == CallState::Over { outcome };
    callee == CalleeState::Stopped && (is_over(CallOutcome::Missed) || is_over(CallOutcome::Cancelled))
}

/// The call and the station that a button is about.
fn declined(action: &str) -> Option<(CallId, StationId)> {
    let (call, station) = action.strip_prefix(DECLINE)?.strip_prefix('_')?.split_once('_')?;
    Some((CallId(Uuid::try_parse(call).ok()?), StationId(station.to_owned())))
}

/// A call that rings on a phone.
struct PhoneRing {
    call: CallId,
    station: StationId,
    /// How people call whoever calls.
    caller: String,
    /// What Home Assistant calls the phone.
    service: String,
    /// What it opens.
    page: String,
    words: &'static Words,
}

impl PhoneRing {
    /// The notification, as the companion app of either system reads it; each passes over what is the other's.
    fn ringing(&self) -> Value {
        let Self { call: CallId(call), station, caller, page, words, .. } = self;
        let url = format!("{page}{}call={call}", if page.contains('?') { '&' } else { '?' });
        json!({
            "title": caller,
            "message": words.calling,
            "data": {
                "tag": call, "url": url, "clickAction": url,
                // Now or never: it is not to come when the phone is found again.
                "ttl": 0, "priority": "high", "channel": "Intercom", "importance": "high", "sticky": "true",
                "push": { "interruption-level": "time-sensitive" },
                "actions": [
                    // Android opens addresses by buttons of this name only.
                    { "action": "URI", "title": words.answer, "uri": url },
                    { "action": format!("{DECLINE}_{call}_{station}"), "title": words.decline, "destructive": true }
                ]
            }
        })
    }

    /// In its place, a call that was missed.
    fn missed(&self) -> Value {
        let data = json!({ "tag": self.call, "channel": "Missed calls" });
        json!({ "title": self.caller, "message": self.words.missed, "data": data })
    }

    /// Nothing any more in its place.
    fn cleared(&self) -> Value {
        json!({ "message": "clear_notification", "data": { "tag": self.call } })
    }
}

impl std::fmt::Debug for Phones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phones")
    }
}

impl std::fmt::Debug for PhonesTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PhonesTask")
    }
}
