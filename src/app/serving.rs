//! The HTTP ports at work: whom each admits, and what it serves.

use std::net::IpAddr;
use std::sync::Arc;

use crate::access::Access;
use crate::config::Config;
use crate::http::{self, Gate, Handshakes, HttpPort, PortKind, Shared};
use crate::net::Admission;
use crate::tls::Certificates;

use super::{App, REVIEW_INTERVAL, StartError};

impl App {
    pub(super) fn serve_http(&self, shared: &Shared, main: HttpPort, mp3: HttpPort) {
        let main_service = shared.gate.guard(PortKind::Main, warp::service(http::main_routes(shared.clone())));
        let mp3_service = shared.gate.guard(PortKind::Mp3, warp::service(http::mp3_routes(shared.clone())));
        let (shutdown, tracker) = (&self.shutdown, &self.tracker);
        let main_stats = Arc::clone(&shared.stats.main_port);
        let mp3_stats = Arc::clone(&shared.stats.mp3_port);
        let admission = || Arc::clone(&self.admission);
        self.spawn("http", main.serve(main_service, admission(), main_stats, shutdown.clone(), tracker.clone()));
        self.spawn("mp3", mp3.serve(mp3_service, admission(), mp3_stats, shutdown.clone(), tracker.clone()));
    }

    /// The main port once more, with TLS.
    pub(super) fn serve_https(&self, shared: &Shared, port: HttpPort) -> Result<(), StartError> {
        let acceptor = shared.certificates.acceptor().map_err(StartError::Tls)?;
        let (places, timeout) = (shared.places.handshakes.clone(), shared.limits.handshake_timeout);
        let handshakes = Handshakes::new(acceptor, places, timeout, Arc::clone(&shared.stats.handshakes));
        let service = shared.gate.guard(PortKind::Main, warp::service(http::main_routes(shared.clone())));
        let (admission, stats) = (Arc::clone(&self.admission), Arc::clone(&shared.stats.tls_port));
        let (shutdown, tracker) = (self.shutdown.clone(), self.tracker.clone());
        self.spawn("https", port.with_tls(handshakes).serve(service, admission, stats, shutdown, tracker));
        Ok(())
    }

    /// Home Assistant's panel: the main port's routes, for the Supervisor alone.
    pub(super) fn serve_ingress(&self, shared: &Shared, port: HttpPort, supervisor: IpAddr) {
        let service = shared.gate.guard(PortKind::Ingress, warp::service(http::main_routes(shared.clone())));
        let (admission, stats) = (Arc::new(Admission::only(supervisor)), Arc::clone(&shared.stats.ingress_port));
        self.spawn("ingress", port.serve(service, admission, stats, self.shutdown.clone(), self.tracker.clone()));
    }

    pub(super) fn gate(&self, config: &Config, certificates: Certificates, access: Access) -> Gate {
        let (origins, admission) = (config.http.origins.clone(), Arc::clone(&self.admission));
        let gate = Gate::new(config.access, origins, admission, certificates, access, &config.limits);
        let tidying = gate.clone();
        let tidy = async move {
            loop {
                tokio::time::sleep(REVIEW_INTERVAL).await;
                tidying.tidy();
                tidying.access().review();
            }
        };
        self.spawn("limits", tidy);
        gate
    }
}
