//! What the daemon has of Home Assistant, where there is one.

use std::sync::Arc;

use crate::access::Access;
use crate::automation::{AutomationStats, Automations, Doorbells, Phones};
use crate::calls::CallsHandle;
use crate::config::Config;
use crate::data::DataFolder;
use crate::dispatch::Dispatcher;
use crate::entities::{self, Entities, EntitiesStatus};
use crate::hass::{
    CoreEndpoint, CoreFeed, CoreLink, Home, HousePlayers, Integrations, OwnIds, People, ServiceCalls, SpeechMaker,
};
use crate::http::HomeAssistantParts;
use crate::mailbox::MailboxHandle;
use crate::rooms::RoomsHandle;
use crate::tls::Trust;

use super::{App, StartError};

/// What there is of Home Assistant, where there is one.
pub(super) struct Linked {
    link: CoreLink,
    /// For its automations.
    feed: CoreFeed,
    /// For its doorbells.
    doorbells: CoreFeed,
    /// For its phones.
    phones: CoreFeed,
    people: People,
    /// For its entities.
    pub(super) service_calls: ServiceCalls,
    /// What they open.
    pub(super) page: Option<String>,
    pub(super) players: HousePlayers,
    pub(super) speech: SpeechMaker,
    pub(super) integrations: Integrations,
}

impl App {
    /// Home Assistant's media players, where there is a Home Assistant.
    pub(super) fn link_to_core(
        &self,
        config: &Config,
        home: &Home,
        trust: &Trust,
    ) -> Result<Option<Linked>, StartError> {
        let Some(address) = config.hass.core() else { return Ok(None) };
        let endpoint =
            CoreEndpoint::new(&address, config.hass.token.clone(), trust.clone()).map_err(StartError::Hass)?;
        let (link, mut task) = CoreLink::new(endpoint.clone());
        let (players, followers) = HousePlayers::new(
            link.clone(),
            task.feed(&link),
            DataFolder::new(config.data_dir.clone()),
            config.limits.share,
            own_ids(config),
        );
        let speech = SpeechMaker::new(link.clone(), players.clone(), endpoint.clone(), config.hass.speech.clone());
        let (feed, doorbells, phones) = (task.feed(&link), task.feed(&link), task.feed(&link));
        let (people, asking) = People::new(link.clone(), task.feed(&link), endpoint.clone());
        let integrations = Integrations::new(endpoint);
        let (service_calls, listening) = ServiceCalls::new(task.feed(&link), people.clone(), players.clone());
        let page = config.hass.page(home.panel.as_deref());
        self.spawn("hass", task.run(self.shutdown.clone()));
        self.spawn("players", followers.run(self.shutdown.clone()));
        self.spawn("people", asking.run(self.shutdown.clone()));
        self.spawn("service calls", listening.run(self.shutdown.clone()));
        Ok(Some(Linked { link, feed, doorbells, phones, people, service_calls, page, players, speech, integrations }))
    }

    /// Automations hear of the house, and ask something of it; gives what is counted.
    pub(super) fn speak_with_automations(
        &self,
        config: &Config,
        Linked { link, feed, doorbells, phones, people, page, players, integrations, .. }: Linked,
        dispatcher: &Dispatcher,
        (access, rooms, calls, mailbox): (&Access, &RoomsHandle, &CallsHandle, &MailboxHandle),
    ) -> (Arc<AutomationStats>, HomeAssistantParts) {
        let data = DataFolder::new(config.data_dir.clone());
        let (doorbells, listening) = Doorbells::new(link.clone(), doorbells, calls.clone(), data);
        self.spawn("doorbells", listening.run(self.shutdown.clone()));
        let (phones, ringing) = Phones::new(link.clone(), phones, page, calls.clone(), access.clone());
        self.spawn("phones", ringing.run(self.shutdown.clone()));
        let (dispatcher, access) = (dispatcher.clone(), access.clone());
        let house = (rooms.clone(), calls.clone(), mailbox.clone());
        let automations = Automations::new(link, feed, people.clone(), dispatcher, house, access);
        let stats = automations.stats();
        self.spawn("automations", automations.run(self.shutdown.clone()));
        (stats, HomeAssistantParts { players, integrations, doorbells, phones, people })
    }

    /// Home Assistant has entities of the house, where there is a broker; gives how far they get.
    pub(super) fn show_entities(
        &self,
        config: &Config,
        dispatcher: &Dispatcher,
        (access, rooms, calls, mailbox): (&Access, &RoomsHandle, &CallsHandle, &MailboxHandle),
        (service_calls, trust): (Option<ServiceCalls>, Trust),
    ) -> Option<EntitiesStatus> {
        let data = DataFolder::new(config.data_dir.clone());
        let house = (rooms.clone(), calls.clone(), mailbox.clone(), access.clone());
        let entities = Entities::new(config, trust, data, house, dispatcher.clone(), service_calls)?;
        let status = entities.status();
        self.spawn("entities", entities.run(self.shutdown.clone()));
        Some(status)
    }
}

/// What Home Assistant has of us; without a data folder it has nothing, which is logged where that is to be shown.
fn own_ids(config: &Config) -> Option<OwnIds> {
    entities::own_ids(&DataFolder::new(config.data_dir.clone())).ok()
}

/// Whose certificates Home Assistant and the broker may show; nobody's where there is neither.
pub(super) fn trust(config: &Config) -> Result<Trust, StartError> {
    if config.hass.core().is_none() && config.mqtt.address().is_none() {
        return Ok(Trust::none());
    }
    Trust::open(config.hass.authority()).map_err(StartError::Trust)
}
