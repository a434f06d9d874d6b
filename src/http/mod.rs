//! Everything that speaks HTTP: one file a surface, one accept loop for all ports.
//!
//! `server` lets connections in, `gate` requests, and `house` has what is behind permits. `signalling` is the WebSocket
//! protocol, and `whip` sending and hearing by one request (WHIP, WHEP). `streams` has the URLs of live audio, `player` what
//! a player may ask for there, and `fanout` writes it to the players' sockets, each a `listener_socket`. `gains` is how
//! loud each stream is in the mix, `sound` the machine's own card, `house_players` Home Assistant's media players, `phones` those that it rings on, `people` how its people look, `home_assistant` whether it is there, `rooms` those of the house; `files` has audio files, and
//! the offers of those who want them over a data channel; `announce` has them announced in rooms and on players. `trust` is what devices
//! need to trust our certificate; `status` is how the daemon is, and `metrics` what it counts, written on an `exposition`;
//! `assets` is the web page. `reply` and `problem` are answers that several give. What they share is in [`Shared`]. WebRTC
//! and codecs are reached only through the engine and the mounts.

mod announce;
mod assets;
mod calls;
mod clips;
mod entities;
mod exposition;
mod fanout;
mod files;
#[doc(hidden)]
pub mod fuzzing;
mod gains;
mod gate;
mod home_assistant;
mod house;
mod house_players;
mod listener_socket;
mod mailbox;
mod metrics;
mod people;
mod phones;
mod player;
mod prelude;
mod problem;
mod reply;
mod rooms;
mod server;
mod share;
mod signalling;
mod sound;
mod status;
mod streams;
mod trust;
mod video;
mod websocket;
mod whip;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Access, Action, Denied, Permit, Target, Visitor};
use crate::audio::AudioStats;
use crate::automation::AutomationStats;
use crate::bridge::Bridge;
use crate::config::{Limits, WhenIdle};
use crate::dispatch::Dispatcher;
use crate::engine::{Engine, MediaStats};
use crate::entities::EntitiesStatus;
use crate::limits::Allotments;
use crate::tls::Certificates;

pub use fanout::Fanouts;
pub use files::Files;
pub use gate::{Gate, GateStats, PortKind};
pub use house::{HomeAssistantParts, House};
pub use prelude::Preludes;
pub use server::{HandshakeStats, Handshakes, HttpPort, PortStats};
pub use signalling::SignallingStats;
pub use whip::WhipStats;

pub use listener_socket::ListenerStats;

use signalling::Guest;
use websocket::Upgrading;

/// The media threads answer within this time, or they are not well.
const MEDIA_ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// What HTTP counts.
#[derive(Debug, Default)]
pub struct HttpStats {
    /// Of the WebSockets.
    pub signalling: Arc<SignallingStats>,
    /// Of the main port.
    pub main_port: Arc<PortStats>,
    /// Of the main port's twin with TLS.
    pub tls_port: Arc<PortStats>,
    /// Of the handshakes there.
    pub handshakes: Arc<HandshakeStats>,
    /// Of the MP3 port.
    pub mp3_port: Arc<PortStats>,
    /// Of Home Assistant's panel.
    pub ingress_port: Arc<PortStats>,
    /// Of the listeners to live audio.
    pub listeners: Arc<ListenerStats>,
    /// Of WHIP and WHEP.
    pub whip: WhipStats,
}

/// What all surfaces share. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// The way to the relay core.
    pub relay: Engine,
    /// The rooms, and what is said in them.
    pub bridge: Bridge,
    /// Live audio on its way to the players.
    pub fanouts: Fanouts,
    /// What players hear before a program.
    pub preludes: Preludes,
    /// What there is for those who hold a permit.
    pub house: House,
    /// Whoever brings announcements to their destinations, and asks who may.
    pub dispatcher: Dispatcher,
    /// What is counted of automations, where there is a Home Assistant.
    pub automation: Option<Arc<AutomationStats>>,
    /// How far Home Assistant's entities get there, where there are any.
    pub entities: Option<EntitiesStatus>,
    /// What the audio side counts.
    pub audio: Arc<AudioStats>,
    /// Who is let in.
    pub gate: Gate,
    /// What HTTP counts.
    pub stats: Arc<HttpStats>,
    /// How many of each there may be.
    pub limits: Limits,
    /// Places for them.
    pub places: Allotments,
    /// What `latest.mp3` gives while nobody speaks.
    pub when_idle: WhenIdle,
    /// Whether players that ask are told who talks.
    pub icy: bool,
    /// The port that MP3 is really on.
    pub mp3_port: u16,
    /// The port that TLS is really on, if there is a certificate.
    pub tls_port: Option<u16>,
    /// The port that the page is really on, without TLS.
    pub http_port: u16,
    /// The certificate of that port.
    pub certificates: Certificates,
    /// When the daemon started.
    pub started: Instant,
    /// The daemon goes down.
    pub shutdown: CancellationToken,
    /// Tasks that a shutdown waits for.
    pub tracker: TaskTracker,
}

impl Shared {
    /// Who may do what.
    fn access(&self) -> &Access {
        self.gate.access()
    }

    /// Lets somebody do something, or says why not; counts when not.
    async fn authorize(&self, visitor: &Visitor, action: Action, target: Target<'_>) -> Result<Permit, Denied> {
        self.access().authorize(visitor, action, target).await.inspect_err(|_| self.gate.note_denied())
    }

    /// What the media threads count, if they answer.
    async fn media_stats(&self) -> Option<MediaStats> {
        tokio::time::timeout(MEDIA_ANSWER_TIMEOUT, self.relay.stats()).await.ok()?.ok()
    }

    /// Ends what goes on without a permit, whenever one has ended; as long as it is polled.
    pub async fn enforce(self, besides: [Engine; 2]) {
        loop {
            self.access().some_ended().await;
            self.relay.end_unpermitted().await;
            for relay in &besides {
                relay.end_unpermitted().await;
            }
            self.house.tidy_sound();
        }
    }
}

/// The main port: page, signalling, API.
pub fn main_routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync {
    let surfaces = [
        status::routes(shared.clone()).boxed(),
        metrics::routes(shared.clone()).boxed(),
        streams::routes(shared.clone()).boxed(),
        clips::routes(shared.clone()).boxed(),
        clips::api(shared.clone()).boxed(),
        gains::routes(shared.clone()).boxed(),
        sound::routes(shared.clone()).boxed(),
        house_players::routes(shared.clone()).boxed(),
        home_assistant::routes(shared.clone()).boxed(),
        phones::routes(shared.clone()).boxed(),
        people::routes(shared.clone()).boxed(),
        calls::routes(shared.clone()).boxed(),
        mailbox::routes(shared.clone()).boxed(),
        rooms::routes(shared.clone()).boxed(),
        files::routes(shared.clone()).boxed(),
        announce::routes(shared.clone()).boxed(),
        announce::files(shared.clone()).boxed(),
        whip::routes(shared.clone()).boxed(),
        share::routes(shared.clone()).boxed(),
        trust::routes(shared.clone()).boxed(),
        assets::routes(shared.clone()).boxed(),
    ];
    // Boxed, since the type of a chain of all would be too deep for the compiler.
    surfaces.into_iter().fold(signalling_route(shared).boxed(), |before, surface| before.or(surface).unify().boxed())
}

/// The MP3 port: streams, and a health check in one word.
pub fn mp3_routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync {
    let health = warp::path!("health").and(warp::get().or(warp::head()).unify()).map(|| "OK".into_response());
    let live = health.or(streams::routes(shared.clone())).unify();
    live.or(clips::routes(shared.clone())).unify().or(announce::files(shared)).unify()
}

/// WebSockets at `/ws`, and at `/` where the existing cards connect.
fn signalling_route(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync {
    warp::path::end()
        .or(warp::path!("ws"))
        .unify()
        .and(websocket::requests())
        .and(warp::ext::get::<Visitor>())
        .then(move |upgrading: Upgrading, visitor: Visitor| accept_socket(upgrading, visitor, shared.clone()))
}

async fn accept_socket(upgrading: Upgrading, visitor: Visitor, shared: Shared) -> Response {
    let permit = match shared.authorize(&visitor, Action::Connect, Target::House).await {
        Ok(permit) => permit,
        Err(denied) => return reply::denied(&denied),
    };
    let place = match shared.places.sockets.take(&visitor.owner()) {
        Ok(place) => place,
        Err(full) => {
            return reply::full(full, "Too many clients are connected at once; limits.sockets sets how many may");
        }
    };
    let token = shared.tracker.token();
    upgrading.accept(shared.limits.message_bytes, move |socket| async move {
        let stats = Arc::clone(&shared.stats.signalling);
        let guest = Guest { permit, _place: place, gate: shared.gate, house: shared.house, stats };
        signalling::serve(socket, shared.bridge, guest, shared.shutdown).await;
        drop(token);
    })
}
